// Package zookeeper is Reception over ZooKeeper, from version 3.5.3 on, whose servers are named or found through
// Exhibitor.
//
//	client, err := zookeeper.Dial(ctx, "10.0.0.1:2181,10.0.0.2:2181", zookeeper.WithPrefix("/prod"))
//	client, err := zookeeper.DialExhibitor(ctx, "10.0.0.1:8080,10.0.0.2:8080", zookeeper.WithPrefix("/prod"))
//
// or, with the package imported for its side effect,
//
//	client, err := reception.Open(ctx, "zk://10.0.0.1:2181,10.0.0.2:2181?prefix=/prod&timeout=10s")
//	client, err := reception.Open(ctx, "exhibitor://10.0.0.1:8080,10.0.0.2:8080?prefix=/prod")
//
// Who has a connection of github.com/go-zookeeper/zk already gives it to [New], with the channel of its events.
//
// # What it stores
//
// Instances are at <prefix>/services/<name>/<id>,<mark>, which of these an instance has now is said at
// <prefix>/holders/<name>/<id>, candidates of elections are at <prefix>/elections/<election>/<mark>-<sequence>, and what
// all of them live on is at <prefix>/sessions/<mark>. All of these are ephemeral. The data of instances and candidates is
// JSON that people can read:
//
//	{"version":1,"owner":"8d2f…","generation":3,"address":"10.0.0.7","port":8080,"attributes":{"zone":"a"}}
//
// Each write of an instance is a node of its own, with a mark of its own, because the children of a node are all that can
// be watched at once: who knows the names knows what is new. The holder has the name of that node as its data. Node and
// holder are created, replaced and deleted together, in one transaction, so that an update or a take-over leaves no gap,
// and nobody has to look among the other instances for what is to be replaced. A record that is restored carries the age
// of the registration that it restores, so that it yields to whoever has registered the instance since.
//
// A client has one session with the servers. What the SDK calls a session, of which registrations share one and each
// candidacy has one, is a node on it: every write is a transaction with that node, so that none can land after its end.
//
// Other tools may put instances there too, as <prefix>/services/<name>/<id>; an address is all that they need to have.
// They change one by deleting the node and creating it again, or by creating another one of the same ID: a node whose data
// was overwritten fires no watch of its parent, and is read again only after [WithRelistInterval].
// What is no JSON, or has no address, is skipped and logged. Such an instance has no holder, and is left to whoever has
// put it there: where a client of this package has registered an instance of the same ID, readers take the newer of the
// two, neither side is told, and when one goes the other shows. The same is true of a node whose holder was deleted by
// hand, until its owner looks again ([WithRelistInterval]) and restores the holder.
//
// The parents of all these nodes are containers, which the servers clear away some time after they have become empty.
//
// # Guarantees and limits
//
// Writes are confirmed by a majority of the servers. Reads are answered by the server that the client is connected to,
// which may be behind the others for a moment, though never behind what the same client has written or seen: when its
// session has expired, the server of the next one is brought up to date before anything is read there.
//
// Lists are in the order in which nodes were created, so an update moves an instance to the end.
//
// A watch is told that something has changed, reads the names, and of the instances those that are new. It looks again
// with every session that is regained, and every now and then. A connection that swallows everything is noticed after
// two thirds of the session timeout.
//
// Elections are first come, first served; who waits watches the one right before it. The fencing token is the
// transaction that created the leader's node, so it grows over all elections of an ensemble, and starts again below when
// the ensemble has lost its data.
//
// A term is renewed by a transaction, which the leader of the servers and a majority confirm. A ping proves nothing: it is
// answered by a server that has lost the others, while these let the session expire. The leader does not count the timeout
// from a transaction, either: it does so from what the server at the other end passes on, every half tick, about whom it
// has heard of. So a renewal counts when another one is confirmed that was sent a quarter of the timeout later. Who
// campaigns within a third of the timeout after connecting, and is at the head, leads at once, since servers ask their
// leader about each connection; so does who has waited in the queue for long enough. Anybody else's first term begins a
// quarter of the timeout after the campaign.
//
// What counts is thus up to a third of the timeout old, and a tenth is the margin. So a connection may be lost for half of
// the timeout before reception.ErrDisconnected is told, or a term ends.
//
// The servers grant a session timeout of 2 to 20 of their ticks, by default 4 s to 40 s. That must be the same on all of
// them, as must their limits of the timeout (minSessionTimeout, maxSessionTimeout): a session that moves to a server which
// grants less ends sooner than its client can know if the connection is lost again before it has heard.
//
// When the servers have lost their data, a client of [Dial] gets through to them once its session's time has passed, and
// restores what it has registered. A client of [New] does not: see there.
//
// # Options
//
// Options of [Dial] and [DialExhibitor] are parameters of an address as well:
//
//	prefix             [WithPrefix]
//	timeout            [WithSessionTimeout]
//	relist             [WithRelistInterval]
//	operation-timeout  [WithOperationTimeout]
//	dial-timeout       [WithDialTimeout]
//	poll               [WithExhibitorInterval]; with exhibitor:// only
//	tls                true: TLS, trusting whom the system trusts; implied by the others
//	ca                 file with the certificates to trust
//	cert, key          files with the certificate to present and its key
//	server-name        the name that servers' certificates must have, if not that of the address
//
// User and password stand before the hosts, as in zk://user:password@10.0.0.1:2181; see [WithDigest]. Exhibitor lists
// host names and one port for all of them.
//
// # Errors
//
// Errors hold a sentinel of package reception and the vendor's own error. What fails for want of a connection is
// reception.ErrZkDisconnect as well. A write is reported as reception.ErrUnavailable only if it has not left this process
// or the servers have rejected it, and as reception.ErrOutcomeUnknown otherwise. Every request has a time limit
// ([WithOperationTimeout]), whatever its context.
//
// # Permissions
//
// With [WithDigest] all nodes belong to the user; without it everybody may do everything, unless [WithACL] says
// otherwise. The prefix and the nodes above it are created if they are not there.
//
// # Costs
//
// A register, an update and a deregister are one transaction each, the latter after a read, and cost the same however many
// instances there are. A take-over costs two reads and another transaction, because the first is refused. An instance that is kept up costs one
// read when it was written, and one watch. A list is one request for the names and one for each instance, of which many
// are under way at a time. A change costs a watch two requests, however many instances there are; one of them reads all
// names, because ZooKeeper does not say which have changed. A client that has registered something, a candidate and a
// leader each send one transaction in a twelfth of the session timeout. A client has one connection.
package zookeeper
