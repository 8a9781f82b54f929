// Package consul is Reception over Consul, from version 1.7 on.
//
//	client, err := consul.Dial(ctx, "127.0.0.1:8500", consul.WithHost("10.0.0.7"))
//
// or, with the package imported for its side effect,
//
//	client, err := reception.Open(ctx, "consul://127.0.0.1:8500?host=10.0.0.7")
//
// Who has a client of Consul's already gives it to [New]. Either way it must lead to one agent, usually that of the
// machine, and not to a balancer before several.
//
// # Health
//
// With a host ([WithHost], or HOST in the environment) Consul asks this process for its health: a small HTTP server
// answers, at that host and nowhere else if it is this machine's. Without one this process sends heartbeats (TTL checks),
// which need no way from the agent back to it. Elections always live on heartbeats.
//
// A client has one check, on a hidden service of its own (reception-session-), however many instances it registers:
// theirs are aliases of it. So a thousand instances cost one heartbeat, and come and go together.
//
// # What it stores
//
// An instance is a service with the agent, under its own name, with its attributes as metadata, one pair each. Keys that
// Consul does not allow are stored as b64_ and the key in base64. Four more pairs say whose record it is:
// reception-id, -owner, -session and -write. The ID that Consul has of it is made of name, ID and owner, so two clients
// never overwrite each other's record; where two have registered the same instance, readers take the newer one, and the
// other owner removes its own when it learns of that, also where it is registered with another agent.
//
// Services of other tools are listed with their metadata as attributes. Their ID is Consul's; where several agents have
// the same, the agent's name is added, as in web@node1.
//
// An election is a key, <prefix>/elections/<election>, that holds the leader's candidate while it is locked.
//
// # Guarantees and limits
//
// Register returns when the servers show the instance, healthy, to those who ask from then on; a list is confirmed by a
// majority of the servers. Names that differ in case only are different here, although Consul merges them. Watches are
// blocking queries, one for each name, that follow Consul's rules for them; the agent is asked every third of the TTL
// whether there is a leader, so a watch that nobody would answer is told within two thirds of it. Records that were lost,
// because the agent was restarted or wiped, or somebody has removed them, are restored.
//
// Lists are in the order in which the catalog got the services. A client that takes a record over goes to the end.
//
// Session TTLs of Consul are at least 10 s, and take effect after twice that. So a candidate's session has none; it is
// bound to the heartbeat, and ends when that is late. An agent that is cut off from its servers answers heartbeats all the
// same: what a term stands on is that a majority of the servers has confirmed the lock after it was asked, and that they
// keep a lock free for the lock-delay ([WithLockDelay]) after its holder was lost. A term is confirmed three times within
// the lock-delay. When a leader dies, the next one leads within the TTL and the lock-delay; when it resigns, at once. The
// fencing token is the index of the write that took the lock; it grows over all elections of a data centre. The
// vendor's own Lock is not used: it notices a partition after minutes, when another one has led for long.
//
// Consul serves candidates as they come, not in the order in which they queued, except that one who finds the election
// free takes it at once. All who wait are woken by a departure.
//
// What cannot be promised: that an owner is told ErrDisconnected before readers lose its record, where it is the agent
// that fails. The servers may find that out at any moment, and hide all of the agent's services at once. With HTTP checks
// the same holds for a question that gets lost.
//
// # Options
//
// Options of [Dial] are parameters of an address as well:
//
//	host                      [WithHost]
//	port                      [WithPort]
//	listen-host               [WithListenHost]
//	advertised-port           [WithAdvertisedPort]
//	check-interval            [WithCheckInterval]
//	check-timeout             [WithCheckTimeout]
//	check-deregister-timeout  [WithCheckDeregisterTimeout]
//	ttl-checks                true: [WithTTLChecks]
//	ttl                       [WithTTL]
//	lock-delay                [WithLockDelay]
//	prefix                    [WithPrefix]
//	unhealthy                 true: [WithUnhealthy]
//	token, token-file         [WithToken], [WithTokenFile]
//	datacenter                [WithDatacenter]
//	namespace, partition      [WithNamespace], [WithPartition]
//	timeout                   [WithOperationTimeout]
//	dial-timeout              [WithDialTimeout]
//	tls                       true: TLS, trusting whom the system trusts; implied by the others
//	ca                        file with the certificates to trust
//	cert, key                 files with the certificate to present and its key
//	server-name               the name that the agent's certificate must have, if not that of the address
//
// # Errors
//
// Errors hold a sentinel of package reception and the vendor's own error, usually an api.StatusError. A write is reported
// as reception.ErrUnavailable only if it has not left this process or Consul has rejected it, and as
// reception.ErrOutcomeUnknown otherwise. Every request has a time limit ([WithOperationTimeout]), whatever its context. An
// answer from which access control lists have kept something is reception.ErrPermission, never a short list; but
// ListNames leaves out what the token may not see, as long as it may see anything.
//
// # Permissions
//
// Where access control lists are on, a token needs
//
//	service "reception-session-" { policy = "write" }  # to register, or to campaign
//	service "api"                { policy = "write" }  # for each name to register; "read" to list and watch
//	node_prefix ""               { policy = "read" }
//	session_prefix ""            { policy = "write" }  # to campaign
//	key_prefix "reception"       { policy = "write" }  # to campaign; "read" to see who leads
//
// # Costs
//
// A register is a write with the agent between two reads, which those registrations of a name share that are under way
// together; a list is one request, of the whole list, as is the answer to a watch at each change: that is Consul's
// protocol. An agent allows an address 200 connections by default, of which a client
// uses one for each name that it watches, one for each under which it has registered something, two for each lead, and up
// to two dozen while it registers many instances. A client that has registered something asks the servers and sends a
// heartbeat every third of the TTL; a candidate likewise, and a leader three times in a lock-delay.
package consul
