package zookeeper

import (
	"maps"
	"testing"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// TestNextServerIsBehind has a client's session expire, and the server of the next one be behind what the client has
// seen. It is not shown the older state after the newer one, whether the connection is its own or the caller's.
func TestNextServerIsBehind(t *testing.T) {
	for whose, open := range map[string]func(*stub) *backend{
		"the client's own": func(s *stub) *backend { return s.backend() },
		"the caller's": func(s *stub) *backend {
			conn, events, err := zk.Connect([]string{s.addr()}, s.timeout, zk.WithLogger(mute{}), zk.WithLogInfo(false))
			if err != nil {
				s.t.Fatal(err)
			}
			b, err := over(conn, events, nil)
			if err != nil {
				s.t.Fatal(err)
			}
			s.t.Cleanup(func() {
				_ = b.Close()
				conn.Close()
			})
			return b
		},
	} {
		t.Run("the connection is "+whose, func(t *testing.T) {
			s := serve(t)
			var old map[string]*stubNode
			s.do(func() {
				for _, p := range []string{"/reception", "/reception/services", "/reception/services/api"} {
					s.nodes[p] = &stubNode{}
				}
				old = maps.Clone(s.nodes)
				s.nodes["/reception/services/api/1"] = &stubNode{data: []byte(`{"address":"192.0.2.9"}`)}
			})
			b := open(s)
			listed := func() int {
				t.Helper()
				found, err := b.ListServices(t.Context(), &driver.ListServicesRequest{Name: "api"})
				if err != nil {
					t.Fatal(err)
				}
				return len(found.Instances)
			}
			eventually(t, "it is connected", func() bool { state, _ := b.link.state(); return state.up })
			if n := listed(); n != 1 {
				t.Fatalf("%d instances are listed at first", n)
			}
			s.do(func() { s.behind = old })
			for range 3 {
				before, _ := b.link.state()
				s.expire()
				eventually(t, "there is another session", func() bool {
					state, _ := b.link.state()
					return state.up && state.regains > before.regains
				})
				if n := listed(); n != 1 {
					t.Errorf("%d instances are listed after the session has expired", n)
				}
			}
		})
	}
}
