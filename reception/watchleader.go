package reception

import (
	"context"

	"github.com/go-reception/sdk/reception/driver"
)

// leaderWatches are a client's watches of elections.
type leaderWatches = watches[leaderView, LeaderState]

// A leaderView is what a watch knows at one moment. It is immutable.
type leaderView struct {
	leader *Leader
	err    error // why it may be out of date
}

func newLeaderWatches(c *client) *leaderWatches {
	return &leaderWatches{
		c: c, op: "WatchLeader",
		render: renderLeader,
		follow: c.followLeader,
		feeds:  make(map[string]*feed[leaderView, LeaderState]),
	}
}

// NewLeaderWatcher implements [Client].
func (c *client) NewLeaderWatcher(election string) LeaderWatcher {
	return &watcher[leaderView, LeaderState]{
		watches: c.leaders, name: election, invalid: validateNewLeaderWatcher(election),
	}
}

// followLeader publishes who leads election until ctx ends.
func (c *client) followLeader(ctx context.Context, election string, publish func(*leaderView)) {
	var leader *Leader
	u := upstream[driver.Candidate]{
		c: c, op: c.leaders.op, name: election,
		open: func(ctx context.Context) (driver.CandidateStream, error) {
			return c.backend.OpenWatchLeader(ctx, &driver.WatchLeaderRequest{Election: election})
		},
		apply: func(batch *driver.Batch[driver.Candidate]) {
			leader = lead(leader, batch)
			publish(&leaderView{leader: leader})
		},
		broken: func(err error) { publish(&leaderView{leader: leader, err: err}) },
	}
	u.run(ctx)
}

// lead returns who leads after batch. There is one leader at a time, whom tokens tell apart: the end of one who was
// succeeded already says nothing about the successor.
func lead(leader *Leader, batch *driver.Batch[driver.Candidate]) *Leader {
	if batch.Reset {
		leader = nil
	}
	for _, change := range batch.Changes {
		switch {
		case !change.Deleted:
			leader = leaderOf(change.Record)
		case leader != nil && leader.Token == change.Record.Token:
			leader = nil
		}
	}
	return leader
}

// leaderOf copies a candidate that leads.
func leaderOf(candidate *driver.Candidate) *Leader {
	return &Leader{Service: serviceOf(&candidate.Service), Token: candidate.Token}
}

// renderLeader makes the state that leads a reader from the view seen to now.
func renderLeader(seen, now *leaderView) *LeaderState {
	if seen != nil && equalLeaders(seen.leader, now.leader) && (seen.err == nil) == (now.err == nil) {
		return nil
	}
	return &LeaderState{Leader: now.leader, Err: now.err}
}

// equalLeaders compares terms and content.
func equalLeaders(a, b *Leader) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Token == b.Token && equalServices(a.Service, b.Service)
}
