package consul

import (
	"maps"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// consulKey is what Consul allows as a key of metadata.
var consulKey = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)

// entryOf is what Consul would show of an instance.
func entryOf(i *driver.Instance) *api.ServiceEntry {
	return &api.ServiceEntry{
		Node: &api.Node{Node: "n0", Address: "10.0.0.1"},
		Service: &api.AgentService{
			ID: serviceID(i.Service.Name, i.Service.ID, i.Owner), Service: i.Service.Name,
			Address: i.Service.Address, Port: i.Service.Port, Meta: makeMeta(i, "session", 3), CreateIndex: 9,
		},
	}
}

func TestAttributesRoundTrip(t *testing.T) {
	random := func() driver.Attributes {
		attributes := make(driver.Attributes)
		for len(attributes) < 60 {
			key := make([]byte, 1+rand.N(90))
			for i := range key {
				key[i] = byte(0x20 + rand.N(0x7f-0x20))
			}
			value := make([]rune, rand.N(120))
			for i := range value {
				value[i] = []rune{'a', 'é', '世', '🙂', 0, '\n', '"', '\\', '<', '\u2028'}[rand.N(10)]
			}
			attributes[string(key)] = string(value)
		}
		return attributes
	}
	for name, attributes := range map[string]driver.Attributes{
		"none":     nil,
		"plain":    {"zone": "a", "Zone": "b", "empty": ""},
		"reserved": {"consul-x": "1", "reception-id": "mine", "reception-write": "mine", "b64_x": "2", "b64_Yg": "3", "b": "4"},
		"strange":  {" ": "blank", "a b": "c", "a.b": "d", "/": "e", "a=b": "f", "~": "g", "_": "h", "-": "i"},
		"longest":  {strings.Repeat("~", 90): strings.Repeat("v", 500), strings.Repeat("x", 90): strings.Repeat("世", 166)},
		"random":   random(),
	} {
		t.Run(name, func(t *testing.T) {
			i := &driver.Instance{
				Service: driver.Service{ID: "i.1", Name: "api", Address: "::1", Port: 80, Attributes: attributes},
				Owner:   "me", Generation: 7,
			}
			e := entryOf(i)
			if n := len(e.Service.Meta); n > 64 {
				t.Errorf("%d pairs of metadata, and Consul allows 64", n)
			}
			for key, value := range e.Service.Meta {
				if !consulKey.MatchString(key) || len(value) > 512 || strings.HasPrefix(key, "consul-") {
					t.Errorf("Consul does not take %q: %q", key, value)
				}
			}
			r, err := read(e)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.instance; got.Service.ID != "i.1" || got.Service.Name != "api" || got.Owner != "me" || got.Generation != 7 ||
				got.Session != "session" || got.Created != 9 || r.epoch != 3 || !maps.Equal(got.Service.Attributes, attributes) {
				t.Errorf("%+v reads back as %+v, epoch %d", *i, *got, r.epoch)
			}
		})
	}
}

func TestMark(t *testing.T) {
	m := mark{epoch: 1 << 63, generation: 1<<64 - 1}
	if got, err := parseMark(m.String()); err != nil || got != m {
		t.Errorf("%v reads back as %v, %v", m, got, err)
	}
	for _, text := range []string{"", "1", "1:2", "1:2:3:4", "2:1:1", "1:-1:1", "1:x:1", "garbage"} {
		if got, err := parseMark(text); err == nil {
			t.Errorf("%q reads as %v", text, got)
		}
	}
}

func TestServiceIDs(t *testing.T) {
	// All different, also to one who does not tell capitals; and made of what needs no escaping in a path.
	seen := make(map[string][3]string)
	names := []string{"a", "A", "aa", "aA", "Aa", "_a", "a_", "a.b", "a-b", "a~b", "a~", "~a", "a_b", "a__b", "ä", "", "x", "0", "_", "__"}
	plain := regexp.MustCompile(`^[a-z0-9._~-]+$`)
	for _, name := range names {
		for _, id := range names {
			for _, owner := range []string{"me", "Me", "you", ""} {
				key := serviceID(name, id, owner)
				if other, taken := seen[key]; taken {
					t.Errorf("%q is that of %q and of %q", key, other, [3]string{name, id, owner})
				}
				seen[key] = [3]string{name, id, owner}
				if !plain.MatchString(key) {
					t.Errorf("%q is made of more than is safe in a path", key)
				}
			}
		}
	}
}
