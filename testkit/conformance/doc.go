// Package conformance holds a backend to the contract of the SDK: [Run] plays the same cases on the fake, on etcd, on
// Consul, on ZooKeeper and on an adapter that was written elsewhere, which proves itself with a [Harness] of a few lines.
//
// # What is checked
//
// Every case carries the number of the rule that it checks (R for registering, L for lists, W for watches, E for
// elections, V for limits), a reason, a namespace of its own and clients of its own. Most cases speak to a
// reception.Client, because the contract is about what users see; those whose names begin with "spi" call the
// operations of the driver directly.
//
// # Faults
//
// What befalls a single call (an answer that is lost, a request that lands late) the suite provokes itself, on any
// backend. What befalls connections and servers is the harness's: each ability is an optional function of the [Cluster].
// A case that needs one that is missing is skipped and listed by name, never passed.
//
// # Time
//
// No case sleeps for a fixed time: what is to happen is awaited, what must not happen is watched for, and every limit
// derives from the harness's [Timing]. So a suite inside a testing/synctest bubble, which [Harness.Around] can make,
// plays hours in seconds.
//
// # Coverage
//
// An operation of the driver counts as covered when recorded calls have shown its success and each of the errors that it
// declares, on that very backend. Run fails when something is missing that the harness does not account for.
//
// # Limits
//
// A case that passes has found nothing, which is not a proof: the suite plays a fixed set of troubles, most of them once.
// It cannot stop the clock of its own process, so what a suspended machine does is for the tests of an adapter, and so are
// servers that are cut off from each other while the client's connection stands. It measures no speed.
package conformance
