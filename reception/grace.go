package reception

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RunWithGrace is [RunWhileLeader] for work that takes a while to stop, such as another process that has to be told and
// may have to be killed. The context of run ends grace before the term's horizon, unless the term is renewed by then: so
// run has that long to return while nobody else can lead. When grace is over and run is still at work, the term's own
// context ends; whatever must not go on has to end with that one.
//
// The context of run ends with ctx, too, and the term is renewed for as long as run then takes. Where the backend says
// that the term is over already, because somebody has removed the candidacy, both contexts end at once: there is no grace
// to be had.
//
// A term of which grace is taken away is renewed more often, in what is left. Where too little would be left
// RunWithGrace fails with [ErrGraceTooLong], which says how much there could be; before it waits for the lead, if the
// session tells. Client must be one that was made by this package.
func RunWithGrace(
	ctx context.Context, client Client, election string, candidate *Service, grace time.Duration,
	run func(ctx context.Context, term Term) error,
) error {
	own, err := graceful(client, grace)
	if err != nil {
		return attribute("RunWithGrace", election, err)
	}
	term, err := own.campaign(ctx, election, candidate, grace)
	if err != nil {
		return err
	}
	return whileCertain(ctx, term.notice, "RunWithGrace", election, term, run)
}

// graceful returns what can give notice of a term's horizon.
func graceful(c Client, grace time.Duration) (*client, error) {
	own, is := c.(*client)
	switch {
	case !is:
		return nil, fmt.Errorf("a %T knows no horizon: give it a Client of NewClient, Open or an adapter", c)
	case grace < 0:
		return nil, errors.New("the grace must not be negative")
	}
	return own, nil
}

// errNear is why the context of RunWithGrace ends before the term does.
var errNear = fmt.Errorf("%w much longer: not confirmed by the servers while there is time to stop", ErrNotLeader)

// room is for how long after a confirmed request the horizon is further away than grace.
func (r *renewal) room() time.Duration { return r.goodFor - marginOf(r.goodFor) - r.settle - r.grace }

// allows reports ErrGraceTooLong where grace would leave less than the margin to renew in.
func (r *renewal) allows(grace time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	margin := marginOf(r.goodFor)
	if most := r.goodFor - 2*margin - r.settle; grace > most {
		return fmt.Errorf("%w: %v, where %v is the most: a term is certain for %v after each renewal, and the next renewal "+
			"needs some of that", ErrGraceTooLong, grace, max(most, 0), r.goodFor-margin)
	}
	return nil
}
