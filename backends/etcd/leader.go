package etcd

import (
	"context"
	"maps"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/driver"
)

// OpenWatchLeader implements [driver.Backend].
func (b *backend) OpenWatchLeader(ctx context.Context, in *driver.WatchLeaderRequest) (driver.CandidateStream, error) {
	f := b.follow(b.records, b.keys.election(in.Election), true)
	first, err := f.next(ctx)
	if err != nil {
		f.close()
		return nil, err
	}
	return &leaderStream{feed: f, election: in.Election, first: first}, nil
}

// A leaderStream tells who is at the head of an election's queue.
type leaderStream struct {
	feed     *feed
	election string
	first    *update // read when the stream was opened; nil once it was told
	queue    map[string]*mvccpb.KeyValue
	head     *mvccpb.KeyValue // as told last; nil for nobody
}

// Next implements [driver.Stream]. Every batch is a reset: the head, or nobody.
func (s *leaderStream) Next(ctx context.Context) (*driver.Batch[driver.Candidate], error) {
	for {
		u, err := s.feed.after(ctx, &s.first)
		if err != nil {
			return nil, err
		}
		before := s.head
		s.apply(u)
		if !u.reset && s.head == before {
			continue
		}
		batch := &driver.Batch[driver.Candidate]{Reset: true, Cursor: uint64(u.revision)}
		if s.head != nil {
			leader := s.feed.b.candidateOf(s.election, s.head)
			batch.Changes = []driver.Change[driver.Candidate]{{Record: leader}}
		}
		return batch, nil
	}
}

// apply makes the queue, and its head, what they are after u.
func (s *leaderStream) apply(u *update) {
	if u.reset {
		s.queue, s.head = make(map[string]*mvccpb.KeyValue, len(u.kvs)), nil
	}
	for _, kv := range u.kvs {
		s.put(kv)
	}
	for _, event := range u.events {
		if event.Type == clientv3.EventTypeDelete {
			s.remove(string(event.Kv.Key))
		} else {
			s.put(event.Kv)
		}
	}
}

// put adds a candidate, or gives it new content.
func (s *leaderStream) put(kv *mvccpb.KeyValue) {
	key := string(kv.Key)
	if _, yes := queues(s.feed.key, kv); !yes {
		s.remove(key)
		return
	}
	s.queue[key] = kv
	if s.head == nil || byCreation(kv, s.head) <= 0 {
		s.head = kv
	}
}

// remove takes a candidate out. Only the departure of the head costs a look at the others.
func (s *leaderStream) remove(key string) {
	gone := s.queue[key]
	delete(s.queue, key)
	if gone == nil || gone != s.head {
		return
	}
	s.head = nil
	for kv := range maps.Values(s.queue) {
		if s.head == nil || byCreation(kv, s.head) < 0 {
			s.head = kv
		}
	}
}

// Close implements [driver.Stream].
func (s *leaderStream) Close() { s.feed.close() }
