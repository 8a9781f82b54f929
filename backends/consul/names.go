package consul

import (
	"encoding/hex"
	"strings"

	"github.com/go-reception/sdk/reception/driver"
)

// helperName is the service whose instances are the sessions of clients. No instance of a user's can have this name,
// because of its last character; and Consul finds nothing wrong with it.
const helperName = "reception-session-"

// serviceID is the ID of an instance with Consul, which is unique on an agent, whatever the service. It holds the owner,
// so that two clients that register the same instance never overwrite each other: readers choose between the two, see
// outranks, and a removal can only concern what its owner has written.
func serviceID(name, id, owner string) string {
	return "reception~" + escape(name) + "~" + escape(id) + "~" + escape(owner)
}

// helperID is the ID of a session's helper service.
func helperID(session driver.SessionID) string { return helperName + string(session) }

// checkOf names the check of a service that stands for its session. It is another one for each session, because Consul
// has a check that is registered again begin with the status that it had.
func checkOf(service string, session driver.SessionID) string { return service + ":" + string(session) }

// escape makes a text one that may be part of an ID. IDs that differ in case only are the same to Consul.
func escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '.':
			b.WriteByte(c)
		case c >= 'A' && c <= 'Z':
			b.WriteByte('_')
			b.WriteByte(c + ('a' - 'A'))
		case c == '_':
			b.WriteString("__")
		default:
			b.WriteString("_0" + hex.EncodeToString([]byte{c}))
		}
	}
	return b.String()
}

// electionKey is where the lock of an election is.
func (b *backend) electionKey(election string) string {
	return b.settings.prefix + "/elections/" + election
}
