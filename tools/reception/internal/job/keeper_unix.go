//go:build unix

package job

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// What the keeper finds beside its standard files.
const (
	controlFile = 3 // signals for the group, a byte each; its end is the parent's
	reportFile  = 4 // where it says that the command runs, or why it does not
)

// pollEvery is how often the keeper looks whether something is left of the group.
const pollEvery = 2 * time.Millisecond

// A keeper looks after one process group.
type keeper struct {
	mu    sync.Mutex
	group int  // its ID; 0 when nothing is left of it
	told  bool // to stop
}

// Keep is the whole of a keeper's process. It does not return if args, which are those of the executable, make it one.
func Keep(args []string) {
	if len(args) < 4 || args[1] != keepArgument {
		return
	}
	grace, err := time.ParseDuration(args[2])
	if err != nil {
		os.Exit(exitCannotStart)
	}
	os.Exit(keep(grace, args[3:]))
}

// keep runs command and returns its exit status when nothing is left of its process group.
func keep(grace time.Duration, command []string) int {
	runtime.LockOSThread() // the kernel watches the thread that has started the command, not the process
	// Only SIGKILL ends a keeper. Caught, not ignored: what is ignored stays so in the command.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT,
		syscall.SIGPIPE, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGUSR1, syscall.SIGUSR2)
	syscall.CloseOnExec(controlFile)
	syscall.CloseOnExec(reportFile)
	report := os.NewFile(reportFile, "report")
	adoptOrphans()
	cmd := exec.Command(command[0], command[1:]...) //nolint:noctx // it ends by the group's signals
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		_, _ = fmt.Fprintln(report, err) // if nobody reads it there is nobody to tell
		return exitCannotStart
	}
	k := &keeper{group: cmd.Process.Pid}
	_, _ = fmt.Fprintln(report, k.group)
	_ = report.Close()
	go k.obey(os.NewFile(controlFile, "control"))
	_ = cmd.Wait() // the state says it all
	k.finish(grace)
	return statusOf(cmd.ProcessState)
}

// obey passes the signals of the parent on, and kills the group when the parent is gone.
func (k *keeper) obey(control io.Reader) {
	order := make([]byte, 1)
	for {
		if _, err := io.ReadFull(control, order); err != nil {
			k.send(syscall.SIGKILL)
			return
		}
		k.send(syscall.Signal(order[0]))
	}
}

// send sends a signal to the group, if there is something left of it.
func (k *keeper) send(s syscall.Signal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s == syscall.SIGTERM || s == syscall.SIGINT || s == syscall.SIGKILL {
		k.told = true
	}
	if k.group != 0 {
		_ = syscall.Kill(-k.group, s) // it may have ended
	}
}

// finish stops what the command has left in its group, and waits for it.
func (k *keeper) finish(grace time.Duration) {
	k.mu.Lock()
	told := k.told
	k.mu.Unlock()
	if !told { // or else the parent counts the grace
		k.send(syscall.SIGTERM)
		defer time.AfterFunc(grace, func() { k.send(syscall.SIGKILL) }).Stop()
	}
	for !k.gone() {
		time.Sleep(pollEvery)
	}
}

// gone reaps what has ended and says whether nothing is left.
func (k *keeper) gone() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		if pid, err := syscall.Wait4(-k.group, nil, syscall.WNOHANG, nil); pid <= 0 && !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(syscall.Kill(-k.group, 0), syscall.ESRCH) {
		k.group = 0
	}
	return k.group == 0
}

// process is a job as its parent sees it.
type process struct {
	keeper  *exec.Cmd
	control *os.File
	group   int
	done    chan struct{} // closed when nothing is left of the job
	status  int           // the exit status, once done
}

// start starts a job, and returns when its command runs.
func start(spec Spec) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("cannot find this executable: %w", err)
	}
	orders, control, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer orders.Close() //nolint:errcheck // the keeper has its own
	report, reported, err := os.Pipe()
	if err != nil {
		_ = control.Close()
		return nil, err
	}
	defer report.Close() //nolint:errcheck // it was only read
	arguments := append([]string{keepArgument, spec.Grace.String()}, spec.Command...)
	keeper := exec.Command(self, arguments...) //nolint:noctx // Run ends it
	keeper.Env = append(os.Environ(), spec.Env...)
	if spec.Stdin != nil {
		keeper.Stdin = spec.Stdin
	}
	keeper.Stdout, keeper.Stderr = spec.Stdout, spec.Stderr
	keeper.ExtraFiles = []*os.File{controlFile - 3: orders, reportFile - 3: reported}
	keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what is typed at the terminal is not for it
	err = keeper.Start()
	_ = reported.Close()
	if err != nil {
		_ = control.Close()
		return nil, fmt.Errorf("cannot start a keeper: %w", err)
	}
	p := &process{keeper: keeper, control: control, done: make(chan struct{})}
	if err := p.started(report, spec.Command[0]); err != nil {
		return nil, err
	}
	return p, nil
}

// started waits for the keeper's report, and then for the job's end in the background.
func (p *process) started(report io.Reader, command string) error {
	line, _ := bufio.NewReader(report).ReadString('\n') // without one the keeper has died, which shows below
	line = strings.TrimSpace(line)
	group, err := strconv.Atoi(line)
	if err != nil {
		_ = p.keeper.Wait() // what there is to say is in the report
		_ = p.control.Close()
		if line == "" {
			line = "its keeper has died"
		}
		return &StartError{Command: command, Err: errors.New(line)}
	}
	p.group = group
	go p.wait()
	return nil
}

// wait waits for the keeper. One that was killed has left the group to us.
func (p *process) wait() {
	_ = p.keeper.Wait() // the state says it all
	_ = p.control.Close()
	if !p.keeper.ProcessState.Exited() {
		_ = syscall.Kill(-p.group, syscall.SIGKILL) // it may have ended
	}
	p.status = statusOf(p.keeper.ProcessState)
	close(p.done)
}

// signal passes a signal on.
func (p *process) signal(s os.Signal) {
	if number, ok := s.(syscall.Signal); ok {
		_, _ = p.control.Write([]byte{byte(number)}) // a keeper that is gone has no job
	}
}

// kill kills the job.
func (p *process) kill() { p.signal(syscall.SIGKILL) }

// terminate is what tells a job to stop.
const terminate = syscall.SIGTERM

// statusOf returns the exit status of a process as a shell tells it.
func statusOf(state *os.ProcessState) int {
	if wait, ok := state.Sys().(syscall.WaitStatus); ok && wait.Signaled() {
		return 128 + int(wait.Signal())
	}
	return state.ExitCode()
}
