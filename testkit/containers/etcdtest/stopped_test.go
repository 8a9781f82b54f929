package etcdtest

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

	"github.com/go-reception/sdk/backends/etcd"
)

// holderVar makes this binary the process that TestH2StoppedHolder stops: where to connect, and below which prefix.
const holderVar = "RECEPTION_ETCDTEST_HOLDER"

// holds leads an election and says over and over whether it does, until it does not. It reports whether this process is
// for that.
func holds() bool {
	addr, prefix, is := strings.Cut(os.Getenv(holderVar), " ")
	if !is {
		return false
	}
	ctx := context.Background()
	client, err := etcd.Dial(ctx, addr, etcd.WithPrefix(prefix), etcd.WithTTL(ttl))
	if err != nil {
		fmt.Println(err)
		return true
	}
	term, err := client.Campaign(ctx, "e", service("old", "1"))
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

// TestH2StoppedHolder: the leader's process is stopped for longer than its lease lives. When it goes on, the first
// thing that it sees is that it does not lead.
func TestH2StoppedHolder(t *testing.T) {
	t.Parallel()
	server := shared(t)
	for range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), holderVar+"="+server.Endpoints()[0]+" "+prefix(t))
		output, err := child.StdoutPipe()
		ok(t, err)
		ok(t, child.Start())
		t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() }) // it may have ended
		lines := make(chan string, 1<<16)
		go func() {
			defer close(lines)
			for scanner := bufio.NewScanner(output); scanner.Scan(); {
				lines <- scanner.Text()
			}
		}()
		if first := <-lines; first != "held" {
			t.Fatalf("the holder says %q", first)
		}
		ok(t, child.Process.Signal(syscall.SIGSTOP))
		ctx, cancel := context.WithTimeout(t.Context(), 10*ttl)
		next, err := dial(t, server.Endpoints()).Campaign(ctx, "e", service("new", "1"))
		cancel()
		ok(t, err)
		for len(lines) > 0 { // what was said before it was stopped
			<-lines
		}
		ok(t, child.Process.Signal(syscall.SIGCONT))
		said := 0
		for line := range lines {
			if line == "lost" {
				break
			}
			// It may have been stopped between asking and saying it, and with a line in the pipe.
			if said++; said > 1 {
				t.Fatal("after its term was over the holder goes on to say that it leads")
			}
		}
		ok(t, next.Resign(t.Context()))
	}
}
