package reception_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-reception/sdk/reception"
)

func TestForeignCauses(t *testing.T) {
	// A context of the user's ends because of another client: its error is that of this call, whatever the cause wraps.
	foreign := &reception.Error{Op: "Close", Backend: "other", Name: "elsewhere", Err: reception.ErrClosed}
	for name, call := range map[string]func(s *scene, ctx context.Context) error{
		"Register": func(s *scene, ctx context.Context) error {
			<-ctx.Done()
			return s.client.Register(ctx, api("a", 1), nil)
		},
		"Campaign": func(s *scene, ctx context.Context) error {
			_, err := s.client.Campaign(ctx, "reaper", api("a", 1))
			return err
		},
		"Elect": func(s *scene, ctx context.Context) error {
			return reception.NewElector(s.client, "reaper").Elect(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(s *scene) {
				if _, err := s.other.Campaign(s.Context(), "reaper", api("b", 2)); err != nil {
					s.Fatal(err)
				}
				ctx, cancel := context.WithCancelCause(s.Context())
				time.AfterFunc(time.Second, func() { cancel(fmt.Errorf("the other client: %w", foreign)) })
				err := call(s, ctx)
				if !errors.Is(err, context.Canceled) {
					s.Errorf("%s returned %v, which is not the context's error", name, err)
				}
				var told *reception.Error
				if !errors.As(err, &told) || told.Backend != "fake" {
					s.Errorf("%s returned %v, whose operation is that of %+v", name, err, told)
				}
				if err := s.client.Register(s.Context(), api("a", 1), nil); err != nil {
					s.Errorf("the client is not closed, and Register returned %v", err)
				}
			})
		})
	}
}
