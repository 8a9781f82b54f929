package consultest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/backends/consul"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// The benchmarks take turns between the bare client and this SDK on the same server, and report the medians of both, in
// microseconds, and their ratio.

// untroubled is what clients have whom a busy server keeps waiting.
var untroubled = append(slices.Clip(patient), consul.WithOperationTimeout(time.Minute))

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

// instance is a service with some attributes.
func instance(name string, i int) *reception.Service {
	s := service(name, fmt.Sprint(i))
	s.Attributes = reception.Attributes{"version": "1.2.3", "zone": "eu-1"}
	return s
}

// bare is what a user of the bare client would register: a service with a TTL check of its own, which passes.
func bare(name string, i int) *api.AgentServiceRegistration {
	return &api.AgentServiceRegistration{
		ID: fmt.Sprintf("%s-bare-%d", name, i), Name: name, Address: "192.0.2.1", Port: 80,
		Meta:  map[string]string{"version": "1.2.3", "zone": "eu-1"},
		Check: &api.AgentServiceCheck{TTL: "10m", Status: api.HealthPassing},
	}
}

// visible waits, as a user of the bare client would, until a service shows.
func visible(b *testing.B, raw *api.Client, name, id string) {
	b.Helper()
	for index := uint64(0); ; {
		entries, meta, err := raw.Health().Service(name, "", true,
			(&api.QueryOptions{WaitIndex: index, Filter: fmt.Sprintf("Service.ID == %q", id)}).WithContext(b.Context()))
		ok(b, err)
		if len(entries) == 1 {
			return
		}
		index = meta.LastIndex
	}
}

// BenchmarkRegister compares a registration with the bare one and its own wait until it is visible. Ours asks before that
// whether the instance is somebody else's.
func BenchmarkRegister(b *testing.B) {
	server := containers.StartConsul(b)
	raw, client := open(b, server.Endpoints()[0]), dial(b, server.Endpoints()[0], untroubled...)
	ok(b, client.Register(b.Context(), instance("warm", 0), nil))
	var d duel
	i := 0
	for b.Loop() {
		i++
		d.add(func() {
			s := bare("bare", i)
			ok(b, raw.Agent().ServiceRegister(s))
			visible(b, raw, "bare", s.ID)
		}, func() { ok(b, client.Register(b.Context(), instance("ours", i), nil)) })
	}
	d.report(b)
}

// fill registers n instances.
func fill(b *testing.B, client reception.Client, name string, n int) {
	b.Helper()
	var group errgroup.Group
	group.SetLimit(16)
	for i := range n {
		group.Go(func() error { return client.Register(b.Context(), instance(name, i), nil) })
	}
	ok(b, group.Wait())
}

// BenchmarkList compares a list with the bare one.
func BenchmarkList(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			server := containers.StartConsul(b)
			raw, client := open(b, server.Endpoints()[0]), dial(b, server.Endpoints()[0], untroubled...)
			fill(b, client, "api", n)
			var d duel
			for b.Loop() {
				d.add(func() {
					entries, _, err := raw.Health().Service("api", "", true, nil)
					if err != nil || len(entries) != n {
						b.Fatal(len(entries), err)
					}
				}, func() {
					services, err := client.ListServices(b.Context(), "api")
					if err != nil || len(services) != n {
						b.Fatal(len(services), err)
					}
				})
			}
			d.report(b)
		})
	}
}

// BenchmarkChange compares how long after a change began it is seen, by a bare blocking query and by a watcher, among few
// instances and among many. Both watch all the time, so each change is read twice; the order in which the two are waited
// for alternates.
func BenchmarkChange(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			server := containers.StartConsul(b)
			raw := open(b, server.Endpoints()[0])
			client, reader := dial(b, server.Endpoints()[0], untroubled...), dial(b, server.Endpoints()[0], untroubled...)
			fill(b, client, "api", n)
			states, err := reader.NewWatcher("api").Start(b.Context())
			ok(b, err)
			<-states
			i := 0
			change := func() {
				i++
				s := bare("api", 0)
				s.Port = 1 + i%60000
				ok(b, raw.Agent().ServiceRegister(s))
			}
			_, meta, err := raw.Health().Service("api", "", true, nil)
			ok(b, err)
			index := meta.LastIndex
			seen := func(port int) {
				for {
					entries, meta, err := raw.Health().Service("api", "", true, (&api.QueryOptions{WaitIndex: index}).WithContext(b.Context()))
					ok(b, err)
					index = meta.LastIndex
					if slices.ContainsFunc(entries, func(e *api.ServiceEntry) bool { return e.Service.Port == port }) {
						return
					}
				}
			}
			told := func(port int) {
				for state := range states {
					if slices.ContainsFunc(state.Services, func(s *reception.Service) bool { return s.Port == port }) {
						return
					}
				}
			}
			var d duel
			for b.Loop() {
				start := time.Now()
				change()
				seen(1 + i%60000)
				d.bare = append(d.bare, time.Since(start))
				told(1 + i%60000)
				start = time.Now()
				change()
				told(1 + i%60000)
				d.ours = append(d.ours, time.Since(start))
				seen(1 + i%60000)
			}
			d.report(b)
		})
	}
}

// BenchmarkHandOver measures how long after Resign began the next candidate leads.
func BenchmarkHandOver(b *testing.B) {
	server := containers.StartConsul(b)
	clients := []reception.Client{dial(b, server.Endpoints()[0], untroubled...), dial(b, server.Endpoints()[0], untroubled...)}
	term, err := clients[0].Campaign(b.Context(), "e", instance("api", 0))
	ok(b, err)
	var took []time.Duration
	i := 0
	for b.Loop() {
		i++
		next := make(chan reception.Term, 1)
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		go func() {
			defer cancel()
			defer close(next)
			if term, err := clients[i%2].Campaign(ctx, "e", instance("api", i)); err == nil {
				next <- term
			}
		}()
		time.Sleep(200 * time.Millisecond) // until it waits for the lock
		start := time.Now()
		resigned := make(chan error, 1)
		go func() { resigned <- term.Resign(b.Context()) }()
		term = <-next
		took = append(took, time.Since(start))
		ok(b, <-resigned)
		if term == nil {
			b.Fatal("nobody succeeds")
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(took).Microseconds()), "hand-over-us")
}
