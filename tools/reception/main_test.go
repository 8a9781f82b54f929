//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// These tests drive the command as it is built, on the fake; those on real servers are in testkit/containers/clitest.

// patience is how long a test waits for what must come.
const patience = time.Minute

var binary string

func TestMain(m *testing.M) { os.Exit(build(m)) }

// build builds the command for the tests.
func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "reception-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // there is nobody left to tell
	binary = filepath.Join(dir, "reception")
	if output, err := exec.CommandContext(context.Background(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %s\n", err, output)
		return 1
	}
	return m.Run()
}

// command is the command on a fake.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), "RECEPTION_URL=fake://?ttl=3s", "NO_COLOR=")
	return cmd
}

// statusOf runs a command to its end.
func statusOf(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	if err := cmd.Run(); err != nil {
		exit, ended := errors.AsType[*exec.ExitError](err)
		if !ended {
			t.Fatal(err)
		}
		return exit.ExitCode()
	}
	return 0
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args string
		want int
	}{
		{"demo --fast", 0},
		{"--help", 0},
		{"--version", 0},
		{"doctor", 0},
		{"status", 0},
		{"names", 3},
		{"leader reaper", 3},
		{"dmeo", 2},
		{"demo --slow", 2},
		{"demo unexpected", 2},
		{"--url etcd://127.0.0.1:1 names --timeout 300ms", 4},
		{"elect reaper -- true", 0},
		{"elect reaper -- false", 1},
		{"elect reaper -- no-such-command", 127},
		{"elect reaper --grace 3s -- true", 2},
		{"register api --address 10.0.0.7 -- false", 1},
	} {
		cmd := command(t, strings.Fields(test.args)...)
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, &output
		if got := statusOf(t, cmd); got != test.want {
			t.Errorf("reception %s: exit status %d, want %d: %s", test.args, got, test.want, output.String())
		}
	}
}

// TestBrokenPipe has a reader that goes away after the first line.
func TestBrokenPipe(t *testing.T) {
	t.Parallel()
	cmd := command(t, "demo", "--fast")
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := output.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := output.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || said.Len() > 0 {
		t.Errorf("it ended with %v, and says %q; want a quiet end", err, said.String())
	}
}

// A terminal is a pseudoterminal, and all that was written to it.
type terminal struct {
	master, slave *os.File
	done          chan struct{}

	mu   sync.Mutex
	text strings.Builder
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 60}); err != nil {
		t.Fatal(err)
	}
	return &terminal{master: master, slave: slave, done: make(chan struct{})}
}

// start starts a command at the terminal, in a session of its own.
func (s *terminal) start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.slave, s.slave, s.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = s.slave.Close() // the command has its own
	go func() {
		defer close(s.done)
		for buffer := make([]byte, 4096); ; {
			n, err := s.master.Read(buffer)
			s.mu.Lock()
			s.text.Write(buffer[:n])
			s.mu.Unlock()
			if err != nil { // the other end is closed
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		<-s.done
		_ = s.master.Close()
	})
}

// shows waits until a text was written.
func (s *terminal) shows(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		all := s.text.String()
		s.mu.Unlock()
		if strings.Contains(all, text) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within %v: %q, in %q", patience, text, all)
		}
	}
}

// press types at the terminal.
func (s *terminal) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := s.master.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

func TestWatchAtATerminal(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ env, title string }{
		"in colours":  {"NO_COLOR=", "\x1b[36mapi: 0 instances since"},
		"in no color": {"NO_COLOR=1", "\r\x1b[Japi: 0 instances since"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			screen := newTerminal(t)
			watch := command(t, "watch", "api")
			watch.Env = append(watch.Env, "TERM=xterm", test.env)
			screen.start(t, watch)
			screen.shows(t, test.title)
			screen.press(t, "\x03") // control-C
			if err := watch.Wait(); err != nil {
				t.Errorf("interrupted, it ends with %v", err)
			}
		})
	}
}

func TestProgressAtATerminal(t *testing.T) {
	t.Parallel()
	screen := newTerminal(t)
	names := command(t, "--url", "etcd://127.0.0.1:1", "--timeout", "2s", "names")
	names.Env = append(names.Env, "TERM=dumb")
	screen.start(t, names)
	screen.shows(t, "\r\x1b[Kconnecting to etcd://127.0.0.1:1 … 1s")
	screen.shows(t, "\r\x1b[Kreception: connecting to etcd://127.0.0.1:1: backend unavailable")
}

// TestElectAtATerminal runs a job that must not take part in what is typed: neither does a control-Z stop the renewals, nor
// does reading from the terminal stop the job.
func TestElectAtATerminal(t *testing.T) {
	t.Parallel()
	screen := newTerminal(t)
	elect := command(t, "elect", "reaper", "--", "sh", "-c",
		`trap 'echo told; exit 3' INT; cat; echo at work; while :; do sleep 0.02; done`)
	screen.start(t, elect)
	screen.shows(t, "leads reaper with token")
	screen.shows(t, "at work")
	screen.press(t, "\x1a\x03") // control-Z, control-C
	screen.shows(t, "told")
	exit, ended := errors.AsType[*exec.ExitError](elect.Wait())
	if !ended || exit.ExitCode() != 3 {
		t.Errorf("it ended with %v, want the exit status 3 of the job", exit)
	}
}
