// Package differential has the same clients do the same on the fake and on servers, in random sequences that a seed
// repeats, and compares what they see. It finds where a backend behaves otherwise than the fake does, in an order of
// events that nobody has thought of.
//
//	func TestDifferential(t *testing.T) {
//		differential.Run(t, differential.Harness{
//			Name: "mine",
//			Open: func(t *testing.T) *differential.Cluster {
//				return &differential.Cluster{Connect: func() driver.Backend { return connect(t) }}
//			},
//		})
//	}
//
// Sequences register, displace and deregister, list and watch, campaign, resign and succeed, by terms and by electors,
// and make mistakes. With [Cluster.Cut] and [Cluster.Expire] they also cut clients off and end their sessions, and
// compare how all of that comes back.
//
// What the contract leaves open is not compared: the place in a list of a record that was written more than once, and
// for how long what another client has done may not show yet.
package differential
