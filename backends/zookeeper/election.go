package zookeeper

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// Enqueue implements [driver.Backend]. The candidate's node is named after its session, so that it is found again where
// the answer was lost.
func (b *backend) Enqueue(ctx context.Context, in *driver.EnqueueRequest) (*driver.EnqueueResponse, error) {
	key := candidateKey{markOf(in.Session), in.Election}
	data, err := encodeCandidate(&in.Service)
	if err != nil {
		return nil, err
	}
	at, known, possible := b.mine.candidate(key)
	if known || possible {
		if at, known, err = b.seek(ctx, key, at); err != nil {
			return nil, err
		}
	}
	if known {
		b.mine.queued(key, at)
		return &driver.EnqueueResponse{}, nil
	}
	b.mine.queueing(key)
	parent := b.keys.election(in.Election)
	const session, creates = 0, 1
	results, err := b.transact(ctx, parent,
		&zk.SetDataRequest{Path: b.keys.session(key.mark), Version: anyVersion},
		&zk.CreateRequest{Path: parent + "/" + key.mark + "-", Data: data, Acl: b.acl, Flags: zk.FlagEphemeralSequential},
	)
	if partOf(err, zk.ErrNoNode) == session {
		return nil, b.expired(key.mark, err)
	}
	if err != nil {
		return nil, surprising("queueing for "+in.Election, err)
	}
	b.mine.queued(key, candidateAt{path: results[creates].String, token: uint64(results[session].Stat.Mzxid)})
	return &driver.EnqueueResponse{}, nil
}

// seek looks for a candidate, first where it is believed to be.
func (b *backend) seek(ctx context.Context, key candidateKey, at candidateAt) (candidateAt, bool, error) {
	if at.path == "" {
		paths, err := b.findCandidates(ctx, key.election, key.mark)
		if err != nil || len(paths) == 0 {
			return candidateAt{}, false, err
		}
		at.path = paths[0]
	}
	found, err := b.get(ctx, at.path)
	if errors.Is(err, zk.ErrNoNode) {
		b.mine.left(key)
		return candidateAt{}, false, nil
	}
	if err != nil {
		return candidateAt{}, false, err
	}
	at.token = uint64(found.stat.Czxid)
	return at, true, nil
}

// findCandidates returns the paths of the candidates of a session, of which there is one at the most unless somebody
// meddles. The server is brought up to date first: it may be another one than that on which a candidate was created whose
// answer was lost.
func (b *backend) findCandidates(ctx context.Context, election, mark string) (paths []string, err error) {
	parent := b.keys.election(election)
	if _, err := do(ctx, b, false, func(context.Context) (string, error) { return b.conn.Sync(parent) }); err != nil {
		return nil, surprising("catching up on "+parent, err)
	}
	found, err := b.list(ctx, parent)
	if err != nil {
		return nil, err
	}
	for _, p := range queueOf(found.names) {
		if p.mark == mark {
			paths = append(paths, parent+"/"+p.name)
		}
	}
	return paths, nil
}

// candidate returns where a candidate is. It fails if there is none.
func (b *backend) candidate(ctx context.Context, key candidateKey) (candidateAt, error) {
	at, known, _ := b.mine.candidate(key)
	if known {
		return at, nil
	}
	at, found, err := b.seek(ctx, key, at)
	if err != nil {
		return at, err
	}
	if !found {
		return at, b.absent(ctx, key)
	}
	b.mine.queued(key, at)
	return at, nil
}

// absent says why there is no candidate on a session: the session has gone, or the candidate has.
func (b *backend) absent(ctx context.Context, key candidateKey) error {
	b.mine.left(key)
	if err := b.lives(ctx, key.mark); err != nil {
		return err
	}
	return driver.ErrNotLeader
}

// AwaitTurn implements [driver.Backend]. It watches the candidate that comes right before this one, so that one that
// leaves wakes one that waits.
func (b *backend) AwaitTurn(ctx context.Context, in *driver.AwaitTurnRequest) (*driver.AwaitTurnResponse, error) {
	key := candidateKey{markOf(in.Session), in.Election}
	relist := time.NewTimer(b.settings.relist)
	defer relist.Stop()
	for {
		state, err := b.ready(ctx)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		ahead, err := b.ahead(ctx, key)
		if err != nil {
			return nil, err
		}
		if ahead.head {
			return &driver.AwaitTurnResponse{Token: ahead.token}, nil
		}
		relist.Reset(about(b.settings.relist))
		if err := b.awaitStep(ctx, ahead, state, relist.C); err != nil {
			return nil, err
		}
	}
}

