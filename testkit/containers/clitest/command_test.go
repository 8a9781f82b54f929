package clitest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// binaryDir is where the command was built, if it was.
var binaryDir string

// binary builds the command once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "reception-clitest-*")
	if err != nil {
		return "", err
	}
	binaryDir = dir
	path := filepath.Join(dir, "reception")
	build := exec.Command("go", "build", "-C", filepath.Join("..", "..", ".."), "-o", path, "./tools/reception")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return path, nil
})

// A run is one run of the command.
type run struct {
	t     testing.TB
	cmd   *exec.Cmd
	lines chan string // of its standard output
	done  chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
	err bytes.Buffer
}

// start starts the command.
func start(tb testing.TB, url string, args ...string) *run {
	tb.Helper()
	path, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	r := &run{t: tb, lines: make(chan string, 1024), done: make(chan struct{})}
	r.cmd = exec.CommandContext(tb.Context(), path, args...)
	r.cmd.Env = append(os.Environ(), "RECEPTION_URL="+url)
	r.cmd.Stderr = &locked{r: r, to: &r.err}
	output, err := r.cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go r.read(output)
	tb.Cleanup(func() {
		_ = r.cmd.Process.Kill() // it may have ended
		<-r.done
		if tb.Failed() {
			tb.Logf("reception %s\noutput: %s\nerrors: %s", strings.Join(args, " "), r.stdout(), r.stderr())
		}
	})
	return r
}

// read takes the output, and waits for the end.
func (r *run) read(output io.Reader) {
	defer close(r.done)
	defer close(r.lines)
	for lines := bufio.NewScanner(output); lines.Scan(); {
		_, _ = (&locked{r: r, to: &r.out}).Write(append(lines.Bytes(), '\n'))
		r.lines <- lines.Text()
	}
	_ = r.cmd.Wait() // the state says it all
}

// A locked writer adds to one of a run's outputs.
type locked struct {
	r  *run
	to *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	return l.to.Write(p)
}

func (r *run) stdout() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.out.String()
}

func (r *run) stderr() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err.String()
}

// line waits for a line of output.
func (r *run) line() string {
	r.t.Helper()
	select {
	case line, more := <-r.lines:
		if !more {
			r.t.Fatalf("it has ended: %s", r.stderr())
		}
		return line
	case <-time.After(patience):
		r.t.Fatalf("no line within %v", patience)
	}
	return ""
}

// says waits until its errors have a text in them.
func (r *run) says(text string) {
	r.t.Helper()
	eventually(r.t, "it says "+text, func() bool { return strings.Contains(r.stderr(), text) })
}

// signal sends a signal to the command.
func (r *run) signal(s os.Signal) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
}

// ends waits for the end and checks the exit status.
func (r *run) ends(status int) *run {
	r.t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		r.t.Fatalf("it has not ended within %v", patience)
	}
	if got := r.cmd.ProcessState.ExitCode(); got != status {
		r.t.Fatalf("exit status %d, want %d: %s%s", got, status, r.stdout(), r.stderr())
	}
	return r
}

// stop interrupts the command.
func (r *run) stop(status int) {
	r.t.Helper()
	r.signal(syscall.SIGTERM)
	r.ends(status)
}

// eventually waits until f says yes.
func eventually(tb testing.TB, what string, f func() bool) {
	tb.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// decoded reads JSON.
func decoded[T any](tb testing.TB, text string) (value T) {
	tb.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		tb.Fatalf("%v in %s", err, text)
	}
	return value
}
