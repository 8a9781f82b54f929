package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// proofCases are about lists that are served from a watch, and about what allows that.
func proofCases() []testCase {
	return []testCase{
		{
			rule: "L6", name: "lists go neither back, nor behind what a watch has told",
			why:  "a caller that has seen an instance looks for it in the next list",
			play: listsOnward,
		},
		{
			rule: "L6", name: "spi: what a stream proves is true",
			why:  "lists are served from a stream that proves that it is current",
			play: spiProofs,
		},
	}
}

// listsOnward has instances come, one after the other, so that each list has at least those of the one before, and those
// of every state that was delivered before it.
func listsOnward(s *scene) {
	a, b := s.pair()
	name := s.name("api")
	w := a.watch(name)
	w.healthy(s.soon())
	const n = 40
	registered := s.start(func() {
		for i := range n {
			b.register(s.service(name, fmt.Sprint(i)))
		}
	})
	known, from := 0, "the list before"
	s.eventually(s.soon()+s.Grace, "all instances are listed", func() bool {
		select {
		case state := <-w.states:
			if state.Err == nil && len(state.Services) > known {
				known, from = len(state.Services), "a state"
			}
		default:
		}
		services, err := a.ListServices(s.ctx(), name)
		s.ok(err)
		if len(services) < known {
			s.Errorf("a list has %d instances, %s had %d", len(services), from, known)
		}
		known, from = len(services), "the list before"
		return known == n
	})
	<-registered
}

// acknowledged are writes and when they were.
type acknowledged struct {
	mu sync.Mutex
	at []time.Time // by generation, from 1
}

// before returns the latest generation that was acknowledged before t.
func (a *acknowledged) before(t time.Time) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	latest := 0
	for i, at := range a.at {
		if at.Before(t) {
			latest = i + 1
		}
	}
	return uint64(latest)
}

// spiProofs has a record be written over and over, and checks that whatever was acknowledged before the question of a
// proof has been told by then.
func spiProofs(s *scene) {
	d, e := s.direct(), s.direct()
	name := s.name("api")
	session, _ := d.session()
	var writes acknowledged
	ctx, stop := context.WithCancel(s.ctx())
	written := s.start(func() {
		for generation := uint64(1); ctx.Err() == nil; generation++ {
			d.register(session, s.instance(name, "1", "me", generation))
			writes.mu.Lock()
			writes.at = append(writes.at, time.Now())
			writes.mu.Unlock()
			_ = sleep(ctx, s.TTL/200) // the loop's condition sees how it ended
		}
	})
	defer func() { stop(); <-written }()
	stream, err := e.OpenWatchService(s.ctx(), &driver.WatchServiceRequest{Name: name})
	s.ok(err)
	defer stream.Close()
	told, proofs := uint64(0), 0
	for limit := s.brief(2*s.TTL + s.soon()); proofs < 4; {
		batch, err := stream.Next(limit)
		if errors.Is(err, context.DeadlineExceeded) && limit.Err() != nil {
			break
		}
		s.ok(err)
		for _, change := range batch.Changes {
			told = change.Record.Generation
		}
		if batch.Proof.GoodFor <= 0 {
			continue
		}
		proofs++
		if want := writes.before(batch.Proof.Asked.Time()); told < want {
			s.Errorf("the proof was asked for after write %d was acknowledged, and the stream has told %d", want, told)
		}
		if now := time.Now(); batch.Proof.Asked.Time().After(now) {
			s.Errorf("a proof was asked for at %v, which is after %v", batch.Proof.Asked.Time(), now)
		}
		if batch.Proof.GoodFor > s.TTL {
			s.Errorf("a proof is good for %v: lists may be older than what is dead", batch.Proof.GoodFor)
		}
	}
	if proofs == 0 {
		s.Log("streams of this backend prove nothing, so every list is asked for")
	}
}
