package zookeeper

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/go-reception/sdk/reception/driver"
)

// keys are the paths of what is stored:
//
//	<prefix>/services/<name>/<id>,<a mark of the write>
//	<prefix>/holders/<name>/<id>
//	<prefix>/elections/<election>/<mark of the session>-<sequence>
//	<prefix>/sessions/<mark of the session>
//
// Names are escaped, so that none reaches into its neighbour's nodes. Names that package reception lets through need no
// escaping.
type keys struct{ services, holders, elections, sessions string }

func newKeys(prefix string) keys {
	return keys{
		services: prefix + "/services", holders: prefix + "/holders",
		elections: prefix + "/elections", sessions: prefix + "/sessions",
	}
}

// service is the parent of a service's instances.
func (k keys) service(name string) string { return k.services + "/" + escape(name) }

// holder is what names the record of an instance.
func (k keys) holder(key instanceKey) string {
	return k.holders + "/" + escape(key.name) + "/" + escape(key.id)
}

// holderOf is the holder that names a record of ours, if one does.
func (k keys) holderOf(record string) string {
	folder, name := path.Split(strings.TrimPrefix(record, k.services))
	segment, _, _ := strings.Cut(name, separator)
	return k.holders + folder + segment
}

// election is the parent of an election's candidates.
func (k keys) election(name string) string { return k.elections + "/" + escape(name) }

// session is the node of a session.
func (k keys) session(mark string) string { return k.sessions + "/" + mark }

// empties says whether a node is the parent of nodes that come and go, of which it may have none one day.
func (k keys) empties(path string) bool {
	return slices.ContainsFunc([]string{k.services, k.holders, k.elections}, func(folder string) bool {
		return strings.HasPrefix(path, folder+"/")
	})
}

// markLength is that of what rand.Text returns.
const markLength = 26

// newMark returns a name that nobody else has.
func newMark() string { return rand.Text() }

// separator stands between ID and mark. It is none of the characters that url.PathEscape leaves alone.
const separator = ","

// instanceName is the name of the node of a new write of an instance. Each write has a node of its own, so that a list
// of names tells who has read them before what is new.
func instanceName(id string) string { return escape(id) + separator + newMark() }

// parseInstance returns what the name of an instance's node says. Those of other tools have no mark.
func parseInstance(node string) (id string, ours bool, err error) {
	segment, mark, ours := strings.Cut(node, separator)
	if ours && mark == "" {
		return "", false, fmt.Errorf("%q is not the name of an instance", node)
	}
	id, err = unescape(segment)
	return id, ours, err
}

// escape makes a name one that a node can have, which has neither slashes nor other meanings.
func escape(name string) string {
	switch name {
	case "":
		return "%"
	case ".", "..":
		return strings.ReplaceAll(name, ".", "%2E")
	default:
		return url.PathEscape(name)
	}
}

// unescape undoes escape, of which it takes the one output only, so that a name has one node.
func unescape(segment string) (string, error) {
	text, err := url.PathUnescape(segment)
	if err != nil {
		return "", err
	}
	if escape(text) != segment {
		return "", fmt.Errorf("%q is not the name of a node", segment)
	}
	return text, nil
}

// A place is a candidate's in the queue, as the name of its node says.
type place struct {
	name, mark string
	sequence   int32
}

// parsePlace reads the name of a candidate's node. Whatever else somebody may have put there counts for nobody.
func parsePlace(name string) (place, bool) {
	if len(name) < markLength+2 || name[markLength] != '-' {
		return place{}, false
	}
	sequence, err := strconv.ParseInt(name[markLength+1:], 10, 32)
	return place{name: name, mark: name[:markLength], sequence: int32(sequence)}, err == nil
}

// queueOf returns the places that names are, first come first. The sequence is the servers' count of the nodes that
// were created there, in 32 bits: after 2147483647 comes -2147483648. So it is compared by its difference, which is
// right as long as those that queue at one time are no more than two thousand million apart.
func queueOf(names []string) []place {
	var queue []place
	for _, name := range names {
		if p, is := parsePlace(name); is {
			queue = append(queue, p)
		}
	}
	slices.SortFunc(queue, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.sequence-b.sequence, 0), strings.Compare(a.name, b.name))
	})
	return queue
}

// sessionName is how a session is called: the servers' session that it lives on, and its mark.
func sessionName(owner int64, mark string) driver.SessionID {
	return driver.SessionID(fmt.Sprintf("%016x-%s", uint64(owner), mark))
}

// noMark is that of a session that there never was.
const noMark = "none"

// markOf returns a session's mark. That of what is no session has no node, so the servers will say that it has expired.
func markOf(session driver.SessionID) string {
	_, mark, found := strings.Cut(string(session), "-")
	if !found || len(mark) != markLength || strings.Contains(mark, "/") {
		return noMark
	}
	return mark
}
