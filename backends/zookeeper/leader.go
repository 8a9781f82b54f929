package zookeeper

import (
	"context"
	"errors"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// GetLeader implements [driver.Backend].
func (b *backend) GetLeader(ctx context.Context, in *driver.GetLeaderRequest) (*driver.GetLeaderResponse, error) {
	head, _, err := b.head(ctx, in.Election, b.getNode)
	if err != nil {
		return nil, err
	}
	if head == nil {
		return nil, driver.ErrNoLeader
	}
	return &driver.GetLeaderResponse{Leader: head}, nil
}

// head reads the first of an election's queue, nil if there is none, and what read returns with it.
func (b *backend) head(
	ctx context.Context, election string, read func(context.Context, string) (*content, <-chan zk.Event, error),
) (*driver.Candidate, <-chan zk.Event, error) {
	parent := b.keys.election(election)
again:
	for {
		found, err := b.list(ctx, parent)
		if err != nil {
			return nil, nil, err
		}
		for _, p := range queueOf(found.names) {
			found, watch, err := read(ctx, parent+"/"+p.name)
			if errors.Is(err, zk.ErrNoNode) {
				continue again
			}
			if err != nil {
				return nil, nil, err
			}
			if found.stat.EphemeralOwner != 0 {
				return b.decodeCandidate(election, p, found), watch, nil
			}
		}
		return nil, nil, nil
	}
}

// decodeCandidate reads a candidate that is in the queue; it logs what cannot be read. Such a one leads all the same.
func (b *backend) decodeCandidate(election string, p place, found *content) *driver.Candidate {
	c, err := decodeCandidate(election, p, found.data, found.stat)
	if err != nil {
		b.log.Printf("reception: zookeeper: candidate %s of %s cannot be understood: %v", p.name, election, err)
	}
	return c
}

// OpenWatchLeader implements [driver.Backend]. It watches the one who leads, and not the queue: who joins that wakes
// nobody.
func (b *backend) OpenWatchLeader(ctx context.Context, in *driver.WatchLeaderRequest) (driver.CandidateStream, error) {
	return b.openCandidates(ctx, in.Election, func(ctx context.Context) (*driver.Candidate, <-chan zk.Event, error) {
		return b.head(ctx, in.Election, b.watchNode)
	})
}

// OpenWatchCandidacy implements [driver.Backend].
func (b *backend) OpenWatchCandidacy(
	ctx context.Context, in *driver.WatchCandidacyRequest,
) (driver.CandidateStream, error) {
	key := candidateKey{markOf(in.Session), in.Election}
	return b.openCandidates(ctx, in.Election, func(ctx context.Context) (*driver.Candidate, <-chan zk.Event, error) {
		return b.lookAtCandidate(ctx, key)
	})
}

// openCandidates opens a stream of the one candidate that find finds, if there is one. While there is none, it watches
// the queue.
func (b *backend) openCandidates(
	ctx context.Context, election string, find func(context.Context) (*driver.Candidate, <-chan zk.Event, error),
) (driver.CandidateStream, error) {
	lookAt := func(ctx context.Context, _ bool) (*glance[driver.Candidate], error) {
		one, watch, err := find(ctx)
		if one == nil && err == nil {
			var found *listing
			if found, watch, err = b.watchChildren(ctx, b.keys.election(election)); err != nil {
				return nil, err
			}
			var oneWatch <-chan zk.Event
			if one, oneWatch, err = find(ctx); one == nil && err == nil {
				return &glance[driver.Candidate]{revision: found.revision(), watch: watch}, nil
			}
			watch = oneWatch
		}
		if err != nil {
			return nil, err
		}
		return &glance[driver.Candidate]{record: one, revision: one.Token, watch: watch}, nil
	}
	sameTerm := func(a, b *driver.Candidate) bool { return a.Token == b.Token }
	return openStream(ctx, &stream[driver.Candidate]{b: b, look: looksAt(lookAt, sameTerm, sameTerm)})
}

// lookAtCandidate reads a candidate, nil if there is none, and watches it.
func (b *backend) lookAtCandidate(ctx context.Context, key candidateKey) (*driver.Candidate, <-chan zk.Event, error) {
	for {
		at, known, err := b.whereabouts(ctx, key)
		if err != nil || !known {
			return nil, nil, err
		}
		p, is := parsePlace(at.path[len(b.keys.election(key.election))+1:])
		if !is {
			return nil, nil, nil
		}
		found, watch, err := b.watchNode(ctx, at.path)
		if errors.Is(err, zk.ErrNoNode) {
			b.mine.left(key)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		return b.decodeCandidate(key.election, p, found), watch, nil
	}
}

// whereabouts returns where a candidate is, if there is one.
func (b *backend) whereabouts(ctx context.Context, key candidateKey) (candidateAt, bool, error) {
	if at, known, _ := b.mine.candidate(key); known {
		return at, true, nil
	}
	paths, err := b.findCandidates(ctx, key.election, key.mark)
	if err != nil || len(paths) == 0 {
		return candidateAt{}, false, err
	}
	return candidateAt{path: paths[0]}, true, nil
}
