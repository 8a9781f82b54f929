package clitest

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOutage takes the backend away from a process that registers and from one that watches, for longer than the record
// lives, and gives it back: both go on as if nothing had been.
func TestOutage(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		api := p.named("api")
		link := p.servers.NewLink(t)
		watch := start(t, p.over(link), "watch", api, "-o", "json")
		watch.line()
		registered := start(t, p.over(link), "register", api, "--id", "a1", "--address", "10.0.0.7")
		registered.line()
		if s := decoded[state](t, watch.line()); !slices.Equal(ids(s.Services), []string{"a1"}) {
			t.Fatalf("the state is %+v", s)
		}
		onlooker := start(t, p.direct(), "watch", api, "-o", "json")
		onlooker.line()

		heal := link.Cut(t)
		if s := decoded[state](t, watch.line()); s.Error == "" || !slices.Equal(ids(s.Services), []string{"a1"}) {
			t.Errorf("in the outage the state is %+v, want what was known last, and why it is in doubt", s)
		}
		registered.says("disconnected")
		if s := decoded[state](t, onlooker.line()); len(s.Services) != 0 || s.Error != "" {
			t.Errorf("after a time to live the onlooker sees %+v", s)
		}
		heal()
		if s := decoded[state](t, onlooker.line()); !slices.Equal(ids(s.Added), []string{"a1"}) {
			t.Errorf("after the outage the onlooker sees %+v", s)
		}
		eventually(t, "the watch has recovered", func() bool {
			s := decoded[state](t, watch.line())
			return s.Error == "" && slices.Equal(ids(s.Services), []string{"a1"})
		})
		registered.stop(0)
		if s := decoded[state](t, onlooker.line()); !slices.Equal(ids(s.Removed), []string{"a1"}) {
			t.Errorf("after the deregistration the onlooker sees %+v", s)
		}
	})
}

// TestUnreachable is a backend that is not there when the command starts.
func TestUnreachable(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		link := p.servers.NewLink(t)
		link.Cut(t)
		for _, args := range [][]string{
			{"names"},
			{"status"},
			{"watch", "api"},
			{"leader", "reaper"},
			{"elect", "reaper", "--", "true"},
			{"register", "api", "--address", "10.0.0.7"},
			{"doctor"},
		} {
			start(t, p.over(link), append([]string{"--timeout", "1s"}, args...)...).ends(4)
		}
	})
}

// TestRegisteredCommand is registered for as long as its command lives, and takes signals for it.
func TestRegisteredCommand(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		api, url := p.named("api"), p.direct()
		with := func(id, script string) *run {
			return start(t, url, "register", api, "--id", id, "--address", "10.0.0.7", "--", "sh", "-c", script)
		}
		registered := func() []string {
			r := start(t, url, "list", api, "-o", "json")
			<-r.done
			return ids(decoded[[]service](t, r.stdout()))
		}
		r := with("a1", `trap 'echo reloaded' HUP; trap 'exit 6' TERM; echo "ready $RECEPTION_ID"; while :; do sleep 0.02; done`)
		if line := r.line(); line != "ready a1" {
			t.Errorf("the command says %q", line)
		}
		if got := registered(); !slices.Equal(got, []string{"a1"}) {
			t.Errorf("registered are %v", got)
		}
		r.signal(syscall.SIGHUP)
		if line := r.line(); line != "reloaded" {
			t.Errorf("the command says %q", line)
		}
		r.stop(6)
		if got := registered(); len(got) != 0 {
			t.Errorf("after the command's end %v are registered", got)
		}
		with("a2", "exit 7").ends(7)
		if got := registered(); len(got) != 0 {
			t.Errorf("after the command's end %v are registered", got)
		}
		killed := with("a3", "echo ready; sleep 600")
		killed.line()
		killed.signal(syscall.SIGKILL)
		began := time.Now()
		eventually(t, "the killed one has left", func() bool { return len(registered()) == 0 })
		t.Logf("what a killed process had registered left after %v, for at most %v", time.Since(began), p.lasts)
	})
}

// TestReplaced registers the same instance twice: the newer one stands, and the older one says so.
func TestReplaced(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		args := []string{"register", p.named("api"), "--id", "a1", "--address", "10.0.0.7"}
		older := start(t, p.direct(), args...)
		older.line()
		newer := start(t, p.direct(), args...)
		newer.line()
		if said := older.ends(1).stderr(); !strings.Contains(said, "replaced by another client") {
			t.Errorf("it says %q", said)
		}
		newer.stop(0)
	})
}

// TestDoctor examines a backend that is well.
func TestDoctor(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		said := start(t, p.direct(), "doctor").ends(0).stdout()
		for _, want := range []string{"connection", "server", "version", "latency", "registration", "watch", "election", "clock"} {
			if !strings.Contains(said, want) {
				t.Errorf("nothing about %q in\n%s", want, said)
			}
		}
		if strings.Contains(said, "failed") {
			t.Errorf("something has failed:\n%s", said)
		}
	})
}
