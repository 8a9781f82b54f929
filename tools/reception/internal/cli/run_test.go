//go:build unix

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/tools/reception/internal/job"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// eventually waits until f says yes.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// exists says whether a file is there, with something in it.
func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

// background runs the command until stop is called, which returns what has come of it.
func background(t *testing.T, url string, args ...string) (stop func(cause error) outcome) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan outcome, 1)
	go func() { done <- runIn(t, ctx, url, args...) }()
	return func(cause error) outcome {
		cancel(cause)
		return <-done
	}
}

var terminated = &job.SignalError{Signal: syscall.SIGTERM}

func TestRegister(t *testing.T) {
	cluster, url := newCluster(t)
	stop := background(t, url, "register", "api", "--id", "a1", "--address", "10.0.0.7", "--port", "80", "--attr", "a=b=c")
	onlooker := client(t, cluster)
	var listed []*reception.Service
	eventually(t, "it is registered", func() bool {
		listed, _ = onlooker.ListServices(t.Context(), "api")
		return len(listed) == 1
	})
	if s := listed[0]; s.ID != "a1" || s.Address != "10.0.0.7" || s.Port != 80 || s.Attributes["a"] != "b=c" {
		t.Errorf("registered is %+v", s)
	}
	stop(terminated).want(t, 0, "api/a1 is registered at 10.0.0.7:80 until this is interrupted\n")
	if listed, err := onlooker.ListServices(t.Context(), "api"); err != nil || len(listed) != 0 {
		t.Errorf("left behind are %v, %v", listed, err)
	}
}

func TestRegisterIsTakenOver(t *testing.T) {
	cluster, url := newCluster(t)
	done := make(chan outcome, 1)
	go func() { done <- run(t, url, "register", "api", "--id", "a1", "--address", "10.0.0.7", "-o", "json") }()
	onlooker := client(t, cluster)
	eventually(t, "it is registered", func() bool {
		listed, _ := onlooker.ListServices(t.Context(), "api")
		return len(listed) == 1
	})
	if err := onlooker.Register(t.Context(), &reception.Service{Name: "api", ID: "a1", Address: "10.0.0.8"}, nil); err != nil {
		t.Fatal(err)
	}
	(<-done).want(t, exitFailure, `{"name":"api","id":"a1","address":"10.0.0.7","port":0,"attributes":{}}`+"\n",
		"replaced by another client's registration", "no longer ours")
}

func TestElectRunsItsCommand(t *testing.T) {
	cluster, url := newCluster(t)
	path := filepath.Join(t.TempDir(), "said")
	o := run(t, url, "elect", "reaper", "--id", "c1", "--", "sh", "-c",
		`echo "$RECEPTION_TOKEN $RECEPTION_ELECTION $RECEPTION_ID" >`+path+`; exit 9`)
	o.want(t, 9, "")
	if said, err := os.ReadFile(path); err != nil || string(said) != "1 reaper c1\n" {
		t.Errorf("the command was told %q, %v", said, err)
	}
	if leader, err := client(t, cluster).Leader(t.Context(), "reaper"); !errors.Is(err, reception.ErrNoLeader) {
		t.Errorf("the lead was not given up: %v, %v", leader, err)
	}
}

func TestElectIsInterrupted(t *testing.T) {
	cluster, url := newCluster(t)
	ready := filepath.Join(t.TempDir(), "ready")
	script := "trap 'exit 3' TERM; echo ready >" + ready + "; while :; do sleep 0.01; done"
	stop := background(t, url, "elect", "reaper", "--", "sh", "-c", script)
	eventually(t, "it runs", func() bool { return exists(ready) })

	waiting := background(t, url, "elect", "reaper", "-v", "--", "true")
	waiting(terminated).want(t, exitSignal+15, "", "signal: terminated")

	stop(terminated).want(t, 3, "")
	if _, err := client(t, cluster).Leader(t.Context(), "reaper"); !errors.Is(err, reception.ErrNoLeader) {
		t.Errorf("the lead was not given up: %v", err)
	}
}

