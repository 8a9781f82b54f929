package conformance_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception/driver"
)

// brokenLists are wrong in what they list.
func brokenLists() []broken {
	type (
		request  = driver.ListServicesRequest
		response = driver.ListServicesResponse
		names    = driver.ListNamesResponse
	)
	lists, listsNames := driver.OpListServices, driver.OpListNames
	return []broken{
		{name: "lists drop the last", rules: []string{"R1", "L2"}, wrap: answering(lists, func(r *response) {
			r.Instances = r.Instances[:max(len(r.Instances)-1, 0)]
		})},
		{name: "lists are in reverse", rules: []string{"L2"}, wrap: answering(lists, func(r *response) {
			r.Instances = slices.Clone(r.Instances)
			slices.Reverse(r.Instances)
		})},
		{name: "lists are in the order of IDs", rules: []string{"L2"}, wrap: answering(lists, func(r *response) {
			r.Instances = slices.Clone(r.Instances)
			slices.SortFunc(r.Instances, func(a, b *driver.Instance) int { return strings.Compare(a.Service.ID, b.Service.ID) })
		})},
		{name: "lists show the newest twice", rules: []string{"R1", "L7"}, wrap: answering(lists, func(r *response) {
			r.Instances = append(slices.Clone(r.Instances), r.Instances[max(len(r.Instances)-1, 0):]...)
		})},
		{name: "an unknown name is unavailable", rules: []string{"L1"}, wrap: instead(lists,
			func(ctx context.Context, b driver.Backend, r *request, _ invocation) (any, error) {
				listed, err := b.ListServices(ctx, r)
				if err == nil && len(listed.Instances) == 0 {
					return nil, driver.ErrUnavailable
				}
				return listed, err
			})},
		{name: "lists are one call behind", rules: []string{"R1", "L6"}, wrap: remembering(
			func(kept, now *response) *response {
				if kept == nil {
					return now
				}
				return kept
			})},
		{name: "lists are what was known once when the backend is away", rules: []string{"L6"}, wrap: remembering(
			func(kept, now *response) *response {
				if now == nil {
					return kept
				}
				return now
			})},
		{name: "lists carry no revision", rules: []string{"L6"}, wrap: answering(lists, func(r *response) { r.Revision = 0 })},
		{name: "lists ignore case", rules: []string{"V1"}, wrap: instead(lists,
			func(ctx context.Context, b driver.Backend, r *request, _ invocation) (any, error) {
				return b.ListServices(ctx, &request{Name: strings.ToLower(r.Name)})
			})},
		{name: "names miss the first", rules: []string{"L7"}, wrap: answering(listsNames, func(r *names) {
			r.Names = r.Names[min(1, len(r.Names)):]
		})},
		{name: "names are not sorted", rules: []string{"L7"}, wrap: answering(listsNames, func(r *names) {
			r.Names = slices.Clone(r.Names)
			slices.Reverse(r.Names)
		})},
		{name: "names come twice", rules: []string{"L7"}, wrap: answering(listsNames, func(r *names) {
			r.Names = append(slices.Clone(r.Names), r.Names...)
			slices.Sort(r.Names)
		})},
		{name: "elections are names", rules: []string{"L7"}, wrap: namesOfElections},
	}
}

// remembering returns a backend that chooses between the answer to the call before for the same name and the present
// one, which is nil if there is none.
func remembering(choose func(kept, now *driver.ListServicesResponse) *driver.ListServicesResponse) func(driver.Backend) driver.Backend {
	return func(b driver.Backend) driver.Backend {
		var mu sync.Mutex
		kept := make(map[string]*driver.ListServicesResponse)
		return instead(driver.OpListServices,
			func(ctx context.Context, b driver.Backend, r *driver.ListServicesRequest, _ invocation) (any, error) {
				now, err := b.ListServices(ctx, r)
				mu.Lock()
				defer mu.Unlock()
				before := kept[r.Name]
				if err == nil {
					kept[r.Name] = now
				}
				if chosen := choose(before, now); chosen != nil {
					return chosen, nil
				}
				return nil, err
			})(b)
	}
}

// namesOfElections lists the elections that this backend campaigns in among the names.
func namesOfElections(b driver.Backend) driver.Backend {
	var mu sync.Mutex
	var elections []string
	noting := instead(driver.OpEnqueue,
		func(ctx context.Context, b driver.Backend, r *driver.EnqueueRequest, _ invocation) (any, error) {
			mu.Lock()
			defer mu.Unlock()
			elections = append(elections, r.Election)
			return b.Enqueue(ctx, r)
		})
	return answering(driver.OpListNames, func(r *driver.ListNamesResponse) {
		mu.Lock()
		defer mu.Unlock()
		r.Names = append(slices.Clone(r.Names), elections...)
		slices.Sort(r.Names)
		r.Names = slices.Compact(r.Names)
	})(noting(b))
}

