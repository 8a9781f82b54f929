package driver

import (
	"context"
	"time"
)

// An Inspector is a [Backend] that can say more about its servers than the operations do, for people who look for what
// is wrong. A backend need not be one: nothing but such a look depends on it.
type Inspector interface {
	// Inspect asks every server that the connection knows of about itself. A server that does not answer is reported with
	// why; Inspect itself fails only where it cannot be asked for at all.
	Inspect(ctx context.Context) ([]Server, error)
}

// A Server is what one server says about itself.
type Server struct {
	Address string
	Version string    // empty where it tells none
	Role    string    // in the vendor's word, such as leader or follower; empty where it tells none
	Clock   time.Time // what its clock showed as it answered; zero where it shows none
	Err     error     // why there is no answer; nil where there is one
}
