package chaos_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/chaos"
)

// TestBrokenRegistrations has the runner find what is wrong with lists and watches.
func TestBrokenRegistrations(t *testing.T) {
	for _, broken := range []struct {
		name string
		rule string
		wrap wrapper
	}{
		{"nothing is withdrawn", chaos.RuleWithdrawn, func(_ *line, b driver.Backend) driver.Backend {
			return instead(b, func(context.Context, *driver.DeregisterRequest) (any, error) {
				return &driver.DeregisterResponse{Removed: true}, nil
			})
		}},
		{"nothing is restored", chaos.RuleRestored, func(_ *line, b driver.Backend) driver.Backend {
			return instead(b, func(context.Context, *driver.RestoreRequest) (any, error) {
				return &driver.RestoreResponse{}, nil
			})
		}},
		{"an error looks like an empty list", chaos.RulePartial, func(_ *line, b driver.Backend) driver.Backend {
			return instead(b, func(ctx context.Context, r *driver.ListServicesRequest) (any, error) {
				if listed, err := b.ListServices(ctx, r); err == nil {
					return listed, nil
				}
				return &driver.ListServicesResponse{}, nil
			})
		}},
		{"a watch does not hear of what has gone", chaos.RuleWatcher, deafToDeletions},
	} {
		t.Run(strings.ReplaceAll(broken.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			const limit = 50
			for seed := uint64(1); seed <= limit; seed++ {
				report := play(t, broken.wrap, chaos.Plan{Seed: seed}, false).Check()
				i := slices.IndexFunc(report.Findings, func(f chaos.Finding) bool { return f.Rule == broken.rule })
				if i >= 0 {
					t.Logf("found by schedule %d: %v", seed, report.Findings[i])
					return
				}
			}
			t.Errorf("not found in %d schedules", limit)
		})
	}
}

// instead answers requests of one type in its own way.
func instead[Q any](b driver.Backend, answer func(context.Context, *Q) (any, error)) driver.Backend {
	return driver.Intercept(b, func(ctx context.Context, call driver.Call, invoke func(context.Context) (any, error)) (any, error) {
		if r, is := call.Request.(*Q); is && !call.Next {
			return answer(ctx, r)
		}
		return invoke(ctx)
	})
}

// deafToDeletions is a backend whose watches of services lose deletions.
func deafToDeletions(_ *line, b driver.Backend) driver.Backend {
	return driver.Intercept(b, func(ctx context.Context, call driver.Call, invoke func(context.Context) (any, error)) (any, error) {
		result, err := invoke(ctx)
		batch, is := result.(*driver.Batch[driver.Instance])
		if !is || err != nil || call.Operation != driver.OpWatchService {
			return result, err
		}
		heard := *batch
		heard.Changes = slices.DeleteFunc(slices.Clone(batch.Changes), func(c driver.Change[driver.Instance]) bool { return c.Deleted })
		return &heard, nil
	})
}
