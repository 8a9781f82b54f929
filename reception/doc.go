// Package reception is service discovery, cluster state and single-leader election over Consul, etcd, ZooKeeper (also
// found through Exhibitor), or a cluster in memory. It behaves the same over all of them.
//
// A [Client] is one process's place in a cluster. It comes from an adapter's Dial or New, from [Open] with an address,
// or from [NewClient] over any [driver.Backend]. With it a process publishes its own instances ([Client.Register]),
// reads those of others ([Client.ListServices], [Client.ListNames]), follows them ([Client.NewWatcher], [Watch]), and
// takes part in elections ([Client.Campaign], [RunWhileLeader], [NewElector]) or follows them
// ([Client.NewLeaderWatcher]).
//
// # Registrations
//
// A registration is desired state. From the first success on, the SDK keeps the record there until [Client.Deregister]
// or [Client.Close]: through outages, lost sessions, a record deleted by somebody else or a wiped backend. No code of
// the user's is needed for that; onDisconnect tells what others may be seeing meanwhile. One thing ends a registration
// from outside: another client that registers the same Name and ID takes the record over, and this one does not fight
// back. Steady state writes nothing but heartbeats, one for all registrations of a client where the backend allows
// that.
//
// # Watches
//
// All watchers of a name share one watch at the backend. A state is a full list together with how it differs from the
// state that this reader saw before; a reader that is slow skips states, is never told of an old one after a newer,
// costs one state of memory and holds up nobody. Trouble is a state with Err and what was known last: an error never
// looks like an empty list. A watch resumes by itself, and its channel closes only when it is stopped, when its
// context ends, or with the Client.
//
// # Elections
//
// Whoever wins gets a [Term], which ends by this process's own clock, counted from the sending of the last
// confirmation, before the servers can let anyone else lead. [Term.Held] computes that at the call, and [Term.Context]
// ends right after it has turned false. What no clock on this side can see is a machine that was suspended, or a
// process that is stopped between asking Held and acting on it: against those, hand [Term.Token] to what the leader
// writes to, and have it refuse smaller ones, or ask [Term.Verify] first.
//
// Work that takes a while to stop, such as another process, has to hear of a term that may end before it does:
// [RunWithGrace] ends its context a given time before the horizon, unless the term is renewed by then.
//
// Tokens grow within one life of the backend's data. If that is wiped, they begin anew, and whoever remembers them
// must be reset. An administrator who deletes a candidate or its session frees the lead at once: a connected leader
// steps down when it hears of it, one that is cut off when its clock says so, and in between only the token protects.
//
// # Guarantees and limits
//
// Everything is safe for concurrent use. A method that returns nil has happened; one that fails with [ErrUnavailable]
// has not, or, of Deregister and Resign, could not be confirmed yet and goes on in the background; [ErrOutcomeUnknown]
// is neither, and the SDK removes what may still land. There is one case in which that does harm: a Register of unknown
// outcome lands late, after another client has registered the same instance, and takes that over before it is removed.
// The other one is told [ErrReplaced] and has to register again. So give an instance that restarts the same ID, and two
// instances different ones, as [MakeService] does.
//
// Reads may be as old as the backend's propagation: a second client sees a registration shortly after the first one's
// Register has returned, that first one at once. After a process dies, its instances stay listed for their time to
// live.
//
// Names, IDs and elections are 1 to 128 of A-Z a-z 0-9 . _ -, starting and ending with a letter or a digit; case
// matters. There are at most 60 attributes, with keys of 1 to 90 printable ASCII characters and values of up to 500
// bytes of UTF-8. What keeps to this reads back byte for byte on every backend, and so what works on one works on all.
//
// # Errors
//
// Every error of a Client is an [*Error] that says what failed, where, and with which name; errors.Is finds the
// sentinel in it, such as [ErrUnavailable], and errors.As the vendor's own error. Errors of the caller's context pass
// through.
//
// # Lifetimes
//
// The context of Register, Campaign and Elect bounds the wait, not what comes of it: a registration lives until it is
// withdrawn, a term until it is resigned or lost, and [Term.Context] has the values of its campaign's context without
// its cancellation. The context of a watcher's Start is the life of the watch. The context of RunWhileLeader is that
// of the work, too.
//
// Arguments are copied. What a list returns belongs to the caller; the states of watches are shared, and read-only.
//
// Callbacks run on goroutines of their own, never one behind another's, and may block, panic and call anything: Close,
// Deregister, Cancel and Stop do not wait for them. A panic in a callback ends that call only, and is logged in any
// case: by slog.Default where the Client has no logger, or that of [NewNilLogger]. Everything else that a Client has
// started is over when Close returns, which it does within five seconds.
//
// # Testing
//
// Package fake is a cluster in memory, under the very same Client: any number of processes, faults, and time that
// testing/synctest makes virtual. Packages mock and ubermock have mocks of the interfaces for tests of single calls.
// Package testkit/conformance holds every backend, the fake included, to the contract stated here.
package reception
