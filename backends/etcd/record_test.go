package etcd

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

func TestInstanceComesBackAsItWas(t *testing.T) {
	k := newKeys("/p")
	for _, attributes := range []driver.Attributes{
		nil,
		{"zone": "a", "": "empty key", "empty": ""},
		{`"\/<>&` + "\u2028": "\x00\t\u2029 \U0001F600 \"\\ <&>"},
		{"long": strings.Repeat("ä", 250)},
	} {
		want := driver.Instance{
			Service: driver.Service{ID: "1", Name: "api", Address: "fe80::1", Port: 65535, Attributes: attributes},
			Owner:   "me", Generation: 1<<64 - 1, Session: "00000000000000ff", Created: 7,
		}
		value, err := encodeInstance(&want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := k.decodeInstance(&mvccpb.KeyValue{
			Key: []byte(k.instance("api", "1")), Value: []byte(value), CreateRevision: 7, Lease: 255,
		})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s comes back as %+v, %v", value, got, err)
		}
	}
}

func TestWhatIsAnInstance(t *testing.T) {
	k := newKeys("/p")
	tests := []struct {
		name, key, value string
		want             error // nil for an instance, errAny for another error
	}{
		{name: "another tool's", key: "/p/services/api/1", value: ` {"address": "a", "weight": [1], "port": 1} `},
		{name: "the old library's", key: "/p/services/api/1", value: `{"address":"a","port":1,"attributes":null}`},
		{name: "escaped", key: "/p/services/a%2Fb/c%20d", value: `{"address":"a"}`},
		{name: "no JSON", key: "/p/services/api/1", value: "\x00{", want: errAny},
		{name: "empty", key: "/p/services/api/1", value: "", want: errAny},
		{name: "no object", key: "/p/services/api/1", value: `"a"`, want: errAny},
		{name: "something else", key: "/p/services/api/1", value: `{"colour":"red"}`, want: errAny},
		{name: "a port that is none", key: "/p/services/api/1", value: `{"address":"a","port":"x"}`, want: errAny},
		{name: "a later format", key: "/p/services/api/1", value: `{"version":2,"address":"a"}`, want: errLaterFormat},
		{name: "too deep", key: "/p/services/api/1/x", value: `{"address":"a"}`, want: errAny},
		{name: "no ID", key: "/p/services/api/", value: `{"address":"a"}`, want: errAny},
		{name: "no name", key: "/p/services//1", value: `{"address":"a"}`, want: errAny},
		{name: "not deep enough", key: "/p/services/api", value: `{"address":"a"}`, want: errAny},
		{name: "escaped in another way", key: "/p/services/%61pi/1", value: `{"address":"a"}`, want: errAny},
		{name: "elsewhere", key: "/q/services/api/1", value: `{"address":"a"}`, want: errAny},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := k.decodeInstance(&mvccpb.KeyValue{Key: []byte(test.key), Value: []byte(test.value)})
			if (err == nil) != (test.want == nil) || test.want != nil && test.want != errAny && !errors.Is(err, test.want) { //nolint:errorlint // a marker
				t.Errorf("got %v", err)
			}
		})
	}
}

var errAny = errors.New("any")

func TestWhoIsInTheQueue(t *testing.T) {
	prefix := newKeys("/p").election("e")
	for key, want := range map[string]bool{
		prefix + "00000000000000ff":   true,
		prefix + "00000000000000FF":   false,
		prefix + "ff":                 false,
		prefix + "00000000000000fe":   false, // another lease
		prefix + "0000000000000000":   false,
		prefix + "00000000000000ff/x": false,
		prefix + "note":               false,
	} {
		if _, got := queues(prefix, &mvccpb.KeyValue{Key: []byte(key), Lease: 255}); got != want {
			t.Errorf("%s: %v", key, got)
		}
	}
}

// TestSessionsThatNeverWere checks that what is no lease does not become one that exists, nor the one for ever.
func TestSessionsThatNeverWere(t *testing.T) {
	for _, session := range []driver.SessionID{"", "0", "0000000000000000", "ff", "00000000000000FF", "session-1"} {
		if got := leaseOf(session); got != noLease {
			t.Errorf("%q is lease %d", session, got)
		}
	}
	if got := leaseOf("00000000000000ff"); got != 255 {
		t.Errorf("got lease %d, want 255", got)
	}
}

