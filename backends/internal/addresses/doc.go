// Package addresses reads what the addresses of all adapters have in common: the parameters that concern TLS, and that
// no path is given. What is a backend's own, its adapter reads.
package addresses
