// Package hazards is what goes wrong with servers, networks and processes, done to the client of one adapter on real
// servers: the live tests that all adapters have in common.
//
// A hazard is a fault that has been seen to break other libraries, an interleaving or an administrator's hand, and what
// must be observed in spite of it. Each has a number, H1 to H15 for those in common, which is in the names of the tests:
// go test -run TestH7 plays hazard 7. A function here is a hazard, or a part of one, on a [Backend]; its comment says which
// fault it injects and what must come of it. An adapter's package describes its backend once, has a test of one line for
// each function, and tests of its own for what only its servers can do, which have the numbers from 16 on.
//
// What a backend cannot be made to do is declared in [Backend.Lacks] with the reason, and logged where it would have been
// asked for: nothing is left out in silence.
//
// # Adding a hazard
//
// Write a function that takes a test and a [Backend] to the file of its subject, and a test of one line to the package of
// each adapter. What it needs to have done by an administrator becomes a function of [Admin]. Inject the fault itself, and
// wait for what must follow: nothing is concluded from time having passed but that something did not happen.
package hazards
