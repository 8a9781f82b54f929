package clitest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-reception/sdk/testkit/containers"
)

// A trial is an election with two candidates. Its job is a shell and two workers, none of which heeds SIGTERM.
type trial struct {
	t        *testing.T
	p        *place
	election string
	path     string // where the workers write
	link     *containers.Link
	old      *run // at the end of link
	next     *run
}

func newTrial(t *testing.T, p *place, election string) *trial {
	t.Helper()
	return &trial{t: t, p: p, election: election, path: filepath.Join(t.TempDir(), "work"), link: p.servers.NewLink(t)}
}

// elect starts a candidate.
func (o *trial) elect(url string, flags ...string) *run {
	o.t.Helper()
	script := fmt.Sprintf(`trap "" TERM; for i in 1 2; do %s=%s %s & done; wait`, workerVar, o.path, os.Args[0])
	return start(o.t, url, append(append([]string{"elect", o.election, "-v"}, flags...), "--", "sh", "-c", script)...)
}

// begin has the old leader lead and the next one wait.
func (o *trial) begin(flags ...string) {
	o.t.Helper()
	o.old = o.elect(o.p.over(o.link), flags...)
	eventually(o.t, "the first job is at work", func() bool { return len(stints(o.t, o.path)) == 1 })
	o.next = o.elect(o.p.direct(), flags...)
	o.next.says("stands for")
}

// end waits for the next leader's job, and returns the time between the old one's last sign and its first.
func (o *trial) end() time.Duration {
	o.t.Helper()
	var second stint
	eventually(o.t, "the second job is at work", func() bool {
		all := stints(o.t, o.path)
		if len(all) < 2 {
			return false
		}
		second = all[1] // and an old one has had the time to show beside it
		return second.last.Sub(second.first) > 100*time.Millisecond
	})
	return second.first.Sub(stints(o.t, o.path)[0].last)
}
