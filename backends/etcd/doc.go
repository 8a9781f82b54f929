// Package etcd is Reception over etcd v3, from version 3.4 on.
//
//	client, err := etcd.Dial(ctx, "10.0.0.1:2379,10.0.0.2:2379", etcd.WithPrefix("/prod"))
//
// or, with the package imported for its side effect,
//
//	client, err := reception.Open(ctx, "etcd://10.0.0.1:2379,10.0.0.2:2379?prefix=/prod&ttl=10s")
//
// Who has an etcd client already gives it to [New].
//
// # What it stores
//
// Instances are at <prefix>/services/<name>/<id> and candidates of elections at <prefix>/elections/<election>/<lease>,
// as JSON that people can read:
//
//	{"version":1,"owner":"8d2f…","generation":3,"address":"10.0.0.7","port":8080,"attributes":{"zone":"a"}}
//
// All registrations of a client live on one lease, and each candidacy on a lease of its own. Other tools may put
// instances there too; an address is all that they need to have. What is no JSON, or has no address, is skipped and
// logged.
//
// # Guarantees and limits
//
// Lists and all decisions are linearizable: a majority of the servers has confirmed them. A registration is one write,
// which shows to every list from then on, and to watches as fast as the servers pass it on. Restoring and removing a
// record are transactions on the very revision of it that was judged, so they touch nobody else's.
//
// Lists are in the order in which keys were created. A client that takes a record over takes its place, too.
//
// A watch reads what there is at one revision and follows every change after it. It asks for servers that have a
// leader, survives compaction, reads everything anew from time to time, and notices within two refresh intervals that
// nobody answers it any more, and within three that the servers have lost their data.
//
// A list of a service that this client watches is answered by the watch, without a request, if that is proven to be
// current: within the last two refresh intervals a majority has said how far the history had come, and the server of
// the watch that it has told everything up to there. So what it shows is never older than that, and not older than
// what this client has written or been shown. Servers before 3.4.25 and 3.5.8 may say so a moment too early.
//
// Elections are first come, first served. The fencing token is the revision at which the leader's key was created, so
// it grows over all elections of a cluster; a cluster that is restored from a backup, or made anew, starts again below.
// A term is renewed, and confirmed, by the leader of the cluster and a majority. The vendor's own elections are not
// used: they count a lease from the arrival of an answer, and may report a lead that is lost already.
//
// The servers keep a lease for longer than its TTL while they elect a leader of their own, up to twice as long. A TTL
// is in whole seconds and at least 2 s.
//
// # Options
//
// Options of [Dial] are parameters of an address as well:
//
//	prefix         [WithPrefix]
//	ttl            [WithTTL]
//	refresh        [WithRefreshInterval]
//	relist         [WithRelistInterval]
//	timeout        [WithOperationTimeout]
//	dial-timeout   [WithDialTimeout]
//	tls            true: TLS, trusting whom the system trusts; implied by the others
//	ca             file with the certificates to trust
//	cert, key      files with the certificate to present and its key
//	server-name    the name that servers' certificates must have, if not that of the address
//
// User and password stand before the hosts, as in etcd://user:password@10.0.0.1:2379. [Dial] also takes servers as URLs
// with the scheme http or https.
//
// With [New] the etcd client says how to connect. Set its DialKeepAliveTime to 10 s, as Dial does, or a connection that
// swallows everything lasts for as long as TCP likes.
//
// # Errors
//
// Errors hold a sentinel of package reception and the vendor's own error, usually one of package rpctypes. A write is
// reported as reception.ErrUnavailable only if it has not left this process or the servers have rejected it, and as
// reception.ErrOutcomeUnknown otherwise. Every request has a time limit ([WithOperationTimeout]), whatever its context.
//
// # Permissions
//
// Where authentication is on, a user needs to read and write the range of keys that begin with the prefix. Leases need
// no permission of their own. Tokens that expire are renewed.
//
// # Costs
//
// A register is one request; a list is one unless the service is watched, and costs the servers as much as it returns.
// Registrations that come back together after an outage share requests, a hundred each.
// A change costs a watch one message, however many instances there are, and all watches of a client share one
// connection and two streams: one for services, one for the rest. A client that has registered something renews one
// lease, every third of the TTL; a candidate or leader renews one each, and a leader also reads its election then.
// A stream with watches costs one more watch every third of the TTL, which is opened and closed; that of the services
// also one read and one question about its progress, however many services there are.
// With a password, each renewal costs the servers a password check, some 50 ms of computing.
package etcd
