package zookeeper

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

func TestNames(t *testing.T) {
	for _, id := range []string{"a", "A", "a.b-c_d", "1", "a,b", "a/b", ".", "..", "", "ü", "a b", "%", "%2E"} {
		name := instanceName(id)
		if strings.Contains(name, "/") || name == "." || name == ".." {
			t.Errorf("%q has the node %q", id, name)
		}
		if got, ours, err := parseInstance(name); err != nil && id != "" || err == nil && got != id || !ours && err == nil {
			t.Errorf("%q is read from %q as %q, %v, %v", id, name, got, ours, err)
		}
		k := newKeys("/a,b")
		if got, want := k.holderOf(k.service("s,/")+"/"+name), k.holder(instanceKey{"s,/", id}); got != want {
			t.Errorf("%q has the holder %q, want %q", id, got, want)
		}
	}
	for _, name := range []string{"a,", "%zz", "%61,m", ",m", "%,m"} {
		if id, _, err := parseInstance(name); err == nil {
			t.Errorf("%q is read as %q", name, id)
		}
	}
}

func TestQueue(t *testing.T) {
	mark := func(c string) string { return strings.Repeat(c, markLength) }
	names := []string{
		"_c_x", "", mark("a"), mark("a") + "-", mark("a") + "-x", "short-0000000001", mark("a") + "-99999999999",
		mark("b") + "--2147483648", mark("c") + "-2147483647", mark("d") + "--2147483647", mark("e") + "-2147483646",
	}
	var got []int32
	for _, p := range queueOf(names) {
		got = append(got, p.sequence)
	}
	want := []int32{math.MaxInt32 - 1, math.MaxInt32, math.MinInt32, math.MinInt32 + 1}
	if !slices.Equal(got, want) {
		t.Errorf("the queue is %d, want %d", got, want)
	}
}

// TestRank has writes of one instance, in the order of their creation, of which one stands.
func TestRank(t *testing.T) {
	tests := []struct {
		name   string
		claims []uint64 // of the writes that were created at 100, 200 and so on; 0: a registration
		want   int
	}{
		{"the newest registration", []uint64{0, 0}, 1},
		{"a registration rather than what was restored after it, and is older", []uint64{0, 0, 100}, 1},
		{"what was restored rather than a registration before that", []uint64{0, 0, 200}, 2},
		{"the one restored last", []uint64{0, 100, 100}, 2},
		{"a claim from after the creation, which is one from before a loss of data", []uint64{900, 0}, 1},
	}
	for _, test := range tests {
		d := new(backend).newDirectory("api")
		for i, claim := range test.claims {
			created := uint64(100 * (i + 1))
			d.add(&node{name: strconv.Itoa(i), rank: rank(claim, created), instance: &driver.Instance{Created: created}})
		}
		if got := d.instances(); len(got) != 1 || got[0] != d.known[strconv.Itoa(test.want)].instance {
			t.Errorf("%s: it is the one of %d that stands", test.name, got[0].Created)
		}
	}
}

func TestDecodeInstance(t *testing.T) {
	stat := &zk.Stat{Czxid: 7, EphemeralOwner: 9}
	for data, want := range map[string]bool{
		`{"address":"192.0.2.1"}`:                       true,
		`{"version":1,"address":"a","later":{"x":[1]}}`: true,
		`{"version":2,"address":"a"}`:                   false,
		`{"version":1}`:                                 false,
		"\x00{":                                         false,
		"":                                              false,
		`{"address":"a","attributes":{"k":1}}`:          false,
		`{"address":"a","port":80,"attributes":{"k":""}}`: true,
	} {
		n, err := decodeNode("api", "1,m", []byte(data), stat)
		if (err == nil) != want {
			t.Errorf("%q: %v", data, err)
		}
		if err == nil && (n.instance.Service.ID != "1" || n.instance.Created != 7 || n.rank != 7) {
			t.Errorf("%q is %+v", data, n)
		}
	}
}

func TestTooLarge(t *testing.T) {
	i := driver.Instance{Service: driver.Service{Attributes: driver.Attributes{"a": strings.Repeat("x", sizeLimit)}}}
	if _, err := encodeInstance(&i, 0); err == nil || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("got %v", err)
	}
}

// TestOptions gives options that are out of their range.
func TestOptions(t *testing.T) {
	for want, opt := range map[string]Option{
		`WithPrefix(""): must begin with a slash`:         WithPrefix(""),
		`WithPrefix("a"): must begin with a slash`:        WithPrefix("a"),
		`WithPrefix("/"): must neither be the root`:       WithPrefix("/"),
		`WithPrefix("/a/"): must neither be the root`:     WithPrefix("/a/"),
		`WithPrefix("/a//b"): must neither be the root`:   WithPrefix("/a//b"),
		`WithPrefix("/a/./b"): ZooKeeper has no relative`: WithPrefix("/a/./b"),
		`WithPrefix("/zookeeper/a"): /zookeeper is the`:   WithPrefix("/zookeeper/a"),
		`WithPrefix("/a\x00"): has characters`:            WithPrefix("/a\x00"),
		"WithRelistInterval(0s): must be positive":        WithRelistInterval(0),
		"WithOperationTimeout(-1s): must be positive":     WithOperationTimeout(-time.Second),
		"WithDialTimeout(0s): must be positive":           WithDialTimeout(0),
		"WithExhibitorInterval(0s): must be positive":     WithExhibitorInterval(0),
		"WithSessionTimeout(1ms): must be between":        WithSessionTimeout(time.Millisecond),
		"WithDigest: needs both":                          WithDigest("u", ""),
		`WithDigest: the user's name "a:b" has a colon`:   WithDigest("a:b", "p"),
		"WithLogger: the logger is nil":                   WithLogger(nil),
		"WithTLS: the configuration is nil":               WithTLS(nil),
		"WithACL: with an empty list":                     WithACL(),
	} {
		if _, err := makeSettings([]Option{opt}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	conn, events, err := zk.Connect([]string{"127.0.0.1:1"}, time.Second, zk.WithLogger(mute{}), zk.WithLogInfo(false))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, opts := range [][]Option{{WithServers("a")}, {WithDigest("u", "p")}, {WithSessionTimeout(time.Second)}} {
		if _, err := New(conn, events, opts...); err == nil || !strings.Contains(err.Error(), "how to connect is said where the client is made") {
			t.Errorf("New: %v", err)
		}
	}
	if _, err := New(nil, nil); err == nil {
		t.Error("New takes nothing")
	}
}

func TestParseServers(t *testing.T) {
	got, err := parseServers([]string{"a, b:1,[::1]:2", "[fe80::1],"})
	if want := []string{"a:2181", "b:1", "[::1]:2", "[fe80::1]:2181"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	for list, want := range map[string]string{
		"": "no server is named", ",": "no server is named", "zk://a": "reception.Open takes zk://",
		"a:2181/prod": `WithPrefix("/prod")`, "u:p@a": "must look like", "a:b:c": "must look like",
	} {
		if got, err := parseServers([]string{list}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %q, %v; want %q", list, got, err, want)
		}
	}
}
