//go:build unix

package job

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// runnerVar makes this binary a process that runs a job, for a test that kills it: the script to run.
const runnerVar = "RECEPTION_JOBTEST_SCRIPT"

func TestMain(m *testing.M) {
	Keep(os.Args)
	if script := os.Getenv(runnerVar); script != "" {
		_, _ = Run(context.Background(), context.Background(), shell(script))
		return
	}
	goleak.VerifyTestMain(m)
}

// shell is a job of a script.
func shell(script string) Spec {
	return Spec{Command: []string{"sh", "-c", script}, Stdout: os.Stdout, Stderr: os.Stderr, Grace: time.Minute}
}

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

// A crowd is a script of a command and two others in its process group that heed nothing but SIGKILL, each of which
// leaves its process ID in a folder.
type crowd struct{ dir string }

func newCrowd(t *testing.T) crowd {
	t.Helper()
	return crowd{t.TempDir()}
}

// script starts the crowd; then is what the command does when all are there.
func (c crowd) script(then string) string {
	member := `trap "" TERM INT HUP; echo $$ >` + c.dir + `/$1; while :; do sleep 0.05; done`
	return `for i in 1 2; do sh -c '` + member + `' member $i & done
		until [ -s ` + c.dir + `/1 ] && [ -s ` + c.dir + `/2 ]; do sleep 0.01; done
		echo $$ >` + c.dir + `/0
		` + then
}

// awaitStart waits until all are there.
func (c crowd) awaitStart(t *testing.T) {
	t.Helper()
	eventually(t, "the crowd has started", func() bool { info, err := os.Stat(filepath.Join(c.dir, "0")); return err == nil && info.Size() > 0 })
}

// left returns those that are alive.
func (c crowd) left(t *testing.T) (alive []int) {
	t.Helper()
	for _, name := range []string{"0", "1", "2"} {
		text, err := os.ReadFile(filepath.Join(c.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		if syscall.Kill(pid, 0) == nil && !zombie(pid) {
			alive = append(alive, pid)
		}
	}
	return alive
}

// zombie says whether a process has ended and is only waiting for an init that does not come.
func zombie(pid int) bool {
	state, err := exec.CommandContext(context.Background(), "ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err != nil || strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]int{
		"exit 0": 0, "exit 7": 7, "exit 255": 255,
		"kill -KILL $$": 128 + 9, "kill -TERM $$": 128 + 15,
	} {
		if got, err := Run(t.Context(), t.Context(), shell(script)); err != nil || got != want {
			t.Errorf("%s: exit status %d, %v; want %d", script, got, err, want)
		}
	}
}

func TestEnvironmentAndFiles(t *testing.T) {
	t.Parallel()
	in, err := os.CreateTemp(t.TempDir(), "in")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := in.WriteString("input"); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	spec := shell(`cat; echo "-$TOKEN-$(ls /dev/fd | wc -l)"; echo error >&2`)
	spec.Env, spec.Stdin, spec.Stdout, spec.Stderr = []string{"TOKEN=7"}, in, &out, &errs
	if status, err := Run(t.Context(), t.Context(), spec); status != 0 || err != nil {
		t.Fatal(status, err)
	}
	if got := out.String(); !strings.HasPrefix(got, "input-7-") || errs.String() != "error\n" {
		t.Errorf("output %q, errors %q", got, errs.String())
	}
}

func TestStop(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		cause error
		trap  string
	}{
		{"by the end of a context", nil, "TERM"},
		{"by the signal that ended it", &SignalError{syscall.SIGINT}, "INT"},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		ready := filepath.Join(t.TempDir(), "ready")
		go func() {
			eventually(t, "the job is ready", func() bool { _, err := os.Stat(ready); return err == nil })
			cancel(test.cause)
		}()
		status, err := Run(ctx, t.Context(), shell("trap 'exit 3' "+test.trap+"; touch "+ready+"; while :; do sleep 0.01; done"))
		if status != 3 || err != nil {
			t.Errorf("%s: exit status %d, %v; want the 3 of its trap", test.name, status, err)
		}
	}
}

// TestStopIsOfTheWholeGroup has a job that heeds nothing.
func TestStopIsOfTheWholeGroup(t *testing.T) {
	t.Parallel()
	const stubborn = `trap "" TERM; while :; do sleep 0.05; done`
	for name, test := range map[string]struct {
		then   string
		grace  time.Duration
		end    func(stop, dead context.CancelFunc)
		status int
	}{
		"when its grace is over":          {stubborn, 100 * time.Millisecond, func(stop, _ context.CancelFunc) { stop() }, 137},
		"at the deadline":                 {stubborn, time.Hour, func(_, dead context.CancelFunc) { dead() }, 137},
		"at the deadline within grace":    {stubborn, time.Hour, func(stop, dead context.CancelFunc) { stop(); dead() }, 137},
		"when the command alone has gone": {"exit 5", 100 * time.Millisecond, func(context.CancelFunc, context.CancelFunc) {}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrowd(t)
			ctx, stop := context.WithCancel(t.Context())
			deadline, dead := context.WithCancel(t.Context())
			defer stop()
			defer dead()
			go func() {
				c.awaitStart(t)
				test.end(stop, dead)
			}()
			spec := shell(c.script(test.then))
			spec.Grace = test.grace
			status, err := Run(ctx, deadline, spec)
			if status != test.status || err != nil {
				t.Errorf("exit status %d, %v; want %d", status, err, test.status)
			}
			if left := c.left(t); len(left) > 0 {
				t.Errorf("processes %v are left", left)
			}
		})
	}
}

