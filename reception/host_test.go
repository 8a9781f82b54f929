package reception

import (
	"strings"
	"testing"
)

// Names and addresses that others can connect to pass, and nothing else does.
func TestIsHost(t *testing.T) {
	label := strings.Repeat("a", labelBytes)
	long := strings.Join([]string{label, label, label, label[:61]}, ".")
	for _, host := range []string{
		"localhost", "a", "api", "API.Example.COM", "example.com.", "1.example", "3com", "xn--bcher-kva.example",
		"my_project_web_1", "a-b", label, long, long + ".",
		"10.0.0.1", "127.0.0.1", "255.255.255.255",
		"::1", "2001:db8::1", "2001:DB8:0:0:8:800:200C:417A", "::ffff:10.0.0.1", "fe80::1%eth0", "fe80::1%2",
	} {
		if !isHost(host) {
			t.Errorf("isHost(%q) = false", host)
		}
	}
	for _, host := range []string{
		"", ".", "..", "a..b", ".a", "a b", " a", "a\n", "a\x00", "-a", "a-", "a.-b", "bücher", "a/b", "a,b", "*", "user@host",
		label + "a", "a" + long, "http://a", "a:80", "10.0.0.1:80",
		"0.0.0.0", "::", "0:0:0:0:0:0:0:0", "::%eth0", "::ffff:0.0.0.0",
		"1.2.3", "256.1.1.1", "010.0.0.1", "10.0.0.1.", "1.2.3.4.5", "1", "example.42",
		"[::1]", "[::1]:80", "::1%", "::1%a b", "fe80::1%eth0]", "1:2", ":::", "fe80::1%" + label + "a", "10.0.0.1%eth0",
	} {
		if isHost(host) {
			t.Errorf("isHost(%q) = true", host)
		}
	}
}
