package hazards

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/reception"
)

// holderVar makes a test's binary the process that StoppedHolder stops: where to connect, below which prefix, and in which
// election to stand.
const holderVar = "RECEPTION_HAZARDS_HOLDER"

// holds leads an election and says over and over whether it does, until it does not. It reports whether this process is for
// that.
func holds(b Backend) bool {
	words := strings.Fields(os.Getenv(holderVar))
	if len(words) == 0 {
		return false
	}
	ctx := context.Background()
	client, err := b.Connect(ctx, words[:1], Settings{Prefix: words[1], TTL: b.TermTTL, Logger: reception.NewNilLogger()})
	if err != nil {
		fmt.Println(err)
		return true
	}
	term, err := client.Campaign(ctx, words[2], Service("old", "1"))
	if err != nil {
		fmt.Println(err)
		return true
	}
	for term.Held() {
		fmt.Println("held")
		time.Sleep(time.Millisecond)
	}
	fmt.Println("lost")
	return true
}

// StoppedHolder is H2: the leader's process is stopped (SIGSTOP) for more than twice its term's time to live, in which
// another one is elected. When it goes on (SIGCONT), the first thing that it sees is that it does not lead.
func StoppedHolder(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server := b.Shared(t)
	const trials = 3
	var group errgroup.Group
	for i := range trials {
		successor := b.dialWith(t, server.Endpoints(), b.terms(t))
		group.Go(func() error { return b.stopped(t, server.Endpoints()[0], successor, fmt.Sprint("e", i)) })
	}
	OK(t, group.Wait())
}

// stopped is one trial.
func (b Backend) stopped(tb testing.TB, endpoint string, successor reception.Client, election string) error {
	tb.Helper()
	child := exec.CommandContext(tb.Context(), os.Args[0])
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %s", holderVar, endpoint, Prefix(tb), election))
	output, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }() // it may have ended
	lines := make(chan string, 1<<16)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	if first := <-lines; first != "held" {
		return fmt.Errorf("the holder says %q", first)
	}
	if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	long := time.After(2*b.TermTTL + b.TermTTL/10)
	ctx, cancel := context.WithTimeout(tb.Context(), 10*b.TermTTL)
	defer cancel()
	next, err := successor.Campaign(ctx, election, Service("new", "1"))
	if err != nil {
		return fmt.Errorf("nobody succeeds a stopped holder: %w", err)
	}
	<-long
	for len(lines) > 0 { // what was said before it was stopped
		<-lines
	}
	if err := child.Process.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	if err := goesOn(lines); err != nil {
		return err
	}
	return next.Resign(tb.Context())
}

// goesOn reads what a holder says that goes on after its term was over.
func goesOn(lines <-chan string) error {
	said := 0
	for line := range lines {
		if line == "lost" {
			return nil
		}
		// It may have been stopped between asking and saying it, and with a line in the pipe.
		if said++; said > 1 {
			return fmt.Errorf("after its term was over the holder goes on to say %q", line)
		}
	}
	return fmt.Errorf("the holder ends without a word")
}
