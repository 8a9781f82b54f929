// Package fake is a backend in memory: a cluster that works as the specification says, for tests of code that uses
// Reception, with faults to script and without a server to start.
//
//	cluster := fake.NewCluster()
//	ours, theirs := cluster.Client(), cluster.Client()
//
// A [Cluster] is the servers, and a [Backend] is one process's connection to them; any number of them share a cluster.
// A Client of the cluster is the production code over such a backend, so what it checks, repeats, renews and heals is
// what it does over any other. Every method of a backend does what the rules of its operation in spec/reception.yaml
// say; both are generated from there, so the fake cannot fall behind.
//
// # Guarantees
//
// Operations happen one after the other, each at one instant, unless the specification marks it as not atomic. Sessions
// last for their TTL to the nanosecond, and expire in the order of deadline and then of opening; what lived on one goes
// in the order of creation. A departure from an election's queue wakes the successor and nobody else, see
// [Cluster.WakeUps].
//
// Every list asks the cluster, so a test sees at once what another client has done. Production lists of a service that is
// watched may come from the watch and be as late as that; [WithVouching] makes the fake do so, too.
//
// Everything is safe for concurrent use, and hooks are called with no lock held. A cluster has no goroutines and needs
// no closing; a backend's Close ends its calls and streams. There is no state outside of clusters.
//
// # Faults
//
// What befalls a process is a method of its [Backend]: [Backend.Cut] and [Backend.Heal], [Backend.Freeze] and
// [Backend.Thaw], [Backend.ExpireSessions], [Backend.HideExpiry], [Backend.SetClockRate]. What befalls the servers is a
// method of the [Cluster]: [Cluster.Expire], [Cluster.ExpireLate], [Cluster.SetPropagation], [Cluster.Wipe],
// [Cluster.Compact], [Cluster.Delete]. What befalls single calls is a [Fault]: the n-th call of an operation delayed or
// failed, on its way to the cluster, between its steps, or on its way back when it has been carried out already; and a
// hook at any of these points, in which the script can do all of the above. [Cluster.History] tells what was called
// and what came of it. A test that wants to trouble the process of a Client keeps the backend that it gives to
// reception.NewClient.
//
// # Time
//
// All time is that of the standard package time, so inside a testing/synctest bubble it is virtual: a fail-over that
// takes 30 seconds takes microseconds, and is exact. A cluster belongs to the bubble in which it was made. Which of two
// goroutines runs first that wake at the same instant is not fixed: a bubble is no scheduler.
//
// # What the fake does not promise
//
// It is a cluster that works as the specification says. Real servers do so up to their own limits, and a test against
// the fake cannot show where these lie:
//
//   - There is one copy of the data. Servers that disagree, a partition between them, and the loss of acknowledged
//     writes do not occur, beyond what SetPropagation and HideExpiry show of it from a client's side. Lagging reads are
//     an exact delay, the same for all; real ones jitter, and two readers lag differently.
//   - There is no network. A call takes no time unless a fault delays it, requests do not overtake each other, and one
//     that has failed before it was carried out is never carried out later.
//   - Sessions expire on time unless told otherwise. Consul's may live twice as long, ZooKeeper's expire in steps, and
//     etcd's live longer after a change of its leader.
//   - Turns are first come, first served, which Consul does not promise.
//   - Everyone may do everything, of any size: there are no credentials, no quotas and no limits on what is stored.
//     Package reception checks what users give it; the fake itself stores what it gets.
//   - Nothing is written down. A cluster is as durable as the process.
//   - Its speed says nothing about a server's.
//
// So test with it what your code does when things happen, in all the orders that you can think of; and leave to tests
// against real servers, of which testkit/containers starts some, whether they happen.
package fake
