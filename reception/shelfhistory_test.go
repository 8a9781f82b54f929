package reception_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// A puppet is a backend whose stream of a service, and whose lists and writes, say what a test wants them to.
type puppet struct {
	driver.Backend
	batches  chan *driver.Batch[driver.Instance]
	list     driver.ListServicesResponse
	revision uint64
	asked    int // how often for a list
	// registering, unless it is nil, is what writes wait for the end of.
	registering chan struct{}
}

func (p *puppet) OpenWatchService(context.Context, *driver.WatchServiceRequest) (driver.InstanceStream, error) {
	return &puppetStream{p}, nil
}

func (p *puppet) ListServices(context.Context, *driver.ListServicesRequest) (*driver.ListServicesResponse, error) {
	p.asked++
	return &p.list, nil
}

func (p *puppet) Register(ctx context.Context, in *driver.RegisterRequest) (*driver.RegisterResponse, error) {
	if p.registering != nil {
		<-p.registering
	}
	out, err := p.Backend.Register(ctx, in)
	if err != nil {
		return nil, err
	}
	return &driver.RegisterResponse{Displaced: out.Displaced, Revision: p.revision}, nil
}

type puppetStream struct{ *puppet }

func (p *puppetStream) Next(ctx context.Context) (*driver.Batch[driver.Instance], error) {
	select {
	case batch := <-p.batches:
		return batch, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *puppetStream) Close() {}

// stored are records of "api".
func stored(ids ...string) (instances []*driver.Instance) {
	for i, id := range ids {
		instances = append(instances, &driver.Instance{
			Service: driver.Service{Name: "api", ID: id, Address: "10.0.0.1", Port: 1}, Created: uint64(i + 1),
		})
	}
	return instances
}

// told is a batch that tells of records.
func told(reset bool, cursor uint64, instances ...*driver.Instance) *driver.Batch[driver.Instance] {
	batch := &driver.Batch[driver.Instance]{Reset: reset, Cursor: cursor}
	for _, instance := range instances {
		batch.Changes = append(batch.Changes, driver.Change[driver.Instance]{Record: instance})
	}
	return batch
}

// proven is batch with a proof.
func proven(batch *driver.Batch[driver.Instance]) *driver.Batch[driver.Instance] {
	batch.Proof = driver.Proof{Asked: driver.Now(), GoodFor: goodFor}
	return batch
}

// A show is a test with a client that watches "api" on a puppet.
type show struct {
	*testing.T
	*puppet
	client reception.Client
}

func puppets(t *testing.T, run func(s *show)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &puppet{Backend: fake.NewCluster().Backend(), batches: make(chan *driver.Batch[driver.Instance])}
		s := &show{T: t, puppet: p, client: newClient(t, p)}
		start(t, s.client.NewWatcher("api"))
		synctest.Wait()
		run(s)
	})
}

// lists checks what a list shows, and whether the backend was asked for it.
func (s *show) lists(asks bool, want ...string) {
	s.Helper()
	synctest.Wait()
	before := s.asked
	services, err := s.client.ListServices(s.Context(), "api")
	got := []string{}
	for _, service := range services {
		got = append(got, service.ID)
	}
	if err != nil || !slices.Equal(got, want) {
		s.Errorf("the list is %v, %v; want %v", got, err, want)
	}
	if asked := s.asked > before; asked != asks {
		s.Errorf("the backend was asked: %v, want %v", asked, asks)
	}
}

// register has the client write, which the backend acknowledges as that revision.
func (s *show) register(id string, revision uint64) {
	s.Helper()
	s.revision = revision
	register(s.T, s.client, service("api", id, 1))
}

// shows makes what the backend lists.
func (s *show) shows(revision uint64, ids ...string) {
	s.list = driver.ListServicesResponse{Instances: stored(ids...), Revision: revision}
}

// TestListsDoNotGoBack: a list that the backend was asked for shows what the watch has not heard of yet. The next one must
// not be served before it has.
func TestListsDoNotGoBack(t *testing.T) {
	puppets(t, func(s *show) {
		s.batches <- proven(told(true, 10))
		s.lists(false)
		s.shows(12, "mine", "theirs")
		s.register("mine", 11)
		s.lists(true, "mine", "theirs")
		s.batches <- told(false, 11, stored("mine")...) // the watch has passed the write, and not what was listed
		s.lists(true, "mine", "theirs")
		s.batches <- told(false, 12, stored("mine", "theirs")[1])
		s.lists(false, "mine", "theirs")
	})
}

