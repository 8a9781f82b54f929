// Package ledger measures what the SDK costs above the vendors' bare clients.
//
// # How it measures
//
// Each backend runs in a container of its own, one after the other, with this
// process as its only client. A [Figure] does the same thing with two parties: one
// is a client of the SDK, the other one the vendor's client, which does the least
// that gives the same result. Both have the same records before them, are in the
// same process, and talk to the same server.
//
// The parties take turns: a round is a phase of each, and who begins changes from
// round to round (bare, SDK; SDK, bare; …). A phase opens its own clients, works
// until nothing is cold any more, collects its garbage, and then measures. While one party
// is measured the other one has nothing open. The outcome is the median of the
// rounds' medians, with the least and the greatest of them, and a ratio that is
// formed round by round.
//
// The fake has no bare client, so its figures are for themselves.
//
// # Adding to it
//
// A figure is a value of type [Figure] in a file of its own, and a line in [Figures].
// A backend is a value of type [Backend] with an implementation of Party over the vendor's
// client. What a result is held against stands in package report.
package ledger
