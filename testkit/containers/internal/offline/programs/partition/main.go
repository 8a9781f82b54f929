//go:build linux

// Command partition keeps the network namespace that it runs in apart from some
// hosts of its networks, and from no others:
//
//	partition only 172.18.0.3 172.18.0.4
//	partition only
//
// It gives an address a permanent neighbour entry with a hardware address that
// nobody has, so that whatever is sent there is lost: connections stay open and
// hang, new ones time out, and everything goes on when the entry is removed.
// That needs neither routes nor packet filters, only CAP_NET_ADMIN, and it is
// gone with the namespace.
package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "partition:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || args[0] != "only" {
		return errors.New("usage: partition only [address...]")
	}
	table, err := os.ReadFile("/proc/net/arp")
	if err != nil {
		return err
	}
	blocked := entries(string(table))
	for _, arg := range args[1:] {
		address, err := netip.ParseAddr(arg)
		if err != nil {
			return err
		}
		if blocked[address] {
			delete(blocked, address) // and leave it as it is
			continue
		}
		if err := change(true, address); err != nil {
			return fmt.Errorf("keep %s out: %w", address, err)
		}
	}
	for address := range blocked {
		if err := change(false, address); err != nil {
			return fmt.Errorf("let %s in: %w", address, err)
		}
	}
	return nil
}

// entries returns the addresses in the kernel's table that lead nowhere.
func entries(table string) map[netip.Addr]bool {
	found := map[netip.Addr]bool{}
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[3] != nobody.String() {
			continue
		}
		if address, err := netip.ParseAddr(fields[0]); err == nil {
			found[address] = true
		}
	}
	return found
}

// change adds or removes the entry of an address.
func change(add bool, address netip.Addr) error {
	device, err := deviceOf(address)
	if err != nil {
		return err
	}
	return request(neighbour(add, device, address))
}

// deviceOf returns the index of the interface whose network has the address.
func deviceOf(address netip.Addr) (int, error) {
	devices, err := net.Interfaces()
	if err != nil {
		return 0, err
	}
	for _, device := range devices {
		addresses, err := device.Addrs()
		if err != nil {
			return 0, err
		}
		for _, own := range addresses {
			if prefix, err := netip.ParsePrefix(own.String()); err == nil && prefix.Contains(address) {
				return device.Index, nil
			}
		}
	}
	return 0, fmt.Errorf("no interface has a network with %s", address)
}
