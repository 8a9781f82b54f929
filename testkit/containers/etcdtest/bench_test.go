package etcdtest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception"
)

// The benchmarks take turns between the bare client and this SDK on the same server, and report the medians of both, in
// microseconds, and their ratio.

// duel measures the bare client and ours by turns.
type duel struct{ bare, ours []time.Duration }

// add measures one turn of each.
func (d *duel) add(bare, ours func()) {
	start := time.Now()
	bare()
	middle := time.Now()
	ours()
	d.bare, d.ours = append(d.bare, middle.Sub(start)), append(d.ours, time.Since(middle))
}

// report shows the outcome.
func (d *duel) report(b *testing.B) {
	b.Helper()
	bare, ours := median(d.bare), median(d.ours)
	b.ReportMetric(0, "ns/op") // which would be of both together
	b.ReportMetric(float64(bare.Microseconds()), "bare-us")
	b.ReportMetric(float64(ours.Microseconds()), "ours-us")
	b.ReportMetric(float64(ours)/float64(bare), "ratio")
}

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/2]
}

// value is as large as what ours stores of instance.
const value = `{"version":1,"owner":"8d2f0c54-7c2e-4c9c-a5a8-3a1df7c1e0f3","generation":12,"address":"192.0.2.1","port":80,` +
	`"attributes":{"version":"1.2.3","zone":"eu-1"}}`

// instance is a service with some attributes.
func instance(name string, i int) *reception.Service {
	s := service(name, fmt.Sprint(i))
	s.Attributes = reception.Attributes{"version": "1.2.3", "zone": "eu-1"}
	return s
}

// BenchmarkRegister compares a registration with a Put on a lease that exists, and with Grant and Put.
func BenchmarkRegister(b *testing.B) {
	for _, granting := range []bool{false, true} {
		b.Run(map[bool]string{false: "Put", true: "Grant+Put"}[granting], func(b *testing.B) {
			server := shared(b)
			raw, client := open(b, server.Endpoints()), dial(b, server.Endpoints())
			lease, err := raw.Grant(b.Context(), 600)
			ok(b, err)
			ok(b, client.Register(b.Context(), instance("warm", 0), nil))
			var d duel
			i := 0
			for b.Loop() {
				i++
				d.add(func() {
					id := lease.ID
					if granting {
						granted, err := raw.Grant(b.Context(), 60)
						ok(b, err)
						id = granted.ID
					}
					_, err := raw.Put(b.Context(), fmt.Sprintf("%s/bare/%d", prefix(b), i), value, clientv3.WithLease(id))
					ok(b, err)
				}, func() { ok(b, client.Register(b.Context(), instance("api", i), nil)) })
			}
			d.report(b)
		})
	}
}

// BenchmarkList compares a list of a thousand with reading the same keys.
func BenchmarkList(b *testing.B) {
	server := shared(b)
	raw, client := open(b, server.Endpoints()), dial(b, server.Endpoints())
	const n = 1000
	for i := range n {
		ok(b, client.Register(b.Context(), instance("api", i), nil))
	}
	var d duel
	for b.Loop() {
		d.add(func() {
			found, err := raw.Get(b.Context(), prefix(b)+"/services/api/", clientv3.WithPrefix())
			if err != nil || len(found.Kvs) != n {
				b.Fatal(err)
			}
		}, func() {
			services, err := client.ListServices(b.Context(), "api")
			if err != nil || len(services) != n {
				b.Fatal(err)
			}
		})
	}
	d.report(b)
}

// BenchmarkChange compares how long after a write began it is seen, by a bare watch and by a watcher, among few instances
// and among many.
func BenchmarkChange(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			server := shared(b)
			raw := open(b, server.Endpoints())
			client, reader := dial(b, server.Endpoints()), dial(b, server.Endpoints())
			for i := range n {
				ok(b, client.Register(b.Context(), instance("api", i), nil))
			}
			states, err := reader.NewWatcher("api").Start(b.Context())
			ok(b, err)
			<-states
			key := prefix(b) + "/services/api/"
			changes := raw.Watch(b.Context(), key, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
			<-changes
			i := 0
			write := func() {
				i++
				_, err := raw.Put(b.Context(), key+"probe", fmt.Sprintf(`{"address":"192.0.2.1","port":%d}`, i%60000))
				ok(b, err)
			}
			for range 3 { // until the server has caught up with both watches
				write()
				<-changes
				<-states
			}
			var d duel
			for b.Loop() {
				d.add(func() { write(); <-changes }, func() {})
				<-states
				start := time.Now()
				write()
				<-states
				d.ours[len(d.ours)-1] = time.Since(start)
				<-changes
			}
			d.report(b)
		})
	}
}

// BenchmarkHandOver measures how long after Resign began the next in the queue leads, and compares it with how long a bare
// watch takes to see a key deleted.
func BenchmarkHandOver(b *testing.B) {
	server := shared(b)
	raw := open(b, server.Endpoints())
	clients := []reception.Client{dial(b, server.Endpoints()), dial(b, server.Endpoints())}
	term, err := clients[0].Campaign(b.Context(), "e", instance("api", 0))
	ok(b, err)
	key := prefix(b) + "/bare"
	changes := raw.Watch(b.Context(), key, clientv3.WithFilterPut(), clientv3.WithCreatedNotify())
	<-changes
	var d duel
	i := 0
	for b.Loop() {
		i++
		_, err := raw.Put(b.Context(), key, value)
		ok(b, err)
		next := make(chan reception.Term, 1)
		ctx, cancel := context.WithTimeout(b.Context(), 10*ttl)
		go func() {
			defer cancel()
			if term, err := clients[i%2].Campaign(ctx, "e", instance("api", i)); err == nil {
				next <- term
			}
			close(next)
		}()
		queued(b, raw, prefix(b)+"/elections/e/", 2)
		d.add(func() {
			_, err := raw.Delete(b.Context(), key)
			ok(b, err)
			<-changes
		}, func() {
			resigned := make(chan error, 1)
			go func() { resigned <- term.Resign(b.Context()) }()
			term = <-next
			ok(b, <-resigned)
		})
		if term == nil {
			b.Fatal("nobody succeeds")
		}
	}
	d.report(b)
}

// queued waits until an election has n candidates, and a little longer, so that the last one watches.
func queued(b *testing.B, raw *clientv3.Client, prefix string, n int64) {
	b.Helper()
	eventually(b, ttl, func() string { return "all are queued" }, func() bool {
		found, err := raw.Get(b.Context(), prefix, clientv3.WithPrefix(), clientv3.WithCountOnly())
		return err == nil && found.Count == n
	})
	time.Sleep(150 * time.Millisecond) // longer than the server takes to catch up with a new watch
}
