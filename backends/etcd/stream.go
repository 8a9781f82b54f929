package etcd

import (
	"context"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/driver"
)

// OpenWatchService implements [driver.Backend].
func (b *backend) OpenWatchService(ctx context.Context, in *driver.WatchServiceRequest) (driver.InstanceStream, error) {
	return openRecords(ctx, b.follow(b.services, b.keys.service(in.Name), true), b.decodeInstance)
}

// OpenWatchRegistration implements [driver.Backend].
func (b *backend) OpenWatchRegistration(
	ctx context.Context, in *driver.WatchRegistrationRequest,
) (driver.InstanceStream, error) {
	key := b.keys.instance(in.Name, in.ID)
	if kv := b.written.take(key); kv != nil {
		return resumeRecords(b.resume(key, kv.ModRevision), kv, b.decodeInstance), nil
	}
	return openRecords(ctx, b.follow(b.records, key, false), b.decodeInstance)
}

// OpenWatchCandidacy implements [driver.Backend].
func (b *backend) OpenWatchCandidacy(
	ctx context.Context, in *driver.WatchCandidacyRequest,
) (driver.CandidateStream, error) {
	decode := func(kv *mvccpb.KeyValue) *driver.Candidate { return b.decodeCandidate(in.Election, kv) }
	return openRecords(ctx, b.follow(b.records, b.keys.candidate(in.Election, leaseOf(in.Session)), false), decode)
}

// A recordStream tells which records there are under the keys of a feed.
type recordStream[R any] struct {
	feed   *feed
	decode func(*mvccpb.KeyValue) *R // nil for what is no record
	first  *update                   // read when the stream was opened; nil once it was told
	known  map[string]*R             // as told last, by key
}

// openRecords reads what there is, so that whoever opens a stream learns at once if that is not possible.
func openRecords[R any](ctx context.Context, f *feed, decode func(*mvccpb.KeyValue) *R) (driver.Stream[R], error) {
	first, err := f.next(ctx)
	if err != nil {
		f.close()
		return nil, err
	}
	return &recordStream[R]{feed: f, decode: decode, first: first}, nil
}

// resumeRecords tells that there is kv, and then what has happened since it was written.
func resumeRecords[R any](f *feed, kv *mvccpb.KeyValue, decode func(*mvccpb.KeyValue) *R) driver.Stream[R] {
	f.beat.saw(kv.ModRevision)
	first := &update{reset: true, kvs: []*mvccpb.KeyValue{kv}, revision: kv.ModRevision}
	return &recordStream[R]{feed: f, decode: decode, first: first}
}

// Next implements [driver.Stream].
func (s *recordStream[R]) Next(ctx context.Context) (*driver.Batch[R], error) {
	for {
		u, err := s.feed.after(ctx, &s.first)
		if err != nil {
			return nil, err
		}
		batch := &driver.Batch[R]{Reset: u.reset, Cursor: uint64(u.revision), Proof: u.proof}
		if u.reset {
			s.known = make(map[string]*R, len(u.kvs))
			batch.Changes = make([]driver.Change[R], 0, len(u.kvs))
		}
		for _, kv := range u.kvs {
			batch.Changes = s.put(batch.Changes, kv)
		}
		for _, event := range u.events {
			if event.Type == clientv3.EventTypeDelete {
				batch.Changes = s.delete(batch.Changes, string(event.Kv.Key))
			} else {
				batch.Changes = s.put(batch.Changes, event.Kv)
			}
		}
		if u.reset || len(batch.Changes) > 0 || u.proof.GoodFor > 0 {
			return batch, nil
		}
	}
}

// put adds the change that kv is. A record that was overwritten with something that is none is gone.
func (s *recordStream[R]) put(changes []driver.Change[R], kv *mvccpb.KeyValue) []driver.Change[R] {
	record := s.decode(kv)
	if record == nil {
		return s.delete(changes, string(kv.Key))
	}
	s.known[string(kv.Key)] = record
	return append(changes, driver.Change[R]{Record: record})
}

// delete adds the end of the record under key, if there was one.
func (s *recordStream[R]) delete(changes []driver.Change[R], key string) []driver.Change[R] {
	record := s.known[key]
	if record == nil {
		return changes
	}
	delete(s.known, key)
	return append(changes, driver.Change[R]{Deleted: true, Record: record})
}

// Close implements [driver.Stream].
func (s *recordStream[R]) Close() { s.feed.close() }
