// Package fence has resources refuse what a leader of the past still sends.
//
// # What an election alone cannot give
//
// A term ends by its holder's own clock before anybody else can lead, so at no moment do two processes believe that
// they lead. That is not enough where the leader writes to something outside of the election. Between the moment at
// which a process asks whether it leads and the moment at which its write arrives, anything may pass: a stop of the
// world, a suspended machine, a packet that waits in a queue for a minute. Meanwhile the term ends, another process
// leads and writes; and then the old write arrives, sent in good faith, and undoes the new one. No lease prevents
// that, however short, because the one who is late is not the one who looks at the clock.
//
// Only the resource can tell: it sees both writes. So each term has a token (reception.Term.Token), which is greater
// than that of every earlier term of its election; a writer sends it along with every write; and the resource keeps
// the greatest that it has seen, and refuses whatever comes with a smaller one. That is a fence.
//
// # What a new leader does first
//
// It claims: it shows the resource its token before it reads what it is going to change ([Guard.Admit], [Claim]).
// Otherwise there is a gap: the new leader reads, then a late write of the old one is accepted, because nothing with
// the new token has arrived yet, and then the new leader overwrites it with what it has made of the old state. From
// the claim on, nothing of an earlier term is accepted any more, so what is read after it stands until its reader
// changes it.
//
// # Two kinds of resources
//
// One that runs code of yours (a server that others send requests to, a worker pool, a device) has a [Guard] and lets
// every write pass through it: [Guard.Do] compares and acts as one step.
//
// One that only stores (a row, a key, a node) keeps the token beside the value and is changed by comparing and setting.
// Where it can compare the token by itself, that takes one statement:
//
//	UPDATE account SET balance = $1, token = $2 WHERE id = $3 AND token <= $2
//
// and no row changed means that the token is stale; the example of the package shows it with database/sql. Where it
// can only compare versions, as a key of etcd (its mod revision), of Consul (its ModifyIndex) or a node of ZooKeeper
// (its version), implement [Store], which has two methods, and use [Claim] and [Update]. Such stores for all three,
// some forty lines each, are in testkit/containers/fencetest, with tests on real servers; copy them.
//
// # Guarantees and limits
//
// A fence protects one resource. Two resources with a fence each do not change together.
//
// A fence is only as good as its tokens. They grow within one life of the backend's data; after the backend was wiped,
// or restored from a backup, they begin again below what the fence remembers. The fence then refuses most of them, which
// is the safe side, but a token of the new life may equal or exceed one of the old. So an operator whose backend has lost
// its data closes the resource first, by showing it the greatest token there is (math.MaxUint64); then sees to it that
// no process of the earlier life will write again; and only then resets it ([Guard.Reset], or the stored token set to 0).
//
// The same token may come any number of times: a fence keeps terms apart, not the writes of one term. It does not say
// whether a write that failed without an answer was carried out, either; send such a write again only if that does no
// harm.
//
// # Errors
//
// A refusal is a [*StaleError], which says which token came and which one was seen before; errors.Is finds [ErrStale]
// in it. Whoever gets it does not lead any more, whatever it believes.
package fence