// brokenWatches are wrong in what their streams of instances deliver.
func brokenWatches() []broken {
	type batch = driver.Batch[driver.Instance]
	services, own := driver.OpWatchService, driver.OpWatchRegistration
	return []broken{
		{name: "a watch never deletes", rules: []string{"W2"}, wrap: streaming(services, always(func(b *batch) *batch {
			b.Changes = slices.DeleteFunc(slices.Clone(b.Changes), func(c driver.Change[driver.Instance]) bool { return c.Deleted })
			return b
		}))},
		{name: "a watch swallows what is empty", rules: []string{"W1"}, wrap: streaming(services, always(func(b *batch) *batch {
			if len(b.Changes) == 0 {
				return nil
			}
			return b
		}))},
		{name: "a watch begins with changes", rules: []string{"W1"}, wrap: streaming(services, always(func(b *batch) *batch {
			b.Reset = false
			return b
		}))},
		{name: "a reset is partial", rules: []string{"W1", "W4"}, wrap: streaming(services, always(func(b *batch) *batch {
			if b.Reset {
				b.Changes = b.Changes[:len(b.Changes)/2]
			}
			return b
		}))},
		{name: "a reset is in reverse", rules: []string{"L2"}, wrap: streaming(services, always(func(b *batch) *batch {
			if b.Reset {
				b.Changes = slices.Clone(b.Changes)
				slices.Reverse(b.Changes)
			}
			return b
		}))},
		{name: "a watch misses the third batch", rules: []string{"W2"}, wrap: streaming(services, func() func(*batch) *batch {
			n := 0
			return func(b *batch) *batch {
				if n++; n == 3 {
					return nil
				}
				return b
			}
		})},
		{name: "a watch shows the neighbours", rules: []string{"V1"}, wrap: instead(services,
			func(ctx context.Context, b driver.Backend, r *driver.WatchServiceRequest, _ invocation) (any, error) {
				return b.OpenWatchService(ctx, &driver.WatchServiceRequest{Name: strings.TrimSuffix(r.Name, "2")})
			})},
		{name: "a watch shows nobody when it is away", rules: []string{"W4"}, wrap: wrong(func(driver.Backend) driver.Interceptor {
			return func(ctx context.Context, c driver.Call, invoke func(context.Context) (any, error)) (any, error) {
				result, err := invoke(ctx)
				if c.Operation == services && c.Next && errors.Is(err, driver.ErrUnavailable) {
					return &batch{Reset: true}, nil
				}
				return result, err
			}
		})},
		{name: "a watch that is away hangs", rules: []string{"W4"}, wrap: wrong(func(driver.Backend) driver.Interceptor {
			return func(ctx context.Context, c driver.Call, invoke func(context.Context) (any, error)) (any, error) {
				result, err := invoke(ctx)
				if c.Operation == services && c.Next && errors.Is(err, driver.ErrUnavailable) {
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return result, err
			}
		})},
		{name: "the cursor stands still", rules: []string{"L6"}, wrap: streaming(services, always(func(b *batch) *batch {
			b.Cursor = 0
			return b
		}))},
		{name: "a proof lasts for ever", rules: []string{"L6"}, wrap: streaming(services, always(func(b *batch) *batch {
			b.Proof = driver.Proof{Asked: driver.Now(), GoodFor: time.Hour}
			return b
		}))},
		{name: "a stream proves what it has yet to tell", rules: []string{"L6"}, wrap: streaming(services, func() func(*batch) *batch {
			var later []driver.Change[driver.Instance]
			return func(b *batch) *batch {
				b.Changes, later = append(later, b.Changes[:len(b.Changes)/2]...), b.Changes[len(b.Changes)/2:]
				b.Proof = driver.Proof{Asked: driver.Now(), GoodFor: time.Second}
				return b
			}
		})},
		// An owner whose watch never shows its record asks for it again and again, and loses nothing.
		{name: "the watch of one's own record is deaf", rules: []string{"W2"}, wrap: streaming(own, deaf[driver.Instance])},
		{
			name: "the watch of one's own record goes deaf", rules: []string{"R6", "W2"},
			wrap: streaming(own, deafened[driver.Instance]),
		},
		{name: "a watch is deaf", rules: []string{"W2", "W3"}, wrap: streaming(services, deaf[driver.Instance])},
	}
}

// brokenStreams are wrong in how their streams live.
func brokenStreams() []broken {
	return []broken{
		{name: "a stream breaks with the context of a wait", rules: []string{"W6"}, wrap: func(b driver.Backend) driver.Backend {
			return &brittle{b}
		}},
		{name: "a stream that is closed is canceled", rules: []string{"W6"}, wrap: failing(func(c driver.Call, err error) error {
			if c.Next && errors.Is(err, driver.ErrClosed) {
				return context.Canceled
			}
			return err
		})},
	}
}

// brittle is a backend whose streams of instances do not survive the end of a wait.
type brittle struct{ driver.Backend }

func (b *brittle) OpenWatchService(ctx context.Context, r *driver.WatchServiceRequest) (driver.InstanceStream, error) {
	stream, err := b.Backend.OpenWatchService(ctx, r)
	if err != nil {
		return nil, err
	}
	return &brittleStream{stream}, nil
}

type brittleStream struct{ driver.InstanceStream }

func (s *brittleStream) Next(ctx context.Context) (*driver.Batch[driver.Instance], error) {
	batch, err := s.InstanceStream.Next(ctx)
	if ctx.Err() != nil {
		s.Close()
	}
	return batch, err
}
