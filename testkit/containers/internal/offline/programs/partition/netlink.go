//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// What rtnetlink(7) and linux/neighbour.h define and package syscall lacks.
const (
	permanent    = 0x80 // NUD_PERMANENT
	attrAddress  = 1    // NDA_DST
	attrHardware = 2    // NDA_LLADDR
	headerLength = syscall.SizeofNlMsghdr
)

// nobody is a locally administered hardware address.
var nobody = net.HardwareAddr{0x02, 0, 0, 0, 0, 0x01}

// neighbour returns the netlink message that adds or removes an entry.
func neighbour(add bool, device int, address netip.Addr) []byte {
	kind, flags := uint16(syscall.RTM_DELNEIGH), uint16(syscall.NLM_F_REQUEST|syscall.NLM_F_ACK)
	if add {
		kind, flags = syscall.RTM_NEWNEIGH, flags|syscall.NLM_F_CREATE|syscall.NLM_F_REPLACE
	}
	message := make([]byte, headerLength, 64)
	message = append(message, syscall.AF_INET, 0, 0, 0)
	message = binary.NativeEndian.AppendUint32(message, uint32(device))
	message = binary.NativeEndian.AppendUint16(message, permanent)
	message = append(message, 0, 0)
	message = attribute(message, attrAddress, address.AsSlice())
	if add {
		message = attribute(message, attrHardware, nobody)
	}
	binary.NativeEndian.PutUint32(message[0:], uint32(len(message)))
	binary.NativeEndian.PutUint16(message[4:], kind)
	binary.NativeEndian.PutUint16(message[6:], flags)
	return message
}

// attribute appends a route attribute, padded to four bytes.
func attribute(message []byte, kind uint16, value []byte) []byte {
	message = binary.NativeEndian.AppendUint16(message, uint16(syscall.SizeofRtAttr+len(value)))
	message = binary.NativeEndian.AppendUint16(message, kind)
	message = append(message, value...)
	return append(message, make([]byte, -len(message)&3)...)
}

// request sends a message to the kernel and returns what it says to it.
func request(message []byte) error {
	socket, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	defer syscall.Close(socket) //nolint:errcheck // nothing is left to be written
	if err := syscall.Sendto(socket, message, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	answer := make([]byte, syscall.Getpagesize())
	n, _, err := syscall.Recvfrom(socket, answer, 0)
	if err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	return acknowledgement(answer[:n])
}

// acknowledgement returns the error in the kernel's answer.
func acknowledgement(answer []byte) error {
	if len(answer) < headerLength+4 || binary.NativeEndian.Uint16(answer[4:]) != syscall.NLMSG_ERROR {
		return fmt.Errorf("netlink: unexpected answer % x", answer)
	}
	if code := int32(binary.NativeEndian.Uint32(answer[headerLength:])); code != 0 {
		return syscall.Errno(-code)
	}
	return nil
}