// TestListOfBusyCluster: places in the history are those of all services together. Lists that show nothing new do not
// keep the watch from being relied on.
func TestListOfBusyCluster(t *testing.T) {
	puppets(t, func(s *show) {
		s.batches <- told(true, 10, stored("1")...)
		for revision := uint64(20); revision < 30; revision++ {
			s.shows(revision, "1")
			s.lists(true, "1")
		}
		s.batches <- proven(told(false, 10))
		s.lists(false, "1")
	})
}

// TestListAfterWipe: the servers have lost their data and count anew, and the watch has not noticed. Its place is far
// beyond that of a write, and it has not passed it.
func TestListAfterWipe(t *testing.T) {
	puppets(t, func(s *show) {
		s.batches <- proven(told(true, 1000, stored("lost")...))
		s.lists(false, "lost")
		s.shows(5, "mine")
		s.register("mine", 5)
		s.lists(true, "mine")
		time.Sleep(time.Second)
		s.batches <- told(false, 1001) // from before
		s.lists(true, "mine")
		time.Sleep(time.Second)
		s.batches <- proven(told(true, 5, stored("mine")...))
		s.lists(false, "mine")
	})
}

// TestListOfNewStream: a stream that begins anew without a proof has none, although the one before had.
func TestListOfNewStream(t *testing.T) {
	puppets(t, func(s *show) {
		s.shows(10, "1")
		s.batches <- proven(told(true, 10, stored("1")...))
		s.lists(false, "1")
		s.batches <- told(true, 9, stored("old")...)
		s.lists(true, "1")
	})
}

// TestListAfterOldProof: a question that was asked before the write was acknowledged proves nothing about it.
func TestListAfterOldProof(t *testing.T) {
	puppets(t, func(s *show) {
		s.batches <- proven(told(true, 10))
		old := proven(told(false, 10))
		time.Sleep(time.Second)
		s.shows(11, "mine")
		s.register("mine", 11)
		s.batches <- old
		s.lists(true, "mine")
		time.Sleep(time.Second)
		s.batches <- proven(told(false, 11, stored("mine")...))
		s.lists(false, "mine")
	})
}

// TestListAfterWritesOutOfOrder: two writes are acknowledged, the later one first. The watch has to pass both.
func TestListAfterWritesOutOfOrder(t *testing.T) {
	puppets(t, func(s *show) {
		s.batches <- proven(told(true, 10))
		s.register("2", 12)
		s.register("1", 11)
		s.shows(12, "1", "2")
		s.batches <- told(false, 11, stored("1")...)
		s.lists(true, "1", "2")
		s.batches <- told(false, 12, stored("1", "2")[1])
		s.lists(false, "1", "2")
	})
}

// TestListAfterNewLife: once the watch follows the new life of the servers' data, writes are passed by its place again.
func TestListAfterNewLife(t *testing.T) {
	puppets(t, func(s *show) {
		s.batches <- proven(told(true, 1000))
		s.shows(5, "1")
		s.register("1", 5)
		time.Sleep(time.Second)
		s.batches <- proven(told(true, 5, stored("1")...))
		s.lists(false, "1")
		s.register("2", 6)
		s.batches <- told(false, 6, stored("1", "2")[1])
		s.lists(false, "1", "2")
	})
}

// TestListAfterOlderProof: proofs that overtake each other do not make the newest one run out earlier.
func TestListAfterOlderProof(t *testing.T) {
	puppets(t, func(s *show) {
		s.batches <- proven(told(true, 10, stored("1")...))
		older := proven(told(false, 10))
		time.Sleep(goodFor / 2)
		s.batches <- proven(told(false, 10))
		s.batches <- older
		time.Sleep(goodFor * 3 / 4)
		s.lists(false, "1")
	})
}

// TestListAfterWriteBeforeWatch: the write was sent before there was a watch, and is acknowledged after it has begun. Its
// place proves nothing, as it is not known where the servers were when it was sent.
func TestListAfterWriteBeforeWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &puppet{Backend: fake.NewCluster().Backend(), batches: make(chan *driver.Batch[driver.Instance])}
		p.registering = make(chan struct{})
		client := newClient(t, p)
		registered := make(chan error)
		go func() { registered <- client.Register(t.Context(), service("api", "mine", 1), nil) }()
		synctest.Wait()
		start(t, client.NewWatcher("api"))
		p.batches <- proven(told(true, 1000, stored("lost")...)) // of the servers' life before
		p.revision, p.list = 5, driver.ListServicesResponse{Instances: stored("mine"), Revision: 5}
		close(p.registering)
		if err := <-registered; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		services, err := client.ListServices(t.Context(), "api")
		if err != nil || !slices.Equal(ids(services), []string{"mine:1"}) {
			t.Errorf("the list is %v, %v", ids(services), err)
		}
	})
}
