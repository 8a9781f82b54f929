package fence

import (
	"errors"
	"fmt"
	"sync"
)

// ErrStale says that a token is of an earlier term than one that the resource has seen.
var ErrStale = errors.New("the fencing token is of an earlier term")

// A StaleError is a refusal.
type StaleError struct {
	Token  uint64 // what came
	Newest uint64 // what the resource has seen before
}

// Error implements error.
func (e *StaleError) Error() string {
	return fmt.Sprintf("%v: %d came after %d", ErrStale, e.Token, e.Newest)
}

// Is has errors.Is find ErrStale.
func (e *StaleError) Is(target error) bool { return target == ErrStale }

// A Guard is the fence of a resource in this process's memory. The zero value has seen no token. It is safe for
// concurrent use, and must not be copied.
type Guard struct {
	mu     sync.Mutex
	newest uint64
}

// Admit lets a token pass that is no smaller than any before it, and refuses from then on what is smaller. It is how a
// new leader claims the resource before it reads from it. A caller that acts after Admit has returned may be overtaken
// by a newer leader in between: use Do to act.
func (g *Guard) Admit(token uint64) error { return g.Do(token, func() error { return nil }) }

// Do admits the token and then acts, as one step: nothing with another token is admitted before act has returned. It
// returns act's error, or a [*StaleError] without calling act. It holds a lock meanwhile, so act must not use g.
func (g *Guard) Do(token uint64, act func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if token < g.newest {
		return &StaleError{Token: token, Newest: g.newest}
	}
	g.newest = token
	return act()
}

// Newest returns the greatest token that was admitted.
func (g *Guard) Newest() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.newest
}

// Reset forgets all tokens. It is for the operator of a backend that has begun a new life, in which tokens are small
// again, and only safe once no process that led in the earlier life can write any more.
func (g *Guard) Reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.newest = 0
}
