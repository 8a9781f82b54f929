package fake_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

// watch watches web.
func watch(tb testing.TB, b *fake.Backend) driver.InstanceStream {
	tb.Helper()
	s, err := b.OpenWatchService(context.Background(), &driver.WatchServiceRequest{Name: "web"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// expectBatch reads the next batch and checks that it is a reset, or not, of so many changes.
func expectBatch(tb testing.TB, s driver.InstanceStream, reset bool, changes int) *driver.Batch[driver.Instance] {
	tb.Helper()
	batch, err := s.Next(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	if batch.Reset != reset || len(batch.Changes) != changes {
		tb.Errorf("got %+v, want %d changes, reset %v", batch, changes, reset)
	}
	return batch
}

// The cursor of a batch is never behind a write that it shows, nor behind one that the reader has made before.
func TestCursor(t *testing.T) {
	c := fake.NewCluster()
	b, session := process(t, c)
	first := register(t, b, session, "1")
	s := watch(t, b)
	if got := expectBatch(t, s, true, 1).Cursor; got < first.Revision {
		t.Errorf("the cursor is %d after revision %d", got, first.Revision)
	}
	second := register(t, b, session, "1")
	if got := expectBatch(t, s, false, 1).Cursor; got != second.Revision {
		t.Errorf("the cursor is %d after revision %d", got, second.Revision)
	}
}

// Streams of single records, as their owners use them.
func TestRecordStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster()
		b, session := process(t, c)
		other, otherSession := process(t, c, fake.WithLabel("other"))
		mine, err := b.OpenWatchRegistration(t.Context(), &driver.WatchRegistrationRequest{Name: "web", ID: "1"})
		if err != nil {
			t.Fatal(err)
		}
		defer mine.Close()
		expectBatch(t, mine, true, 0)
		register(t, b, session, "1")
		expectBatch(t, mine, true, 1)
		register(t, other, otherSession, "1")
		if got := expectBatch(t, mine, true, 1).Changes[0].Record.Owner; got != "other" {
			t.Errorf("after a take-over the record is %q's", got)
		}
		if _, err := c.Delete("instance", "web", "1"); err != nil {
			t.Fatal(err)
		}
		expectBatch(t, mine, true, 0)

		leader, err := other.OpenWatchLeader(t.Context(), &driver.WatchLeaderRequest{Election: "e"})
		if err != nil {
			t.Fatal(err)
		}
		defer leader.Close()
		own, err := b.OpenWatchCandidacy(t.Context(), &driver.WatchCandidacyRequest{Session: session, Election: "e"})
		if err != nil {
			t.Fatal(err)
		}
		defer own.Close()
		steps := []struct {
			do           func()
			leader, mine int // records in the next batch; -1 for no batch
		}{
			{func() {}, 0, 0},
			{func() { enqueue(t, b, session) }, 1, 1},
			{func() { enqueue(t, other, otherSession) }, -1, -1},
			{func() { c.Expire(session) }, 1, 0},
			{func() { c.Wipe() }, 0, -1},
		}
		for i, step := range steps {
			step.do()
			for s, want := range map[driver.CandidateStream]int{leader: step.leader, own: step.mine} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				batch, err := s.Next(ctx)
				switch {
				case want < 0 && !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("step %d: got %+v, %v", i, batch, err)
				case want >= 0 && (err != nil || !batch.Reset || len(batch.Changes) != want):
					t.Errorf("step %d: got %+v, %v, want %d records", i, batch, err, want)
				}
				cancel()
			}
		}
	})
}

// A stream that was cut is broken for good, whether it was waiting or not; one opened afterwards works.
func TestCutBreaksStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster()
		b, session := process(t, c)
		waiting, idle := watch(t, b), watch(t, b)
		expectBatch(t, waiting, true, 0)
		expectBatch(t, idle, true, 0)
		time.AfterFunc(time.Second, func() {
			b.Cut()
			b.Heal()
		})
		for _, s := range []driver.InstanceStream{waiting, idle} {
			for range 2 {
				if _, err := s.Next(t.Context()); !errors.Is(err, driver.ErrUnavailable) {
					t.Errorf("got %v", err)
				}
			}
		}
		register(t, b, session, "1")
		expectBatch(t, watch(t, b), true, 1)
	})
}

