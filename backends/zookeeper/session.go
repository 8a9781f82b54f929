package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// A session of the SPI is an ephemeral node: it lives on the one session that the connection has with the servers, and
// all that is written on it is written together with that node, so that nothing can land on a session that is gone. That
// the node is there is also what heartbeats confirm. Closing it deletes the node and what belongs to it, and leaves the
// servers' session alone.

// heartbeats, settling and trust are parts of the timeout.
const (
	// heartbeats is how many there are in a timeout. Three of them settle the first, so that what counts is at most a
	// third of the timeout old, and an outage of half of it need not put anything in question.
	heartbeats = 12
	// settling is the part after which a confirmed heartbeat counts. A server that is not the leader passes on whom it
	// has heard of every half tick, and a timeout is two ticks at least.
	settling = 4
)

// trust is how long a session that was just opened is certain to last. It lives on the servers' session, of which the
// leader has heard a while ago: the vendor's client pings every third of the timeout, and what comes right after a server
// has passed on whom it has heard of is passed on when a quarter has gone by.
func trust(timeout time.Duration) time.Duration { return timeout * (12 - 4 - 3) / 12 }

var _ driver.Witness = (*backend)(nil)

// Heard implements [driver.Witness]. Whichever server a client connects to, it is the leader who is asked whether there is
// the session that the client names, or to open one, and who counts its timeout from there. What is confirmed on that
// connection later shows that it was the leader indeed, of a majority: a server drops its clients when it follows another
// one.
func (b *backend) Heard() driver.Moment {
	state, _ := b.link.state()
	return state.heard
}

// OpenSession implements [driver.Backend].
func (b *backend) OpenSession(ctx context.Context, _ *driver.OpenSessionRequest) (*driver.OpenSessionResponse, error) {
	mark := newMark()
	path := b.keys.session(mark)
	b.mine.open(mark)
	if err := b.createSession(ctx, path); err != nil {
		if errors.Is(err, driver.ErrOutcomeUnknown) {
			b.tasks.run(func() { b.discard(mark) })
		} else {
			b.mine.forget(mark) // there is nothing to discard, and in a long outage there are many such attempts
		}
		return nil, err
	}
	owner, err := b.ownerOf(ctx, path)
	if err != nil {
		b.tasks.run(func() { b.discard(mark) })
		return nil, err
	}
	timeout := b.timeout()
	return &driver.OpenSessionResponse{
		Session: sessionName(owner, mark), TTL: trust(timeout), RenewEvery: timeout / heartbeats, Settle: timeout / settling,
	}, nil
}

// createSession creates a session's node.
func (b *backend) createSession(ctx context.Context, path string) error {
	_, err := b.transact(ctx, b.keys.sessions, &zk.CreateRequest{Path: path, Acl: b.acl, Flags: zk.FlagEphemeral})
	return surprising("opening a session", err)
}

// ownerOf returns on which session of the servers a session's node lives.
func (b *backend) ownerOf(ctx context.Context, path string) (int64, error) {
	found, err := b.get(ctx, path)
	if errors.Is(err, zk.ErrNoNode) {
		return 0, driver.ErrSessionExpired
	}
	if err != nil {
		return 0, err
	}
	return found.stat.EphemeralOwner, nil
}

// discard removes the node of a session that was not opened after all, if it has come to be.
func (b *backend) discard(mark string) {
	b.persist("discarding a session", func() error {
		_, err := b.CloseSession(b.life, &driver.CloseSessionRequest{Session: sessionName(0, mark)})
		return err
	})
}

// RenewSession implements [driver.Backend]. What confirms it is a write, though one that changes nothing: the leader and
// a majority agree that the session's node is there. A ping, or a read, would be answered by a server that has lost the
// leader.
func (b *backend) RenewSession(
	ctx context.Context, in *driver.RenewSessionRequest,
) (*driver.RenewSessionResponse, error) {
	mark := markOf(in.Session)
	if _, err := b.multi(ctx, check(b.keys.session(mark))); err != nil {
		return nil, b.expired(mark, err)
	}
	return &driver.RenewSessionResponse{GoodFor: b.timeout()}, nil
}

// check is the part of a transaction that fails if there is no such node.
func check(path string) *zk.CheckVersionRequest {
	return &zk.CheckVersionRequest{Path: path, Version: anyVersion}
}

// anyVersion is the version of a node that may have any.
const anyVersion = -1

// expired makes the error of a transaction whose session's node is not there the end of that session.
func (b *backend) expired(mark string, err error) error {
	if errors.Is(err, zk.ErrNoNode) {
		err = driver.ErrSessionExpired
	}
	if errors.Is(err, driver.ErrSessionExpired) {
		b.mine.forget(mark)
	}
	return err
}

// lives returns an error unless a session's node is there.
func (b *backend) lives(ctx context.Context, mark string) error {
	_, err := b.get(ctx, b.keys.session(mark))
	return b.expired(mark, err)
}

