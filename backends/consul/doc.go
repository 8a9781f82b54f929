// Package consul is Reception over Consul.
package consul
