package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func read(t *testing.T, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestConfigure(t *testing.T) {
	conf, data := t.TempDir(), t.TempDir()
	for key, value := range map[string]string{
		"ZOO_CONF_DIR": conf, "ZOO_DATA_DIR": data, "ZOO_MY_ID": "2", "ZOO_TICK_TIME": "500",
		"ZOO_SERVERS":   "server.1=a:2888:3888;2181 server.2=b:2888:3888;2181",
		"ZOO_CFG_EXTRA": "forceSync=no minSessionTimeout=1000", "ZOO_4LW_COMMANDS_WHITELIST": "*",
	} {
		t.Setenv(key, value)
	}
	if err := configure(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, data, "myid"); got != "2\n" {
		t.Errorf("myid = %q, want 2", got)
	}
	lines := strings.Split(read(t, conf, "zoo.cfg"), "\n")
	for _, want := range []string{
		"dataDir=" + data, "dataLogDir=/datalog", "tickTime=500", "initLimit=5", "standaloneEnabled=true",
		"server.1=a:2888:3888;2181", "server.2=b:2888:3888;2181",
		"forceSync=no", "minSessionTimeout=1000", "4lw.commands.whitelist=*",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("zoo.cfg has no line %q:\n%s", want, strings.Join(lines, "\n"))
		}
	}
}

func TestWhatIsThereIsKept(t *testing.T) {
	conf, data := t.TempDir(), t.TempDir()
	t.Setenv("ZOO_CONF_DIR", conf)
	t.Setenv("ZOO_DATA_DIR", data)
	for folder, name := range map[string]string{conf: "zoo.cfg", data: "myid"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := configure(); err != nil {
		t.Fatal(err)
	}
	if cfg, id := read(t, conf, "zoo.cfg"), read(t, data, "myid"); cfg != "mine" || id != "mine" {
		t.Errorf("zoo.cfg = %q, myid = %q, want what was there", cfg, id)
	}
}

func TestServerCommandHasTheFlags(t *testing.T) {
	t.Setenv("JVMFLAGS", "-Da=b -Dc=d")
	t.Setenv("SERVER_JVMFLAGS", "-De=f")
	t.Setenv("ZK_SERVER_HEAP", "64")
	command := serverCommand()
	for _, want := range []string{"-Da=b", "-Dc=d", "-De=f", "-Xmx64m"} {
		if !slices.Contains(command, want) {
			t.Errorf("%q is not in %q", want, command)
		}
	}
	if last := command[len(command)-1]; last != "/conf/zoo.cfg" {
		t.Errorf("the command ends with %q", last)
	}
}

func TestUnknownCommand(t *testing.T) {
	if err := run([]string{"nonesuch"}); err == nil {
		t.Error("run = nil, want an error")
	}
}
