package reception

import (
	"net/netip"
	"strings"
)

// The longest host name, and the longest label in it.
const (
	hostNameBytes = 253
	labelBytes    = 63
)

// isHost says whether others can be told to connect to this host: a name or an IP address, without brackets, port or
// spaces. The unspecified addresses are none. An IPv6 address may have a zone.
//
// A name is made of labels as RFC 1123 has them, with underscores besides, since container networks hand out such
// names and resolvers find them. A final dot is allowed. Where the last label is a number, the whole is meant as an
// IPv4 address, and a wrong one.
func isHost(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return !address.WithZone("").Unmap().IsUnspecified() && isZone(address.Zone())
	}
	name := strings.TrimSuffix(host, ".")
	if len(name) > hostNameBytes {
		return false
	}
	last := name
	for label := range strings.SplitSeq(name, ".") {
		if !isLabel(label) {
			return false
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != ""
}

func isLabel(label string) bool {
	return label != "" && len(label) <= labelBytes &&
		label[0] != '-' && label[len(label)-1] != '-' &&
		strings.IndexFunc(label, func(r rune) bool { return !isNameRune(r) }) < 0
}

// isZone accepts what interfaces are called; none is fine.
func isZone(zone string) bool {
	return len(zone) <= labelBytes &&
		strings.IndexFunc(zone, func(r rune) bool { return !isNameRune(r) && r != '.' }) < 0
}

func isNameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_'
}
