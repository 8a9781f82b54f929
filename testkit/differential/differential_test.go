package differential

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

// TestDifferenceIsNoticed compares the fake with itself, and with fakes that are wrong.
func TestDifferenceIsNoticed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		open func() *Cluster
		same bool
	}{
		{"nothing where there is nothing", faked, true},
		{"nothing where lists come from watches", func() *Cluster {
			return lend(fake.NewCluster(fake.WithTTL(TTL), fake.WithVouching(TTL/4)), nil)
		}, true},
		{"whoever deregisters removes", func() *Cluster {
			c := fake.NewCluster(fake.WithTTL(TTL))
			return lend(c, func(b driver.Backend) driver.Backend { return grabbing{b, c} })
		}, false},
		{"the displaced are not told", wrong(func(b driver.Backend) driver.Backend { return silent{b} }), false},
		{"the oldest comes last", wrong(func(b driver.Backend) driver.Backend { return reversing{b} }), false},
		{"a lost candidacy is not noticed", wrong(func(b driver.Backend) driver.Backend { return trusting{b} }), false},
		{"the leader watch is deaf", wrong(func(b driver.Backend) driver.Backend { return deaf{b} }), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				found := ""
				for seed := uint64(1); seed <= sequences && found == ""; seed++ {
					here, there := faked(), c.open()
					found = difference(sequence(seed, there.verbs(), ""), newSide(t, here), newSide(t, there))
				}
				if (found == "") != c.same {
					t.Errorf("found %q", found)
				}
			})
		})
	}
}

// TestSequencesHaveEverything checks that what clients can do is done, and that faults are left out where there are none.
func TestSequencesHaveEverything(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := uint64(1); seed <= sequences; seed++ {
		for _, s := range sequence(seed, faked().verbs(), "") {
			seen[s.verb]++
		}
		for _, s := range sequence(seed, (&Cluster{}).verbs(), "") {
			if slices.Contains([]string{"cut", "leave", "expire"}, s.verb) {
				t.Fatalf("%s without such a fault", s.verb)
			}
		}
	}
	for _, verb := range faked().verbs() {
		if seen[verb] < sequences/3 {
			t.Errorf("%s is done %d times in %d sequences", verb, seen[verb], sequences)
		}
	}
}

// wrong is a fake through what makes it wrong.
func wrong(wrap func(driver.Backend) driver.Backend) func() *Cluster {
	return func() *Cluster { return lend(fake.NewCluster(fake.WithTTL(TTL)), wrap) }
}

// grabbing removes whoever's record.
type grabbing struct {
	driver.Backend

	cluster *fake.Cluster
}

func (b grabbing) Deregister(_ context.Context, in *driver.DeregisterRequest) (*driver.DeregisterResponse, error) {
	removed, err := b.cluster.Delete("instance", in.Name, in.ID)
	return &driver.DeregisterResponse{Removed: removed}, err
}

// silent says nothing of a record any more once it has shown it. (A watch that never shows it displaces in silence, too,
// but an owner that does not see its record asks for it, and is told then.)
type silent struct{ driver.Backend }

func (b silent) OpenWatchRegistration(
	ctx context.Context, in *driver.WatchRegistrationRequest,
) (driver.InstanceStream, error) {
	stream, err := b.Backend.OpenWatchRegistration(ctx, in)
	return &deafStream[driver.Instance]{Stream: stream}, err
}

// reversing lists backwards.
type reversing struct{ driver.Backend }

func (b reversing) ListServices(
	ctx context.Context, in *driver.ListServicesRequest,
) (*driver.ListServicesResponse, error) {
	out, err := b.Backend.ListServices(ctx, in)
	if err == nil {
		out = &driver.ListServicesResponse{Instances: slices.Clone(out.Instances), Revision: out.Revision}
		slices.Reverse(out.Instances)
	}
	return out, err
}

// trusting confirms every term.
type trusting struct{ driver.Backend }

func (b trusting) Confirm(_ context.Context, _ *driver.ConfirmRequest) (*driver.ConfirmResponse, error) {
	return &driver.ConfirmResponse{GoodFor: TTL}, nil
}

func (b trusting) OpenWatchCandidacy(
	ctx context.Context, in *driver.WatchCandidacyRequest,
) (driver.CandidateStream, error) {
	return b.Backend.OpenWatchCandidacy(ctx, &driver.WatchCandidacyRequest{Session: in.Session, Election: "none"})
}

// deaf hears of no leader any more once it has heard of one.
type deaf struct{ driver.Backend }

func (b deaf) OpenWatchLeader(ctx context.Context, in *driver.WatchLeaderRequest) (driver.CandidateStream, error) {
	stream, err := b.Backend.OpenWatchLeader(ctx, in)
	return &deafStream[driver.Candidate]{Stream: stream}, err
}

// A deafStream delivers its first record and nothing more.
type deafStream[R any] struct {
	driver.Stream[R]
	told bool
}

func (s *deafStream[R]) Next(ctx context.Context) (*driver.Batch[R], error) {
	if s.told {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	batch, err := s.Stream.Next(ctx)
	s.told = err == nil && len(batch.Changes) > 0
	return batch, err
}
