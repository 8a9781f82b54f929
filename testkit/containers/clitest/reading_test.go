package clitest

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// service is an instance as the command shows it.
type service struct {
	Name       string            `json:"name"`
	ID         string            `json:"id"`
	Address    string            `json:"address"`
	Port       int               `json:"port"`
	Attributes map[string]string `json:"attributes"`
}

// state is what watch shows.
type state struct {
	Time     time.Time `json:"time"`
	Name     string    `json:"name"`
	Services []service `json:"services"`
	Added    []service `json:"added"`
	Updated  []service `json:"updated"`
	Removed  []service `json:"removed"`
	Error    string    `json:"error"`
}

// leader is what leader shows.
type leader struct {
	Time     time.Time `json:"time"`
	Election string    `json:"election"`
	Leader   *service  `json:"leader"`
	Token    uint64    `json:"token"`
	Error    string    `json:"error"`
}

func ids(services []service) (all []string) {
	for _, s := range services {
		all = append(all, s.ID)
	}
	return all
}

// TestReading has one process of each kind, and looks at them in every way.
func TestReading(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		api, reaper, url := p.named("api"), p.named("reaper"), p.direct()
		start(t, url, "list", api).ends(3)
		start(t, url, "leader", reaper).ends(3)
		if got := decoded[[]service](t, start(t, url, "list", api, "-o", "json").ends(3).stdout()); len(got) != 0 {
			t.Errorf("there is %v", got)
		}
		if got := decoded[leader](t, start(t, url, "leader", reaper, "-o", "json").ends(3).stdout()); got.Leader != nil {
			t.Errorf("there is a leader, %v", got)
		}

		start(t, url, "register", api, "--id", "a1", "--address", "10.0.0.7", "--port", "8080", "--attr", "zone=a", "--attr", "note=x=y z").line()
		second := start(t, url, "register", api, "--id", "a2", "--address", "fd00::7", "--port", "1", "-o", "json")
		if got := decoded[service](t, second.line()); got.ID != "a2" || got.Address != "fd00::7" {
			t.Errorf("register shows %v", got)
		}
		candidate := start(t, url, "elect", reaper, "--name", api, "--id", "a1", "--", "sh", "-c", "echo leading; sleep 600")
		candidate.line()

		if names := strings.Fields(start(t, url, "names").ends(0).stdout()); !slices.Contains(names, api) {
			t.Errorf("names are %v", names)
		}
		listed := decoded[[]service](t, start(t, url, "list", api, "-o", "json").ends(0).stdout())
		if !slices.Equal(ids(listed), []string{"a1", "a2"}) || listed[0].Attributes["note"] != "x=y z" || listed[0].Port != 8080 {
			t.Errorf("listed are %v", listed)
		}
		table := start(t, url, "list", api).ends(0).stdout()
		if lines := strings.Split(table, "\n"); len(lines) != 4 || strings.Join(strings.Fields(lines[1]), " ") != "a1 10.0.0.7:8080 note=x=y z zone=a" ||
			!strings.Contains(lines[2], "[fd00::7]:1") {
			t.Errorf("the table is\n%s", table)
		}
		led := decoded[leader](t, start(t, url, "leader", reaper, "-o", "json").ends(0).stdout())
		if led.Leader == nil || led.Leader.ID != "a1" || led.Leader.Name != api || led.Token == 0 || led.Leader.Attributes["host"] == "" {
			t.Errorf("the leader is %+v", led)
		}
		status := start(t, url, "status", "--election", reaper).ends(0).stdout()
		for _, want := range []string{api, "10.0.0.7:8080, [fd00::7]:1", reaper, api + "/a1"} {
			if !strings.Contains(status, want) {
				t.Errorf("%q is not in the status\n%s", want, status)
			}
		}
		candidate.stop(128 + int(syscall.SIGTERM))
		start(t, url, "leader", reaper).ends(3)
	})
}

// TestWatch follows instances and a leader as they come and go.
func TestWatch(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		api, reaper, url := p.named("api"), p.named("reaper"), p.direct()
		services := start(t, url, "watch", api, "-o", "json")
		lines := start(t, url, "watch", api)
		leaders := start(t, url, "leader", reaper, "--watch", "-o", "json")
		if first := decoded[state](t, services.line()); len(first.Services) != 0 || first.Error != "" || first.Time.IsZero() {
			t.Errorf("the first state is %+v", first)
		}
		if first := lines.line(); !strings.HasSuffix(first, " = 0 instances") {
			t.Errorf("the first line is %q", first)
		}
		if first := decoded[leader](t, leaders.line()); first.Leader != nil {
			t.Errorf("the first leader is %+v", first)
		}
		instance := start(t, url, "register", api, "--id", "a1", "--address", "10.0.0.7")
		if next := decoded[state](t, services.line()); !slices.Equal(ids(next.Added), []string{"a1"}) || len(next.Services) != 1 {
			t.Errorf("the state after a registration is %+v", next)
		}
		if next := lines.line(); !strings.HasSuffix(next, " + a1 10.0.0.7") {
			t.Errorf("the line after a registration is %q", next)
		}
		candidate := start(t, url, "elect", reaper, "--id", "c1", "--", "sleep", "600")
		if next := decoded[leader](t, leaders.line()); next.Leader == nil || next.Leader.ID != "c1" || next.Token == 0 {
			t.Errorf("the leader after an election is %+v", next)
		}
		instance.line()
		instance.stop(0)
		candidate.stop(128 + int(syscall.SIGTERM))
		if next := decoded[state](t, services.line()); !slices.Equal(ids(next.Removed), []string{"a1"}) || len(next.Services) != 0 {
			t.Errorf("the state after a deregistration is %+v", next)
		}
		if next := decoded[leader](t, leaders.line()); next.Leader != nil {
			t.Errorf("the leader after a resignation is %+v", next)
		}
		for _, r := range []*run{services, lines, leaders} {
			r.stop(0)
		}
	})
}

// TestReaderThatGoes closes the other end of the pipe.
func TestReaderThatGoes(t *testing.T) {
	onEach(t, func(p *place) {
		t := p.t
		api := p.named("api")
		watch := startPiped(t, p.direct(), "watch", api)
		if line := watch.first(); !strings.HasSuffix(line, "0 instances\n") {
			t.Errorf("the first line is %q", line)
		}
		watch.hangUp()
		start(t, p.direct(), "register", api, "--address", "10.0.0.7").line() // there is something to write
		if status, said := watch.end(); status != 0 || said != "" {
			t.Errorf("exit status %d, and it says %q; want a quiet end", status, said)
		}
	})
}