// A context that ends loses nothing: neither while waiting, nor when a batch hangs on its way over a frozen link.
func TestContextOfNextLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster()
		b, _ := process(t, c)
		writer, writerSession := process(t, c, fake.WithLabel("writer"))
		s := watch(t, b)
		expectBatch(t, s, true, 0)
		impatient := func() {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if batch, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %+v, %v", batch, err)
			}
		}
		impatient()
		b.Freeze()
		impatient()
		register(t, writer, writerSession, "1")
		impatient()
		b.Thaw()
		expectBatch(t, s, false, 1)

		// The link freezes while Next waits, so that it is the batch that hangs on its way.
		hangs := func(id string) {
			time.AfterFunc(time.Second/3, b.Freeze)
			time.AfterFunc(time.Second/2, func() { register(t, writer, writerSession, id) })
			impatient()
		}
		hangs("2")
		impatient()
		register(t, writer, writerSession, "3")
		b.Thaw()
		for _, want := range []string{"2", "3"} {
			if got := expectBatch(t, s, false, 1).Changes[0].Record.Service.ID; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		hangs("4")
		b.Thaw()
		s.Close()
		if batch, err := s.Next(t.Context()); !errors.Is(err, driver.ErrClosed) {
			t.Errorf("after Close, with a batch on its way: %+v, %v", batch, err)
		}

		s = watch(t, b)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Next(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("with a context that has ended: %v", err)
		}
	})
}

// Healing a link that is not cut breaks nothing.
func TestHealWithoutCut(t *testing.T) {
	c := fake.NewCluster()
	b, session := process(t, c)
	s := watch(t, b)
	expectBatch(t, s, true, 0)
	b.Heal()
	b.Thaw()
	register(t, b, session, "1")
	expectBatch(t, s, false, 1)
}

// Faults reach Next: an error breaks the stream, a delay holds it up, and a hook comes before the batch is chosen.
func TestFaultsAtNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster()
		b, session := process(t, c)
		s := watch(t, b)
		inject(t, c, fake.Fault{
			Operation: "WatchService", Stage: fake.Next, Nth: 2, Delay: time.Second,
			Hook: func(context.Context, driver.Call) error {
				register(t, b, session, "1")
				return nil
			},
		})
		inject(t, c, fake.Fault{Operation: "WatchService", Stage: fake.Next, Nth: 3, Err: errScripted})
		expectBatch(t, s, true, 0)
		start := time.Now()
		expectBatch(t, s, false, 1)
		if got := time.Since(start); got != time.Second {
			t.Errorf("took %v", got)
		}
		register(t, b, session, "2")
		for range 2 {
			if _, err := s.Next(t.Context()); !errors.Is(err, errScripted) {
				t.Errorf("got %v", err)
			}
		}
		expectBatch(t, watch(t, b), true, 2)
	})
}

// A stream whose opening is not answered is not there: nothing is left of it in the cluster.
func TestStreamThatWasNotOpened(t *testing.T) {
	c := fake.NewCluster()
	b, _ := process(t, c)
	inject(t, c, fake.Fault{Operation: "WatchService", Stage: fake.After, LoseReply: true})
	s, err := b.OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "web"})
	if s != nil || !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("got %v, %v", s, err)
	}
}

// What makes a stream begin anew: a wipe always, a compaction only if the stream lags.
func TestWhatResetsStreams(t *testing.T) {
	c := fake.NewCluster(fake.WithWatchLog(3))
	b, session := process(t, c)
	lagging, ready := watch(t, b), watch(t, b)
	for _, s := range []driver.InstanceStream{lagging, ready} {
		expectBatch(t, s, true, 0)
	}
	register(t, b, session, "1")
	expectBatch(t, ready, false, 1)
	c.Compact()
	expectBatch(t, lagging, true, 1)
	register(t, b, session, "2")
	expectBatch(t, lagging, false, 1)
	expectBatch(t, ready, false, 1)
	for range 4 { // one more than the log holds
		register(t, b, session, "2")
	}
	expectBatch(t, ready, true, 2)
	c.Wipe()
	for _, s := range []driver.InstanceStream{lagging, ready} {
		expectBatch(t, s, true, 0)
	}
}

// Close during Next, by many and again and again.
func TestCloseDuringNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fake.NewCluster()
		b, _ := process(t, c)
		for range 100 {
			s := watch(t, b)
			expectBatch(t, s, true, 0)
			ended := make(chan error)
			go func() {
				_, err := s.Next(t.Context())
				ended <- err
			}()
			for range 3 {
				go s.Close()
			}
			if err := <-ended; !errors.Is(err, driver.ErrClosed) {
				t.Errorf("got %v", err)
			}
		}
	})
}