func TestSignalsArePassedOn(t *testing.T) {
	t.Parallel()
	signals := make(chan os.Signal, 1)
	ready := filepath.Join(t.TempDir(), "ready")
	spec := shell("trap 'exit 4' USR1; touch " + ready + "; while :; do sleep 0.01; done")
	spec.Signals = signals
	go func() {
		eventually(t, "the job is ready", func() bool { _, err := os.Stat(ready); return err == nil })
		signals <- syscall.SIGUSR1
	}()
	if status, err := Run(t.Context(), t.Context(), spec); status != 4 || err != nil {
		t.Errorf("exit status %d, %v; want the 4 of its trap", status, err)
	}
}

// TestNothingOutlivesTheParent kills the process that runs the job, which then can do nothing more about it.
func TestNothingOutlivesTheParent(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), runnerVar+"="+c.script("while :; do sleep 0.05; done"))
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	c.awaitStart(t)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	eventually(t, "the whole group has ended", func() bool { return len(c.left(t)) == 0 })
}

// TestNothingOutlivesTheKeeper kills that, and with it what could wait for the group.
func TestNothingOutlivesTheKeeper(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	p, err := start(shell(c.script("while :; do sleep 0.05; done")))
	if err != nil {
		t.Fatal(err)
	}
	c.awaitStart(t)
	if err := p.keeper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.done
	if p.status != 137 {
		t.Errorf("exit status %d, want 137", p.status)
	}
	eventually(t, "the whole group has ended", func() bool { return len(c.left(t)) == 0 })
}

func TestWhatCannotBeStarted(t *testing.T) {
	t.Parallel()
	if err := Find("sh"); err != nil {
		t.Errorf("sh: %v", err)
	}
	missing, ok := errors.AsType[*StartError](Find("no-such-command-anywhere"))
	if !ok || !missing.Missing || !strings.Contains(missing.Error(), "no-such-command-anywhere: executable file not found") {
		t.Errorf("got %v", missing)
	}
	odd := filepath.Join(t.TempDir(), "odd")
	if err := os.WriteFile(odd, []byte{0x7f, 'E', 'L', 'F', 0}, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Run(t.Context(), t.Context(), Spec{Command: []string{odd}})
	failed, ok := errors.AsType[*StartError](err)
	if !ok || failed.Missing || !strings.Contains(err.Error(), "exec format error") {
		t.Errorf("got %v, want a StartError that says why", err)
	}
}
