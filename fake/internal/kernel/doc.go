// Package kernel is what the fake's generated operations are made of: sessions, tables of records, streams and turns,
// each verb of the specification's rules being one method. It knows no operation and no record by name.
//
// # Atomicity
//
// A [Kernel] has one mutex. [Kernel.Run] holds it for a whole operation, and gives it up in two places only: while a
// [Table.Await] waits, and in [Tx.Step], which stands between the rules of operations that are not atomic. Nothing
// that can wait, and no code from outside, ever runs under it.
//
// # Records
//
// A stored record is never changed: it is copied once on its way in, and an update stores a new one. So readers share
// what is stored, and a comparison of pointers tells whether something has changed.
//
// # Time
//
// All time is read from package time and counted from the kernel's making, so that a testing/synctest bubble moves it.
// Sessions expire in the order of deadline and number: by a single timer, and at the beginning of every operation for
// the case that the timer is late. There are no goroutines.
package kernel
