package consul

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// A seat is one candidacy.
type seat struct {
	election string
	value    []byte          // what the key holds while the candidate leads
	given    context.Context // ends when the candidacy is given up
	giveUp   context.CancelFunc
	busy     chan struct{} // holds a value while an attempt at the lock is under way

	// Guarded by the session's mu:
	token uint64 // of the term, once the lock was seen to be held; 0 before that
}

// A candidate is what the key of an election holds.
type candidate struct {
	Version    int               `json:"version"`
	Session    string            `json:"session"`
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Address    string            `json:"address,omitempty"`
	Port       int               `json:"port"`
	Attributes driver.Attributes `json:"attributes,omitempty"`
}

func encodeCandidate(session driver.SessionID, s *driver.Service) ([]byte, error) {
	value, err := json.Marshal(&candidate{
		Version: formatVersion, Session: string(session),
		ID: s.ID, Name: s.Name, Address: s.Address, Port: s.Port, Attributes: s.Attributes,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot be stored: %w", err)
	}
	return value, nil
}

// leaderOf reads who leads, nil for nobody. Where the content of a lock cannot be read its holder leads all the same.
func (b *backend) leaderOf(election string, pair *api.KVPair) *driver.Candidate {
	if pair == nil || pair.Session == "" {
		return nil
	}
	leader := &driver.Candidate{Election: election, Token: pair.ModifyIndex}
	var c candidate
	if err := json.Unmarshal(pair.Value, &c); err != nil || c.Version != formatVersion {
		b.log.Printf("reception: consul: %q, the lock of an election, does not hold a candidate: %v", pair.Key, err)
		return leader
	}
	leader.Session = driver.SessionID(c.Session)
	leader.Service = driver.Service{ID: c.ID, Name: c.Name, Address: c.Address, Port: c.Port, Attributes: c.Attributes}
	return leader
}

// openLock makes Consul's session for a session, unless there is one. It is bound to the helper's TTL check, so that it
// ends with the heartbeats and not after twice the 10 s that a session's own TTL is at least; and to the check of the
// agent's node, as by default.
func (b *backend) openLock(ctx context.Context, s *session) (string, error) {
	unlock, err := b.writes.lock(ctx, helperID(s.id))
	if err != nil {
		return "", err
	}
	defer unlock()
	if lock := s.lockSession(); lock != "" {
		return lock, nil
	}
	if err := b.addTTLCheck(ctx, s); err != nil {
		return "", err
	}
	if err := b.awaitHelper(ctx, s); err != nil {
		return "", err
	}
	var lock string
	err = b.write(ctx, func(ctx context.Context) (err error) {
		lock, _, err = b.client.Session().Create(&api.SessionEntry{
			Name: "reception " + string(s.id), LockDelay: b.settings.lockDelay, Behavior: api.SessionBehaviorRelease,
			NodeChecks:    []string{"serfHealth"},
			ServiceChecks: []api.ServiceCheck{{ID: ttlCheckOf(s.id), Namespace: b.settings.namespace}},
		}, new(api.WriteOptions).WithContext(ctx))
		return err
	})
	if err != nil {
		return "", err // one that was made all the same ends with the helper
	}
	s.mu.Lock()
	s.lock = lock
	s.mu.Unlock()
	return lock, nil
}

// addTTLCheck gives the helper a TTL check where it has an HTTP check so far.
func (b *backend) addTTLCheck(ctx context.Context, s *session) error {
	if s.hasTTL() {
		return nil
	}
	check := b.ttlCheck(s)
	registration := &api.AgentCheckRegistration{
		ID: check.CheckID, Name: check.Name, ServiceID: helperID(s.id), AgentServiceCheck: *check,
	}
	registration.CheckID = "" // here it is called ID, and the other is refused
	err := b.write(ctx, func(ctx context.Context) error {
		return b.client.Agent().CheckRegisterOpts(registration, options(ctx))
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timed = true
	return nil
}

// awaitHelper waits until the servers hold the helper's TTL check.
func (b *backend) awaitHelper(ctx context.Context, s *session) error {
	index := uint64(0)
	for {
		entry, next, err := b.helper(ctx, s, index)
		if err != nil {
			return err
		}
		if entry != nil {
			for _, check := range entry.Checks {
				if check.CheckID == ttlCheckOf(s.id) {
					return nil
				}
			}
		}
		if index > 0 && next == index { // nothing has happened within the operation timeout
			return fmt.Errorf("%w: the agent does not bring the client's check to the servers", driver.ErrUnavailable)
		}
		index = next
	}
}

// checkLockSession asks the servers whether Consul's session stands.
func (b *backend) checkLockSession(ctx context.Context, s *session, lock string) error {
	var entry *api.SessionEntry
	err := b.read(ctx, func(ctx context.Context) (err error) {
		entry, _, err = b.client.Session().Info(lock, consistent(ctx))
		return err
	})
	if err != nil {
		return err
	}
	if entry == nil {
		return b.expire(ctx, s, errors.New("consul has ended it"))
	}
	return nil
}

// closeLocks gives up everything that a session holds, and ends Consul's session. Locks are released first, because the
// end of a session delays the next holder.
func (b *backend) closeLocks(ctx context.Context, s *session) error {
	lock := s.lockSession()
	if lock == "" {
		return nil
	}
	s.mu.Lock()
	seats := make([]*seat, 0, len(s.seats))
	for _, seat := range s.seats {
		seats = append(seats, seat)
	}
	s.mu.Unlock()
	for _, seat := range seats {
		seat.giveUp()
		if _, err := b.release(ctx, seat, lock); err != nil {
			return err
		}
	}
	return b.write(ctx, func(ctx context.Context) error {
		_, err := b.client.Session().Destroy(lock, new(api.WriteOptions).WithContext(ctx))
		return err
	})
}

// release unlocks the key of an election. It reports whether the lock was held. It waits for an attempt that is under
// way, so that the lock is not taken right after it was released.
func (b *backend) release(ctx context.Context, seat *seat, lock string) (held bool, err error) {
	select {
	case seat.busy <- struct{}{}:
		defer func() { <-seat.busy }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	won, _, err := b.transact(ctx, &api.KVTxnOp{Verb: api.KVUnlock, Key: b.electionKey(seat.election), Session: lock})
	return won != nil, err
}

// Why an attempt at a lock has failed.
var (
	errDelayed = errors.New("consul keeps the lock free for the lock-delay")
	errMoved   = errors.New("somebody else was faster")
)

// attempt tries to take the lock of an election, which was seen free as pair, nil if there was no key. It fails if the
// key has changed since: otherwise the lock could pass from a holder that fails at this very moment to this one without
// the lock-delay, which the leader of the servers looks at before it takes the request into its log.
func (b *backend) attempt(ctx context.Context, seat *seat, lock string, pair *api.KVPair) (token uint64, err error) {
	select {
	case seat.busy <- struct{}{}:
		defer func() { <-seat.busy }()
	case <-seat.given.Done():
		return 0, driver.ErrNotLeader
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if seat.given.Err() != nil {
		return 0, driver.ErrNotLeader
	}
	key := b.electionKey(seat.election)
	guard := &api.KVTxnOp{Verb: api.KVCheckNotExists, Key: key}
	if pair != nil {
		guard = &api.KVTxnOp{Verb: api.KVCheckIndex, Key: key, Index: pair.ModifyIndex}
	}
	won, failures, err := b.transact(ctx, guard, &api.KVTxnOp{Verb: api.KVLock, Key: key, Value: seat.value, Session: lock})
	if err != nil {
		return 0, err
	}
	if won != nil {
		return won.ModifyIndex, nil
	}
	switch {
	case strings.Contains(failures, "invalid session"):
		return 0, fmt.Errorf("%w: %s", driver.ErrSessionExpired, failures)
	case strings.Contains(failures, "lock delay"):
		return 0, errDelayed
	default:
		return 0, errMoved
	}
}

// transact carries out operations together. It returns the key as the last of them has left it, or else why they were
// not carried out.
func (b *backend) transact(ctx context.Context, ops ...*api.KVTxnOp) (result *api.KVPair, failures string, err error) {
	all := make(api.TxnOps, 0, len(ops))
	for _, op := range ops {
		all = append(all, &api.TxnOp{KV: op})
	}
	err = b.write(ctx, func(ctx context.Context) error {
		done, response, _, err := b.client.Txn().Txn(all, options(ctx))
		if err != nil {
			return err
		}
		if !done {
			for _, failure := range response.Errors {
				failures += failure.What + "; "
			}
			if strings.Contains(failures, "Permission denied") {
				return errors.New(failures)
			}
			return nil
		}
		if last := len(response.Results) - 1; last >= 0 {
			result = response.Results[last].KV
		}
		return nil
	})
	return result, failures, err
}

// jitter is how long the candidates wait that a departure wakes all at once.
const jitter = 10 * time.Millisecond

// delayPolls is how often in a lock-delay a candidate tries whether it is over, where it cannot know when it began.
const delayPolls = 10

// outwait waits until another attempt at a delayed lock is worth while: until the delay is over, where its beginning was
// seen. Where it was not, or the last holder's delay is longer than this client's, that is a part of a delay. It reports
// false when ctx has ended.
func (b *backend) outwait(ctx context.Context, delay <-chan time.Time) bool {
	if delay == nil {
		return pause(ctx, b.settings.lockDelay/delayPolls)
	}
	select {
	case <-delay:
		return pause(ctx, jitter)
	case <-ctx.Done():
		return false
	}
}