// awaitStep waits until there may be news for who waits.
func (b *backend) awaitStep(ctx context.Context, ahead *turn, before linkState, relist <-chan time.Time) error {
	for {
		state, changed := b.link.state()
		if state.up && state.regains != before.regains {
			return nil
		}
		select {
		case <-ahead.own:
			return nil
		case <-ahead.predecessor:
			return nil
		case <-relist:
			return nil
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-b.life.Done():
			return driver.ErrClosed
		}
	}
}

// A turn is a candidate's view of the queue.
type turn struct {
	token            uint64
	head             bool
	own, predecessor <-chan zk.Event // fire when those have gone
}

// ahead looks who comes before a candidate.
func (b *backend) ahead(ctx context.Context, key candidateKey) (*turn, error) {
	parent := b.keys.election(key.election)
	for {
		at, err := b.candidate(ctx, key)
		if err != nil {
			return nil, err
		}
		found, err := b.list(ctx, parent)
		if err != nil {
			return nil, err
		}
		queue := queueOf(found.names)
		mine := slices.IndexFunc(queue, func(p place) bool { return parent+"/"+p.name == at.path })
		if mine < 0 {
			b.mine.left(key)
			return nil, b.absent(ctx, key)
		}
		own, ownWatch, err := b.watchNode(ctx, at.path)
		if errors.Is(err, zk.ErrNoNode) {
			return nil, b.absent(ctx, key)
		}
		if err != nil {
			return nil, err
		}
		t := &turn{token: uint64(own.stat.Czxid), own: ownWatch}
		again, err := b.watchPredecessor(ctx, parent, queue[:mine], t)
		if err != nil {
			return nil, err
		}
		if again {
			continue
		}
		b.mine.queued(key, candidateAt{path: at.path, token: t.token, head: t.head})
		return t, nil
	}
}

// watchPredecessor has t fire when the nearest of those before it goes. What was created later, or lives on no session,
// is nobody that has come before. It reports whether somebody has gone in between.
func (b *backend) watchPredecessor(ctx context.Context, parent string, before []place, t *turn) (again bool, err error) {
	for _, p := range slices.Backward(before) {
		found, watch, err := b.watchNode(ctx, parent+"/"+p.name)
		if errors.Is(err, zk.ErrNoNode) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if found.stat.EphemeralOwner != 0 && uint64(found.stat.Czxid) < t.token {
			t.predecessor = watch
			return false, nil
		}
	}
	t.head = true
	return false, nil
}

// Confirm implements [driver.Backend]. One transaction has the leader of the servers and a majority confirm that session
// and candidate are there. Who was at the head once stays there while it is: others queue behind it.
func (b *backend) Confirm(ctx context.Context, in *driver.ConfirmRequest) (*driver.ConfirmResponse, error) {
	key := candidateKey{markOf(in.Session), in.Election}
	at, err := b.candidate(ctx, key)
	if err != nil {
		return nil, err
	}
	if !at.head {
		t, err := b.ahead(ctx, key)
		if err != nil {
			return nil, err
		}
		if !t.head {
			return nil, driver.ErrNotLeader
		}
		at, _, _ = b.mine.candidate(key)
	}
	if at.token != in.Token {
		return nil, driver.ErrNotLeader
	}
	_, err = b.multi(ctx, check(b.keys.session(key.mark)), check(at.path))
	const candidate = 1
	switch {
	case partOf(err, zk.ErrNoNode) == candidate:
		b.mine.left(key)
		return nil, driver.ErrNotLeader
	case err != nil:
		return nil, b.expired(key.mark, err)
	}
	return &driver.ConfirmResponse{GoodFor: b.timeout()}, nil
}

// Withdraw implements [driver.Backend].
func (b *backend) Withdraw(ctx context.Context, in *driver.WithdrawRequest) (*driver.WithdrawResponse, error) {
	key := candidateKey{markOf(in.Session), in.Election}
	at, known, _ := b.mine.candidate(key)
	if !known {
		paths, err := b.findCandidates(ctx, key.election, key.mark)
		if err != nil {
			return nil, err
		}
		if len(paths) == 0 {
			return nil, driver.ErrNotLeader
		}
		at.path = paths[0]
	}
	_, err := do(ctx, b, true, func(context.Context) (struct{}, error) {
		return struct{}{}, b.conn.Delete(at.path, anyVersion)
	})
	if err == nil || errors.Is(err, zk.ErrNoNode) {
		b.mine.left(key)
	}
	if errors.Is(err, zk.ErrNoNode) {
		return nil, driver.ErrNotLeader
	}
	if err != nil {
		return nil, surprising("withdrawing from "+in.Election, err)
	}
	return &driver.WithdrawResponse{}, nil
}
