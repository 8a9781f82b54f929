// Package driver is the service provider interface: what a backend implements, so that the one client of package
// reception can work over it. Users of the SDK never meet it; authors of adapters do.
//
// # What an adapter is
//
// A [Backend] is one client's connection to a cluster. Its methods are single steps (open a session, store a record,
// wait for one's turn); everything that spans several of them belongs to package reception and exists there once:
// validation, retries, the renewal loop, horizons and terms, registrations as desired state, the sharing of watches,
// the wrapping of errors. An adapter therefore contains no deadline arithmetic and no retry of its own beyond what
// its vendor's client needs.
//
// # Guarantees
//
// Every method is safe for concurrent use, honours its context at every wait, and answers a call after Close with
// [ErrClosed]. A request is read-only for the backend, which copies what it keeps; a response and all it points to may
// be shared, and is read-only for the caller.
//
// An operation that returns without an error has happened. One that returns [ErrUnavailable] has not. Whatever lies
// between (a request that was sent and whose answer was lost, a context that ended while a write was under way) is
// [ErrOutcomeUnknown], joined with the cause, and may still happen later.
//
// # Errors
//
// Adapters return the package's sentinels raw or wrapped together with the vendor's own error, so that errors.Is finds
// both: those that any operation may meet ([ErrUnavailable], [ErrOutcomeUnknown], [ErrClosed], [ErrSessionExpired],
// [ErrPermission]), those that the operation declares, and the adapter's own. A context's error passes through where
// nothing was sent; where a write was under way it is joined to [ErrOutcomeUnknown], or else the caller takes it that
// nothing can land any more.
//
// A request that is swallowed by the network must not hang for ever: an adapter gives each a deadline of its own, and
// reports [ErrUnavailable] or [ErrOutcomeUnknown].
//
// # Clocks
//
// An opened session has 0 < RenewEvery <= TTL/2 and 0 <= Settle < TTL. Where an answer is good for less than TTL, the
// next question comes sooner in the same proportion.
//
// A stream of a service's instances may prove, again and again, that it is current ([Proof]); lists of that service are
// then answered from it. Adapters look at no clock but to take [Now] before they send the question.
//
// GoodFor in a response is counted from the moment at which the caller sent the request. It must hold for whatever the
// servers do on their own from then on, by the servers' rules and not by what a nearby follower or agent has said.
package driver
