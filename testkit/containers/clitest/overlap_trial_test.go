package clitest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-reception/sdk/testkit/containers"
)

// A trial is an election with two candidates. Its job is a shell and a worker, neither of which heeds SIGTERM.
type trial struct {
	t        *testing.T
	p        *place
	election string
	path     string // where the workers write
	link     *containers.Link
	old      *run // at the end of link
	next     *run
	cut      uint64 // the newest token when the link was cut
}

func newTrial(t *testing.T, p *place, election string) *trial {
	t.Helper()
	return &trial{t: t, p: p, election: election, path: filepath.Join(t.TempDir(), "work"), link: p.servers.NewLink(t)}
}

// elect starts a candidate.
func (o *trial) elect(url string, flags ...string) *run {
	o.t.Helper()
	script := fmt.Sprintf(`trap "" TERM; %s=%s %s & wait`, workerVar, o.path, os.Args[0])
	return start(o.t, url, append(append([]string{"elect", o.election, "-v"}, flags...), "--", "sh", "-c", script)...)
}

// begin has the old leader lead and the next one wait.
func (o *trial) begin(flags ...string) {
	o.t.Helper()
	o.old = o.elect(o.p.over(o.link), flags...)
	eventually(o.t, "the first job is at work", func() bool { return len(stints(o.t, o.path)) > 0 })
	o.next = o.elect(o.p.direct(), flags...)
	o.next.says("stands for")
}

// fault strikes.
func (o *trial) fault(strike func()) {
	o.t.Helper()
	all := stints(o.t, o.path)
	o.cut = all[len(all)-1].token
	strike()
}

// end waits for the next leader's job, and returns the shortest time between the last sign of a job and the first of the
// one that followed. A machine that is slow may have changed leaders before, too.
func (o *trial) end() time.Duration {
	o.t.Helper()
	var all []stint
	eventually(o.t, "the second job is at work", func() bool {
		all = stints(o.t, o.path)
		newest := all[len(all)-1] // and an old one has had the time to show beside it
		return newest.token > o.cut && newest.last.Sub(newest.first) > 100*time.Millisecond
	})
	shortest := all[1].first.Sub(all[0].last)
	for i := range all[1:] {
		shortest = min(shortest, all[i+1].first.Sub(all[i].last))
	}
	return shortest
}