// FuzzKeys looks for names that meet in a key, or reach into each other's ranges.
func FuzzKeys(f *testing.F) {
	f.Add("svc", "1", "svc2", "1")
	f.Add("svc", "1", "svc/1", "")
	f.Add("a", "b/c", "a/b", "c")
	f.Add("a", "%2F", "a", "/")
	f.Add("..", "\x00", "\xff", "é")
	f.Fuzz(func(t *testing.T, name, id, other, otherID string) {
		k := newKeys("/p")
		key, second := k.instance(name, id), k.instance(other, otherID)
		if (key == second) != (name == other && id == otherID) {
			t.Errorf("%q/%q and %q/%q have the keys %q and %q", name, id, other, otherID, key, second)
		}
		if name != other && strings.HasPrefix(second, k.service(name)) {
			t.Errorf("%q lies among the instances of %q", second, name)
		}
		if strings.HasPrefix(k.election(name), k.services) || strings.HasPrefix(k.service(name), k.elections) {
			t.Errorf("%q: services and elections mix", name)
		}
		gotName, gotID, err := k.parseInstance(key)
		if name != "" && id != "" && (err != nil || gotName != name || gotID != id) {
			t.Errorf("%q reads as %q, %q, %v", key, gotName, gotID, err)
		}
	})
}

// FuzzScan compares the scanner with JSON in general: what it understands must mean the same.
func FuzzScan(f *testing.F) {
	f.Add(`{"version":1,"owner":"me","generation":3,"address":"10.0.0.1","port":80,"attributes":{"a":"b","c":""}}`)
	f.Add(`{"version":1,"id":"1","name":"n","address":"","port":0}`)
	f.Add(`{"address":"a","address":"b","attributes":{"a":"b","a":"c"},"attributes":{}}`)
	f.Add(`{"generation":18446744073709551615,"port":2147483648,"version":01}`)
	f.Add(`{}`)
	f.Add(`{"address":"a",}`)
	f.Fuzz(func(t *testing.T, text string) {
		var fast, general record
		if !scan(text, &fast) {
			return
		}
		if err := json.Unmarshal([]byte(text), &general); err != nil {
			t.Fatalf("%q is scanned, but is no JSON: %v", text, err)
		}
		if len(fast.Attributes)+len(general.Attributes) == 0 {
			fast.Attributes, general.Attributes = nil, nil
		}
		if !reflect.DeepEqual(fast, general) {
			t.Errorf("%q is scanned as %+v, and means %+v", text, fast, general)
		}
	})
}

// TestOwnRecordsAreScanned keeps encode and the scanner in step.
func TestOwnRecordsAreScanned(t *testing.T) {
	value, err := encodeInstance(&driver.Instance{
		Service: driver.Service{Address: "10.0.0.1", Port: 80, Attributes: driver.Attributes{"zone": "a", "rack": "7"}},
		Owner:   "8d2f0c54-7c2e-4c9c-a5a8-3a1df7c1e0f3", Generation: 12,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !scan(value, new(record)) {
		t.Errorf("%s is not scanned", value)
	}
	value, err = encodeCandidate(&driver.Service{ID: "1", Name: "api"})
	if err != nil {
		t.Fatal(err)
	}
	if !scan(value, new(record)) {
		t.Errorf("%s is not scanned", value)
	}
}

// TestManyInstances reads so many that they are read on several goroutines: what is no instance is left out, and the
// others stay in their order.
func TestManyInstances(t *testing.T) {
	value, err := encodeInstance(&driver.Instance{Service: driver.Service{Address: "10.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{keys: newKeys("/p"), log: reception.NewNilLogger()}
	for _, n := range []int{0, 1, decodeAtOnce, decodeAtOnce + 1, 7*decodeAtOnce - 1} {
		var kvs []*mvccpb.KeyValue
		var want []string
		for i := range n {
			id := strconv.Itoa(i)
			kv := &mvccpb.KeyValue{Key: []byte(b.keys.instance("api", id)), Value: []byte(value)}
			if i%decodeAtOnce == 1 {
				kv.Value = []byte("{")
			} else {
				want = append(want, id)
			}
			kvs = append(kvs, kv)
		}
		var got []string
		for _, i := range b.decodeInstances(kvs) {
			got = append(got, i.Service.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("of %d: got %q, want %q", n, got, want)
		}
	}
}

func BenchmarkDecodeInstance(b *testing.B) {
	k := newKeys(DefaultPrefix)
	value, err := encodeInstance(&driver.Instance{
		Service: driver.Service{Address: "10.0.0.1", Port: 80, Attributes: driver.Attributes{"zone": "a", "rack": "7"}},
		Owner:   "8d2f0c54-7c2e-4c9c-a5a8-3a1df7c1e0f3", Generation: 12,
	})
	if err != nil {
		b.Fatal(err)
	}
	kv := &mvccpb.KeyValue{Key: []byte(k.instance("api", "1")), Value: []byte(value), CreateRevision: 7, Lease: 255}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.decodeInstance(kv); err != nil {
			b.Fatal(err)
		}
	}
}
