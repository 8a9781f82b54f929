package reception

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/go-reception/sdk/reception/driver"
)

// plain is a backend that can do nothing but remove records.
type plain struct {
	driver.Backend
	removed []uint64 // the generations that were asked for
}

func (b *plain) Name() string { return "plain" }
func (b *plain) Close() error { return nil }

func (b *plain) Deregister(_ context.Context, in *driver.DeregisterRequest) (*driver.DeregisterResponse, error) {
	b.removed = append(b.removed, in.Generation)
	return &driver.DeregisterResponse{Removed: true}, nil
}

// plainClient returns a client over b that is closed when the test ends.
func plainClient(t *testing.T, b *plain) *client {
	t.Helper()
	c := NewClient(b).(*client)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestRemovalThatIsAboutToBeDone(t *testing.T) {
	// The backend has confirmed a removal, and its goroutine has not come to say so, when a later record is to be removed:
	// that is not what was confirmed.
	synctest.Test(t, func(t *testing.T) {
		b := &plain{}
		r := plainClient(t, b).registrations
		first := newUpkeep(r, serviceKey{"api", "a"}, driver.Service{}, nil)
		m := &removal{r: r, key: first.key, more: make(chan struct{}, 1), pursuit: newPursuit()}
		m.generation = first.instance.Generation
		r.removals[first.key] = m
		before := m.pursuit
		if err := m.once(t.Context()); err != nil {
			t.Fatal(err)
		}
		later := newUpkeep(r, first.key, driver.Service{}, nil)
		pursued := r.remove(later)
		if pursued == before {
			t.Fatal("the confirmation of the first removal is taken for that of the second")
		}
		close(before.done) // now it has
		go m.run()
		if err := pursued.wait(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if n := len(b.removed); n != 2 || b.removed[1] != later.instance.Generation {
			t.Errorf("removed were the generations %v, want %d at last", b.removed, later.instance.Generation)
		}
		if len(r.removals) > 0 {
			t.Error("the removal is over, and remembered")
		}
	})
}