// CloseSession implements [driver.Backend]. First the node goes, so that nothing can be added any more.
func (b *backend) CloseSession(
	ctx context.Context, in *driver.CloseSessionRequest,
) (*driver.CloseSessionResponse, error) {
	mark := markOf(in.Session)
	if err := b.remove(ctx, b.keys.session(mark)); err != nil {
		return nil, err
	}
	records, elections := b.mine.close(mark)
	if err := b.removeRecords(ctx, records); err != nil {
		return nil, err
	}
	var candidates []string
	for _, election := range elections {
		found, err := b.findCandidates(ctx, election, mark)
		if err != nil {
			return nil, err
		}
		candidates = append(candidates, found...)
	}
	if err := b.removeAll(ctx, candidates); err != nil {
		return nil, err
	}
	b.mine.forget(mark)
	return &driver.CloseSessionResponse{}, nil
}

// remove deletes a node. It may be gone already.
func (b *backend) remove(ctx context.Context, path string) error {
	_, err := do(ctx, b, true, func(context.Context) (struct{}, error) {
		return struct{}{}, b.conn.Delete(path, anyVersion)
	})
	if errors.Is(err, zk.ErrNoNode) {
		return nil
	}
	return surprising("deleting "+path, err)
}

// removeAtOnce is how many one transaction deletes.
const removeAtOnce = 100

// removeAll deletes nodes, of which some may be gone already.
func (b *backend) removeAll(ctx context.Context, paths []string) error {
	deletes := func(path string) []any { return []any{&zk.DeleteRequest{Path: path, Version: anyVersion}} }
	return b.removeMany(ctx, paths, deletes, func(path string) error { return b.remove(ctx, path) })
}

// removeRecords deletes records of instances with their holders. Some may be gone already.
func (b *backend) removeRecords(ctx context.Context, records []string) error {
	return b.removeMany(ctx, records, b.removals, func(record string) error {
		_, err := b.removeRecord(ctx, record)
		return err
	})
}

// removeMany deletes many at once: by parts in a transaction, and if one is gone already each by itself, though without
// waiting for one before the next is sent.
func (b *backend) removeMany(ctx context.Context, paths []string, parts func(string) []any, each func(string) error) error {
	for some := range slices.Chunk(paths, removeAtOnce) {
		var deletes []any
		for _, path := range some {
			deletes = append(deletes, parts(path)...)
		}
		_, err := b.multi(ctx, deletes...)
		if errors.Is(err, zk.ErrNoNode) {
			err = inParallel(some, each)
		}
		if err != nil {
			return surprising("deleting what lives on a session", err)
		}
	}
	return nil
}

// inParallel does something with each of many at the same time.
func inParallel(paths []string, each func(string) error) error {
	errs := make([]error, len(paths))
	var working sync.WaitGroup
	for i, path := range paths {
		working.Go(func() { errs[i] = each(path) })
	}
	working.Wait()
	return errors.Join(errs...)
}

// persist repeats what must happen until it has, or the backend is closed.
func (b *backend) persist(what string, attempt func() error) {
	for b.life.Err() == nil {
		_, changed := b.link.state()
		err := attempt()
		if err == nil || b.life.Err() != nil {
			return
		}
		b.log.Printf("reception: zookeeper: %s: %v; it will be tried again", what, err)
		timer := time.NewTimer(b.settings.operation)
		select {
		case <-changed:
		case <-timer.C:
		case <-b.life.Done():
		}
		timer.Stop()
	}
}

// A partError is the error of one operation of a transaction, all of which was undone.
type partError struct {
	part int // its place
	err  error
}

func (e *partError) Error() string { return fmt.Sprintf("operation %d: %v", e.part, e.err) }

func (e *partError) Unwrap() error { return e.err }

// partOf returns which operation of a transaction has failed with that answer; -1 if none has.
func partOf(err, answer error) int {
	if part, is := errors.AsType[*partError](err); is && errors.Is(part.err, answer) {
		return part.part
	}
	return -1
}

// multi runs a transaction.
func (b *backend) multi(ctx context.Context, operations ...any) ([]zk.MultiResponse, error) {
	return do(ctx, b, true, func(context.Context) ([]zk.MultiResponse, error) {
		results, err := b.conn.Multi(operations...)
		if err == nil {
			return results, nil
		}
		for i := range results {
			if results[i].Error != nil {
				return nil, &partError{i, results[i].Error}
			}
		}
		return nil, err
	})
}

// transact runs a transaction that creates a node below parent. If there is no parent, it is created first, and again
// if the servers clear it away in between.
func (b *backend) transact(ctx context.Context, parent string, operations ...any) ([]zk.MultiResponse, error) {
	creates := slices.IndexFunc(operations, func(o any) bool { _, is := o.(*zk.CreateRequest); return is })
	for {
		results, err := b.multi(ctx, operations...)
		if partOf(err, zk.ErrNoNode) != creates {
			return results, err
		}
		if err := b.createParents(ctx, parent); err != nil {
			return nil, err
		}
	}
}
