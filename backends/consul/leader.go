package consul

import (
	"context"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// OpenWatchLeader implements [driver.Backend].
func (b *backend) OpenWatchLeader(ctx context.Context, in *driver.WatchLeaderRequest) (driver.CandidateStream, error) {
	return b.openLockStream(ctx, in.Election, func(pair *api.KVPair) *driver.Candidate {
		return b.leaderOf(in.Election, pair)
	})
}

// OpenWatchCandidacy implements [driver.Backend]. A candidacy that waits is known to this process alone; one that leads
// is known by the lock.
func (b *backend) OpenWatchCandidacy(
	ctx context.Context, in *driver.WatchCandidacyRequest,
) (driver.CandidateStream, error) {
	return b.openLockStream(ctx, in.Election, func(pair *api.KVPair) *driver.Candidate {
		s := b.sessions.get(in.Session)
		if s == nil || s.life.Err() != nil {
			return nil
		}
		seat, token := s.seat(in.Election)
		switch {
		case seat == nil:
			return nil
		case pair != nil && pair.Session == s.lockSession():
			return b.leaderOf(in.Election, pair)
		case token != 0:
			return nil
		default:
			return &driver.Candidate{Election: in.Election, Session: in.Session}
		}
	})
}

// A lockStream tells of the candidate that the lock of an election shows.
type lockStream struct {
	poll    *poll[*api.KVPair]
	look    func(*api.KVPair) *driver.Candidate // nil for nobody
	first   *api.KVPair                         // read when the stream was opened
	begun   bool
	present *driver.Candidate // as told last
}

// openLockStream reads the lock, so that whoever opens a stream learns at once if that is not possible.
func (b *backend) openLockStream(
	ctx context.Context, election string, look func(*api.KVPair) *driver.Candidate,
) (driver.CandidateStream, error) {
	p := b.pollElection(election)
	first, err := p.next(ctx)
	if err != nil {
		p.close()
		return nil, err
	}
	return &lockStream{poll: p, look: look, first: first}, nil
}

// Next implements [driver.Stream]. Every batch is a reset: the candidate, or nobody.
func (s *lockStream) Next(ctx context.Context) (*driver.Batch[driver.Candidate], error) {
	if !s.begun {
		if s.poll.ctx.Err() != nil {
			return nil, driver.ErrClosed
		}
		s.begun, s.present = true, s.look(s.first)
		return s.batch(), nil
	}
	for {
		pair, err := s.poll.next(ctx)
		if err != nil {
			return nil, err
		}
		now := s.look(pair)
		s.poll.fruitless = sameCandidate(s.present, now)
		if !s.poll.fruitless {
			s.present = now
			return s.batch(), nil
		}
	}
}

func (s *lockStream) batch() *driver.Batch[driver.Candidate] {
	batch := &driver.Batch[driver.Candidate]{Reset: true, Cursor: s.poll.index}
	if s.present != nil {
		batch.Changes = []driver.Change[driver.Candidate]{{Record: s.present}}
	}
	return batch
}

// sameCandidate says whether two are the same candidacy, in the same term.
func sameCandidate(a, b *driver.Candidate) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Session == b.Session && a.Token == b.Token
}

// Close implements [driver.Stream].
func (s *lockStream) Close() { s.poll.close() }
