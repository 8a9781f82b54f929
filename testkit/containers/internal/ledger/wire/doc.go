// Package wire is a TCP proxy that counts what a client and a server tell each
// other: connections, bytes in each direction, and requests, which it finds by
// reading the client's half of the conversation in the protocol that it is held in.
//
// It carries bytes through this process, so it is put in the way only where
// something is counted, or where the way is to be cut, and never where time is
// measured against a client that goes without it.
package wire
