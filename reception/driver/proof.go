package driver

import "time"

// A Proof is a backend's word that a stream is alive: when a question was sent, and that by its answer the stream has
// told everything that had happened until then. A watch that hears nothing looks like one to which nothing happens; a
// proof is how to tell the two apart.
//
// Lists of a service that is watched are answered without a request for as long as a proof is good. A backend that
// gives none is asked for every list.
type Proof struct {
	// Asked is when the question was sent.
	Asked Moment
	// GoodFor is for how long, counted from Asked, lists may be answered from what the stream has told. 0: no proof.
	GoodFor time.Duration
}

// A Moment is a point in this process's time. Adapters note it and hand it on: what follows from it, and whether it is
// too long ago, is calculated in package reception alone.
type Moment struct{ at time.Time }

// Now is the present moment. To be on the safe side, take it before the question is sent.
func Now() Moment { return Moment{time.Now()} }

// MomentOf returns a moment that is known as a time.
func MomentOf(at time.Time) Moment { return Moment{at} }

// Time returns the moment as a time.
func (m Moment) Time() time.Time { return m.at }
