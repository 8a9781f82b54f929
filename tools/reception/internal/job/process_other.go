//go:build !unix

package job

import (
	"os"
	"os/exec"
)

// Keep does nothing: there are no keepers on this system.
func Keep([]string) {}

// process is a job: one process, without what it starts.
type process struct {
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has ended
	status int           // the exit status, once done
}

// start starts a job.
func start(spec Spec) (*process, error) {
	cmd := exec.Command(spec.Command[0], spec.Command[1:]...) //nolint:noctx // Run ends it
	cmd.Env = append(os.Environ(), spec.Env...)
	if spec.Stdin != nil {
		cmd.Stdin = spec.Stdin
	}
	cmd.Stdout, cmd.Stderr = spec.Stdout, spec.Stderr
	if err := cmd.Start(); err != nil {
		return nil, &StartError{Command: spec.Command[0], Err: err}
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // the state says it all
		p.status = cmd.ProcessState.ExitCode()
		close(p.done)
	}()
	return p, nil
}

// signal kills the job where the signal means its end, for which this system has no other way.
func (p *process) signal(s os.Signal) {
	if s == os.Interrupt || s == terminate {
		p.kill()
	}
}

// kill kills the job.
func (p *process) kill() { _ = p.cmd.Process.Kill() } // it may have ended

// terminate is what tells a job to stop.
var terminate = os.Kill