// TestElectStopsInTime takes the backend away: the command has its grace, while the term is certain, and is killed then.
func TestElectStopsInTime(t *testing.T) {
	const ttl, grace = 3 * time.Second, time.Second
	cluster, url := newCluster(t, fake.WithTTL(ttl))
	dir := t.TempDir()
	script := fmt.Sprintf(`trap "date +%%s%%N >%[1]s/told" TERM; echo ready >%[1]s/ready
		while :; do date +%%s%%N >%[1]s/alive.new && mv %[1]s/alive.new %[1]s/alive; sleep 0.01; done`, dir)
	done := make(chan outcome, 1)
	go func() {
		done <- run(t, url, "elect", "reaper", "--once", "--grace", grace.String(), "--", "sh", "-c", script)
	}()
	eventually(t, "it runs", func() bool { return exists(dir + "/ready") })
	if _, err := cluster.Inject(fake.Fault{Operation: "Confirm", Times: fake.Always, Err: driver.ErrUnavailable}); err != nil {
		t.Fatal(err)
	}
	cut := time.Now()
	(<-done).want(t, exitLost, "", "the lead of reaper is lost", "while there is time to stop")
	told, alive := instant(t, dir+"/told"), instant(t, dir+"/alive")
	t.Logf("told %v after the cut, and alive for %v after that", told.Sub(cut), alive.Sub(told))
	if alive.Sub(cut) > ttl-ttl/10 {
		t.Errorf("it lived for %v after the cut, and the term for %v at the most", alive.Sub(cut), ttl-ttl/10)
	}
	if !alive.After(told) {
		t.Errorf("it was killed as soon as it was told, and has a grace of %v", grace)
	}
}

// instant reads a time that a script has written.
func instant(t *testing.T, path string) time.Time {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var nanos int64
	if _, err := fmt.Sscan(strings.TrimSpace(string(text)), &nanos); err != nil {
		t.Fatal(err)
	}
	return time.Unix(0, nanos)
}

func TestCommandsThatCannotBeStarted(t *testing.T) {
	_, url := newCluster(t)
	run(t, url, "elect", "reaper", "--", "no-such-command").want(t, exitNoCommand, "", "cannot start no-such-command: executable file not found")
	run(t, url, "register", "api", "--address", "h", "--", "no-such-command").want(t, exitNoCommand, "", "cannot start no-such-command")
	odd := filepath.Join(t.TempDir(), "odd")
	if err := os.WriteFile(odd, []byte("\x7fELF"), 0o700); err != nil { //nolint:gosec // it has to be one that can be executed
		t.Fatal(err)
	}
	run(t, url, "elect", "reaper", "--", odd).want(t, exitCannotStart, "", "cannot start "+odd)
}

func TestWatchInterrupted(t *testing.T) {
	cluster, url := newCluster(t)
	populate(t, cluster)
	o := background(t, url, "watch", "api", "-o", "json")(terminated)
	if o.status != 0 || o.err != "" {
		t.Errorf("exit status %d, and it says %q", o.status, o.err)
	}
}

func TestCompletions(t *testing.T) {
	cluster, url := newCluster(t)
	populate(t, cluster)
	for shell, sign := range map[string]string{
		"bash": "__start_reception", "zsh": "#compdef reception", "fish": "complete -c reception", "powershell": "Register-ArgumentCompleter",
	} {
		if o := run(t, url, "completion", shell); o.status != 0 || !strings.Contains(o.out, sign) {
			t.Errorf("%s: exit status %d, no %q", shell, o.status, sign)
		}
	}
	run(t, url, "__complete", "list", "").want(t, 0, "api\nweb\n:4\n", "ShellCompDirectiveNoFileComp")
	run(t, url, "__complete", "names", "-o", "").want(t, 0, "table\njson\n:4\n", "ShellCompDirectiveNoFileComp")
}

// TestHelp holds every command to have a description, and but for those of cobra examples.
func TestHelp(t *testing.T) {
	root, _ := newApp(nil, os.Stdout, os.Stderr, os.Getenv).root()
	for _, cmd := range root.Commands() {
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s: want a word, a text and examples", cmd.Name())
		}
		o := run(t, "", cmd.Name(), "--help")
		if o.status != 0 || !strings.Contains(o.out, cmd.Example) {
			t.Errorf("%s --help: exit status %d\n%s", cmd.Name(), o.status, o.out)
		}
	}
	if o := run(t, "", "--help"); o.status != 0 || !strings.Contains(o.out, exitHelp) {
		t.Errorf("the help does not tell the exit statuses:\n%s", o.out)
	}
}
