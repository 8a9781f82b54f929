package zookeeper

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// formatVersion is the version of what is stored. A reader takes records of this version, and such as name none, which
// are other tools'. What it does not know in them it ignores, so only a change that would mislead it needs a new
// version.
const formatVersion = 1

// errLaterFormat says that a record was written by a later version of this package, or seems to be.
var errLaterFormat = errors.New("the format is of a version that is not known here")

// sizeLimit is how long the data of a node may be. Servers close the connection on a request of a megabyte, for
// everybody who uses it.
const sizeLimit = 900 << 10

// A record is the data of a node.
type record struct {
	Version    int               `json:"version,omitempty"`
	Owner      string            `json:"owner,omitempty"`
	Generation uint64            `json:"generation,omitempty"`
	Claim      uint64            `json:"claim,omitempty"` // of an instance that was restored: see rank
	ID         string            `json:"id,omitempty"`    // of a candidate; an instance has it in its name
	Name       string            `json:"name,omitempty"`  // likewise
	Address    string            `json:"address"`
	Port       int               `json:"port"`
	Attributes driver.Attributes `json:"attributes,omitempty"`
}

// encodeInstance makes the data of an instance's node.
func encodeInstance(i *driver.Instance, claim uint64) ([]byte, error) {
	return encode(&record{
		Version: formatVersion, Owner: i.Owner, Generation: i.Generation, Claim: claim,
		Address: i.Service.Address, Port: i.Service.Port, Attributes: i.Service.Attributes,
	})
}

// encodeCandidate makes the data of a candidate's node.
func encodeCandidate(s *driver.Service) ([]byte, error) {
	return encode(&record{
		Version: formatVersion, ID: s.ID, Name: s.Name, Address: s.Address, Port: s.Port, Attributes: s.Attributes,
	})
}

func encode(r *record) ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("cannot be stored: %w", err)
	}
	if len(data) > sizeLimit {
		return nil, fmt.Errorf("cannot be stored: %d bytes are more than the %d that a node may hold", len(data), sizeLimit)
	}
	return data, nil
}

// decode reads the data of a node.
func decode(data []byte) (*record, error) {
	r := new(record)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, err
	}
	if r.Version != formatVersion && r.Version != 0 {
		return nil, fmt.Errorf("%w: %d", errLaterFormat, r.Version)
	}
	return r, nil
}

// A node is a write of an instance, as it was read.
type node struct {
	name     string           // of the node
	instance *driver.Instance // nil if it cannot be understood
	rank     uint64

	// For the directory that has it:
	round uint64 // in which it was there
	next  *node  // another write of the instance; nil for none
}

// standing returns the instance that stands, of a write and those that it leads to; nil of none.
func (a *node) standing() *driver.Instance {
	if a == nil {
		return nil
	}
	best := a
	for n := a.next; n != nil; n = n.next {
		if n.outranks(best) {
			best = n
		}
	}
	return best.instance
}

// decodeNode reads a write of an instance of the service called name.
func decodeNode(service, name string, data []byte, stat *zk.Stat) (*node, error) {
	id, _, err := parseInstance(name)
	if err != nil {
		return nil, err
	}
	r, err := decode(data)
	if err != nil {
		return nil, err
	}
	if r.Address == "" {
		return nil, errors.New("there is no address")
	}
	created := uint64(stat.Czxid)
	i := &driver.Instance{
		Service: driver.Service{ID: id, Name: service, Address: r.Address, Port: r.Port, Attributes: r.Attributes},
		Owner:   r.Owner, Generation: r.Generation, Created: created,
	}
	if stat.EphemeralOwner != 0 {
		i.Session = driver.SessionID(fmt.Sprintf("%016x", uint64(stat.EphemeralOwner)))
	}
	return &node{name: name, instance: i, rank: rank(r.Claim, created)}, nil
}

// rank says which of several writes of one instance stands: the one of the highest rank, and among equals the newest.
//
// A registration ranks by its creation, so that the newest wins. What restores a record claims the rank that the record
// had before it was lost, so that it yields to whoever has registered the same instance since, in whatever order the two
// writes arrive, and needs no lock. Nothing can claim a rank from after its creation: such a claim is from before the
// servers lost their data.
func rank(claim, created uint64) uint64 {
	if claim > 0 && claim < created {
		return claim
	}
	return created
}

// outranks says whether a stands rather than b.
func (a *node) outranks(b *node) bool {
	if a.rank != b.rank {
		return a.rank > b.rank
	}
	return a.instance.Created > b.instance.Created
}

// decodeCandidate reads a candidate.
func decodeCandidate(election string, p place, data []byte, stat *zk.Stat) (*driver.Candidate, error) {
	c := &driver.Candidate{
		Election: election, Session: sessionName(stat.EphemeralOwner, p.mark), Token: uint64(stat.Czxid),
	}
	r, err := decode(data)
	if err != nil {
		return c, err // it leads all the same
	}
	c.Service = driver.Service{ID: r.ID, Name: r.Name, Address: r.Address, Port: r.Port, Attributes: r.Attributes}
	return c, nil
}
