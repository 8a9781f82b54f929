package main

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestPrepare(t *testing.T) {
	loopback := loopbackName(t)
	for _, test := range []struct {
		name       string
		env        map[string]string
		args, want []string
	}{
		{"an agent gets its folders", nil, []string{"agent", "-dev"}, []string{"consul", "agent", "-data-dir=/d", "-config-dir=CONF", "-dev"}},
		{"options alone are an agent's", nil, []string{"-dev"}, []string{"consul", "agent", "-data-dir=/d", "-config-dir=CONF", "-dev"}},
		{"another command is left alone", nil, []string{"members"}, []string{"consul", "members"}},
		{"nothing", nil, nil, []string{"consul"}},
		{
			"an interface becomes an address",
			map[string]string{"CONSUL_BIND_INTERFACE": loopback},
			[]string{"agent"},
			[]string{"consul", "agent", "-data-dir=/d", "-config-dir=CONF", "-bind=127.0.0.1"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			t.Setenv("CONSUL_DATA_DIR", "/d")
			t.Setenv("CONSUL_CONFIG_DIR", folder)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			got, err := prepare(test.args)
			for i := range test.want {
				if test.want[i] == "-config-dir=CONF" {
					test.want[i] = "-config-dir=" + folder
				}
			}
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("prepare(%q) = %q, %v, want %q", test.args, got, err, test.want)
			}
		})
	}
}

func TestLocalConfigBecomesAFile(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("CONSUL_CONFIG_DIR", folder)
	t.Setenv("CONSUL_LOCAL_CONFIG", `{"server": true}`)
	if _, err := prepare([]string{"agent"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "local.json"))
	if err != nil || string(text) != `{"server": true}` {
		t.Errorf("local.json = %q, %v", text, err)
	}
}

func TestUnknownInterface(t *testing.T) {
	t.Setenv("CONSUL_CLIENT_INTERFACE", "nonesuch0")
	if got, err := prepare([]string{"agent"}); err == nil {
		t.Errorf("prepare = %q, want an error", got)
	}
}

func loopbackName(t *testing.T) string {
	t.Helper()
	devices, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, device := range devices {
		if device.Flags&net.FlagLoopback != 0 {
			return device.Name
		}
	}
	t.Fatal("no loopback interface")
	return ""
}
