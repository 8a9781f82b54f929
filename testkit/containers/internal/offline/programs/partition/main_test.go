//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"net/netip"
	"syscall"
	"testing"
)

func TestEntriesAreOurs(t *testing.T) {
	const table = `IP address       HW type     Flags       HW address            Mask     Device
172.18.0.1       0x1         0x2         02:42:39:c9:9d:5e     *        eth0
172.18.0.11      0x1         0x6         02:00:00:00:00:01     *        eth0
172.18.0.12      0x1         0x6         02:00:00:00:00:01     *        eth0
`
	want := map[netip.Addr]bool{netip.MustParseAddr("172.18.0.11"): true, netip.MustParseAddr("172.18.0.12"): true}
	if got := entries(table); !maps.Equal(got, want) {
		t.Errorf("entries = %v, want %v", got, want)
	}
}

func TestNeighbourMessage(t *testing.T) {
	address := netip.MustParseAddr("172.18.0.3")
	for _, add := range []bool{true, false} {
		message := neighbour(add, 7, address)
		if length := binary.NativeEndian.Uint32(message); int(length) != len(message) || length%4 != 0 {
			t.Errorf("add %v: the length is %d of %d bytes", add, length, len(message))
		}
		kind := binary.NativeEndian.Uint16(message[4:])
		if want := map[bool]uint16{true: syscall.RTM_NEWNEIGH, false: syscall.RTM_DELNEIGH}[add]; kind != want {
			t.Errorf("add %v: kind %d, want %d", add, kind, want)
		}
		if !bytes.Contains(message, address.AsSlice()) || bytes.Contains(message, nobody) != add {
			t.Errorf("add %v: % x", add, message)
		}
	}
}

func TestAcknowledgement(t *testing.T) {
	answer := func(kind uint16, code int32) []byte {
		message := make([]byte, headerLength+4)
		binary.NativeEndian.PutUint16(message[4:], kind)
		binary.NativeEndian.PutUint32(message[headerLength:], uint32(code))
		return message
	}
	if err := acknowledgement(answer(syscall.NLMSG_ERROR, 0)); err != nil {
		t.Errorf("success = %v", err)
	}
	if err := acknowledgement(answer(syscall.NLMSG_ERROR, -int32(syscall.EPERM))); !errors.Is(err, syscall.EPERM) {
		t.Errorf("refusal = %v, want EPERM", err)
	}
	if err := acknowledgement(answer(syscall.NLMSG_DONE, 0)); err == nil {
		t.Error("another message = nil, want an error")
	}
	if err := acknowledgement(nil); err == nil {
		t.Error("nothing = nil, want an error")
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"block"}, {"only", "not an address"}} {
		if err := run(args); err == nil {
			t.Errorf("run(%q) = nil, want an error", args)
		}
	}
}
