// Package backends has the names under which the library of 2018 offered its backends, and with them all adapters at
// once: whoever imports it can also [reception.Open] an address of any scheme.
//
//	client, err := backends.DialConsul(ctx, "localhost:8500", backends.WithCheckInterval(time.Second))
//	client, err := backends.DialEtcd(ctx, "localhost:2379", backends.WithEtcdPrefix("/prod"))
//	client, err := backends.DialZk(ctx, "localhost:2181", backends.WithZkPrefix("/prod"))
//	client, err := backends.DialExhibitor(ctx, "localhost:8080/")
//
// Everything here is another name of something in the packages consul, etcd and zookeeper, which say what it does and
// have options that are not here; each of those can be given here, too. A program that needs one backend imports its
// package instead, and is spared the vendors' clients of the others.
//
// # What is different from there
//
// Dialling takes a context. It, and the functions that begin with New, return an error for an option that is out of its
// range, where the old library went on with it. A connection that is passed in is closed by whoever made it.
package backends
