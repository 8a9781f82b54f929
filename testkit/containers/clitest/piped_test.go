package clitest

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"testing"
	"time"
)

// piped is a run whose output is the test's to read, or not to.
type piped struct {
	t      testing.TB
	cmd    *exec.Cmd
	output *os.File
	errors bytes.Buffer
}

func startPiped(tb testing.TB, url string, args ...string) *piped {
	tb.Helper()
	path, err := binary()
	if err != nil {
		tb.Fatal(err)
	}
	output, input, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	p := &piped{t: tb, output: output, cmd: exec.CommandContext(tb.Context(), path, args...)}
	p.cmd.Env = append(os.Environ(), "RECEPTION_URL="+url)
	p.cmd.Stdout, p.cmd.Stderr = input, &p.errors
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	_ = input.Close() // the command has its own
	tb.Cleanup(func() {
		_ = output.Close() // it may be closed
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	return p
}

// first returns the first line of output.
func (p *piped) first() string {
	p.t.Helper()
	line, err := bufio.NewReader(p.output).ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	return line
}

// hangUp reads no more.
func (p *piped) hangUp() {
	p.t.Helper()
	if err := p.output.Close(); err != nil {
		p.t.Fatal(err)
	}
}

// end waits for the end of the command, and returns its exit status and what it has said.
func (p *piped) end() (status int, said string) {
	p.t.Helper()
	overdue := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer overdue.Stop()
	_ = p.cmd.Wait() // the state says it all
	return p.cmd.ProcessState.ExitCode(), p.errors.String()
}
