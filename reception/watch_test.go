package reception_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

func TestWatchDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, other := pair(t, fake.NewCluster())
		states := start(t, client.NewWatcher("api"))
		first := next(t, states)
		wantState(t, first, nil, nil, nil, nil)
		if first.Err != nil {
			t.Errorf("Err is %v", first.Err)
		}

		a, b := service("api", "a", 1), service("api", "b", 2)
		register(t, other, a)
		wantState(t, next(t, states), []string{"a:1"}, []string{"a:1"}, nil, nil)
		a.Port = 9
		register(t, other, a)
		second := next(t, states)
		wantState(t, second, []string{"a:9"}, nil, []string{"a:9"}, nil)
		register(t, other, a) // again, the same
		synctest.Wait()
		noState(t, states)
		register(t, client, b)
		third := next(t, states)
		wantState(t, third, []string{"a:9", "b:2"}, []string{"b:2"}, nil, nil)
		if third.Services[0] != second.Services[0] {
			t.Error("an instance that has not changed is another Service")
		}
		deregister(t, client, b)
		wantState(t, next(t, states), []string{"a:9"}, nil, nil, []string{"b:2"})
		deregister(t, other, a)
		last := next(t, states)
		wantState(t, last, nil, nil, nil, []string{"a:9"})
		if last.Revision <= second.Revision {
			t.Errorf("Revision was %d and is %d", second.Revision, last.Revision)
		}
	})
}

func TestWatchSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, other := pair(t, fake.NewCluster())
		states := start(t, client.NewWatcher("api"))
		next(t, states)
		for i := range 20 {
			register(t, other, service("api", fmt.Sprintf("i%d", i), 1))
			synctest.Wait()
		}
		for i := range 20 {
			if i != 7 {
				deregister(t, other, service("api", fmt.Sprintf("i%d", i), 1))
			}
			synctest.Wait()
		}
		wantState(t, next(t, states), []string{"i7:1"}, []string{"i7:1"}, nil, nil)
		noState(t, states)

		register(t, other, service("api", "i8", 1))
		synctest.Wait()
		deregister(t, other, service("api", "i8", 1))
		synctest.Wait()
		noState(t, states) // what came and went is not told
	})
}

func TestWatchIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backend := &spy{Backend: fake.NewCluster().Backend()}
		client := newClient(t, backend)
		var watchers []reception.Watcher
		var all []<-chan *reception.ServiceState
		for range 100 {
			w := client.NewWatcher("api")
			watchers = append(watchers, w)
			all = append(all, start(t, w))
		}
		register(t, client, service("api", "a", 1))
		synctest.Wait()
		for _, states := range all {
			state := next(t, states)
			wantState(t, state, []string{"a:1"}, []string{"a:1"}, nil, nil)
		}
		if open, opened := backend.streams(); open != 1 || opened != 1 {
			t.Errorf("100 watchers have %d streams open, of %d opened; want one", open, opened)
		}
		late := client.NewWatcher("api")
		wantState(t, next(t, start(t, late)), []string{"a:1"}, []string{"a:1"}, nil, nil)
		for _, w := range watchers {
			w.Stop()
		}
		synctest.Wait()
		if open, _ := backend.streams(); open != 1 {
			t.Errorf("%d streams are open with one watcher left", open)
		}
		late.Stop()
		synctest.Wait()
		if open, opened := backend.streams(); open != 0 || opened != 1 {
			t.Errorf("%d streams are open without a watcher, of %d opened", open, opened)
		}
		wantState(t, next(t, start(t, client.NewWatcher("api"))), []string{"a:1"}, []string{"a:1"}, nil, nil)
		if open, opened := backend.streams(); open != 1 || opened != 2 {
			t.Errorf("%d streams are open, of %d opened; want one more", open, opened)
		}
	})
}

func TestWatchersShareStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _, _ := pair(t, fake.NewCluster())
		one, two := start(t, client.NewWatcher("api")), start(t, client.NewWatcher("api"))
		for range 2 {
			if first, second := next(t, one), next(t, two); first != second {
				t.Error("two readers that stand at one place got states of their own")
			}
			register(t, client, service("api", "a", 1))
		}
	})
}

func TestWatchSkipsGarbage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logbook{}
		backend := &spy{Backend: fake.NewCluster().Backend()}
		backend.tamper = func(batch *driver.Batch[driver.Instance]) *driver.Batch[driver.Instance] {
			garbage := []driver.Change[driver.Instance]{
				{Record: nil},
				{Record: &driver.Instance{Service: driver.Service{Name: "api"}}},
				{Record: &driver.Instance{Service: driver.Service{Name: "API", ID: "x"}}},
			}
			return &driver.Batch[driver.Instance]{Reset: batch.Reset, Changes: append(garbage, batch.Changes...)}
		}
		client := newClient(t, backend, reception.WithLogger(log))
		register(t, client, service("api", "a", 1))
		wantState(t, next(t, start(t, client.NewWatcher("api"))), []string{"a:1"}, []string{"a:1"}, nil, nil)
		skipped := 0
		for _, line := range log.all() {
			if strings.Contains(line, "skipped") {
				skipped++
			}
		}
		if skipped != 3 {
			t.Errorf("%d records are logged as skipped, want 3", skipped)
		}
	})
}
