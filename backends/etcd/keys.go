package etcd

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/driver"
)

// keys are the names of what is stored:
//
//	<prefix>/services/<name>/<id>
//	<prefix>/elections/<election>/<lease, in 16 hexadecimal digits>
//
// What is between the slashes is escaped, so that no name reaches into its neighbour's keys. Names that package
// reception lets through need no escaping.
type keys struct{ services, elections string }

func newKeys(prefix string) keys {
	return keys{services: prefix + "/services/", elections: prefix + "/elections/"}
}

// service is the beginning of the keys of a service's instances.
func (k keys) service(name string) string { return k.services + url.PathEscape(name) + "/" }

// instance is the key of one instance.
func (k keys) instance(name, id string) string { return k.service(name) + url.PathEscape(id) }

// election is the beginning of the keys of an election's candidates.
func (k keys) election(name string) string { return k.elections + url.PathEscape(name) + "/" }

// candidate is the key of the candidate on a lease.
func (k keys) candidate(election string, lease clientv3.LeaseID) string {
	return k.election(election) + leaseName(lease)
}

// parseInstance returns what an instance's key says.
func (k keys) parseInstance(key string) (name, id string, err error) {
	rest, found := strings.CutPrefix(key, k.services)
	first, second, two := strings.Cut(rest, "/")
	if !found || !two {
		return "", "", fmt.Errorf("key %q is not that of an instance", key)
	}
	if name, err = unescape(first); err != nil {
		return "", "", err
	}
	id, err = unescape(second)
	return name, id, err
}

// unescape undoes url.PathEscape, of which it takes the one output only, so that a record has one key.
func unescape(segment string) (string, error) {
	if segment != "" && strings.IndexFunc(segment, special) < 0 {
		return segment, nil // as almost all are
	}
	text, err := url.PathUnescape(segment)
	if err != nil {
		return "", err
	}
	if text == "" || url.PathEscape(text) != segment {
		return "", fmt.Errorf("%q is not a name in a key", segment)
	}
	return text, nil
}

// special says whether a character may have to be escaped, or may be part of an escape.
func special(c rune) bool {
	plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
	return !plain
}

// leaseName is how keys and sessions name a lease.
func leaseName(id clientv3.LeaseID) string {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(id))
	var text [2 * len(number)]byte
	hex.Encode(text[:], number[:])
	return string(text[:])
}

// parseLease undoes leaseName, of which it takes the one output only.
func parseLease(name string) (clientv3.LeaseID, error) {
	id, err := strconv.ParseUint(name, 16, 64)
	if err != nil || id == 0 || leaseName(clientv3.LeaseID(id)) != name {
		return 0, fmt.Errorf("%q is not a lease", name)
	}
	return clientv3.LeaseID(id), nil
}

// noLease is one that servers never grant. It is not 0, with which a key would live for ever.
const noLease clientv3.LeaseID = math.MinInt64

// leaseOf returns the lease that a session is. For what is none the servers will say that it has expired.
func leaseOf(session driver.SessionID) clientv3.LeaseID {
	id, err := parseLease(string(session))
	if err != nil {
		return noLease
	}
	return id
}

// queues says whether a key of an election is that of a candidate: it is named after the lease that it lives on.
// Whatever else somebody may have put there counts for nobody, so that all agree on who comes first, and no stray key
// that never goes away holds an election up.
func queues(prefix string, kv *mvccpb.KeyValue) (lease clientv3.LeaseID, yes bool) {
	id, err := parseLease(strings.TrimPrefix(string(kv.Key), prefix))
	return id, err == nil && int64(id) == kv.Lease
}

// sessionOf is the session that a lease is.
func sessionOf(lease int64) driver.SessionID {
	return driver.SessionID(leaseName(clientv3.LeaseID(lease)))
}
