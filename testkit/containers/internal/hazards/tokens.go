package hazards

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/go-reception/sdk/reception"
)

// TokensGrow is H15: a thousand terms in twenty elections side by side, held by two processes in turn, with everybody gone
// in between. Half-way the server restarts, and what candidates are kept in is deleted now and then. Each term's token is
// greater than that of the one before.
func TokensGrow(t *testing.T, b Backend) {
	t.Helper()
	t.Parallel()
	server := b.Start(t)
	clients := []reception.Client{
		b.dialWith(t, server.Endpoints(), b.terms(t)), b.dialWith(t, server.Endpoints(), b.terms(t)),
	}
	l := &lanes{clients: clients, last: make([]uint64, 20), recreate: func(string) {}}
	if b.can(t, Recreate) {
		l.recreate = b.Admin(t, server, Prefix(t)).Recreate
	}
	const each = 50
	OK(t, l.elect(t.Context(), each/2))
	server.Node(0).Stop(t)()
	server.AwaitReady(t)
	OK(t, l.elect(t.Context(), each/2))
}

// lanes are elections side by side.
type lanes struct {
	clients  []reception.Client
	last     []uint64 // the last token of each
	recreate func(election string)
}

// elect has so many terms in each lane.
func (l *lanes) elect(ctx context.Context, terms int) error {
	var group errgroup.Group
	for lane := range l.last {
		group.Go(func() error {
			election := fmt.Sprint("e", lane)
			for i := range terms {
				if err := l.term(ctx, l.clients[i%len(l.clients)], lane, election); err != nil {
					return err
				}
				if i%10 == 0 {
					l.recreate(election)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// term is one term.
func (l *lanes) term(ctx context.Context, client reception.Client, lane int, election string) error {
	term, err := client.Campaign(ctx, election, Service("api", "1"))
	if err != nil {
		return err
	}
	if term.Token() <= l.last[lane] {
		return fmt.Errorf("token %d follows %d", term.Token(), l.last[lane])
	}
	l.last[lane] = term.Token()
	return term.Resign(ctx)
}
