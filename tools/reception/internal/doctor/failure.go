package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/go-reception/sdk/reception"
)

// failure is the finding for an error of the backend.
func failure(check string, err error) Finding {
	return Finding{Check: check, State: Failed, Detail: strings.TrimPrefix(oneLine(err), "reception: "), Fix: fixFor(err)}
}

// oneLine puts an error on one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// fixFor says what would help against an error, where that can be told.
func fixFor(err error) string {
	switch {
	case errors.Is(err, reception.ErrPermission):
		return "give the user in the address, or its token, the right to read and write below the prefix: " +
			"each adapter's documentation lists what it needs under Permissions"
	case errors.Is(err, reception.ErrSessionExpired):
		return "choose a longer ttl, or find out what holds up its renewals"
	case errors.Is(err, reception.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return "see whether the servers have a leader of their own, and what their logs say"
	}
	return ""
}

// dialLimit is how long one server has to take a connection.
const dialLimit = 3 * time.Second

// Unreached looks into why no client could be had of an address: it tries each server by itself.
func Unreached(ctx context.Context, url string, err error) []Finding {
	if errors.Is(err, reception.ErrPermission) {
		return []Finding{failure("connection", err)}
	}
	var findings []Finding
	for _, host := range hosts(url) {
		findings = append(findings, dial(ctx, host))
	}
	f := failure("connection", err)
	f.Fix = "see above"
	if !containsFailure(findings) {
		f.Fix = "something answers at that address: is it the backend that the scheme says, with TLS or without it as given, " +
			"and does it have a leader?"
	}
	return append(findings, f)
}

// containsFailure says whether one of them is one.
func containsFailure(findings []Finding) bool {
	for _, f := range findings {
		if f.State == Failed {
			return true
		}
	}
	return false
}

// hosts returns the servers of an address that have a port.
func hosts(url string) []string {
	_, rest, _ := strings.Cut(url, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	rest = rest[strings.LastIndex(rest, "@")+1:]
	var all []string
	for host := range strings.SplitSeq(rest, ",") {
		if _, port, err := net.SplitHostPort(host); err == nil && port != "" {
			all = append(all, host)
		}
	}
	return all
}

// dial tries whether a server takes a connection.
func dial(ctx context.Context, host string) Finding {
	dialer := net.Dialer{Timeout: dialLimit}
	connection, err := dialer.DialContext(ctx, "tcp", host)
	if err == nil {
		_ = connection.Close() // it has served its purpose
		return Finding{Check: "server", State: OK, Detail: host + " takes connections"}
	}
	f := Finding{Check: "server", State: Failed, Detail: fmt.Sprintf("%s: %v", host, err)}
	_, unknown := errors.AsType[*net.DNSError](err)
	late, _ := errors.AsType[net.Error](err)
	switch {
	case unknown:
		f.Fix = "correct the name, or make it known to this machine (DNS, /etc/hosts)"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Fix = "start the server, or have it listen on this address and port; in a container, 127.0.0.1 is the container itself"
	case late != nil && late.Timeout(), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		f.Fix = "find what swallows the packets on the way: a firewall, a security group, a missing route"
	}
	return f
}
