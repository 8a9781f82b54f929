package etcd

import (
	"encoding/json"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/mvccpb"

	"github.com/go-reception/sdk/reception/driver"
)

// formatVersion is the version of what is stored. A reader takes records of this version, and such as name none, which
// are other tools'. What it does not know in them it ignores, so only a change that would mislead it needs a new
// version.
const formatVersion = 1

// errLaterFormat says that a record was written by a later version of this package, or seems to be.
var errLaterFormat = errors.New("the format is of a version that is not known here")

// A record is the value of a key.
type record struct {
	Version    int               `json:"version,omitempty"`
	Owner      string            `json:"owner,omitempty"`
	Generation uint64            `json:"generation,omitempty"`
	ID         string            `json:"id,omitempty"`   // of a candidate; an instance has it in the key
	Name       string            `json:"name,omitempty"` // likewise
	Address    string            `json:"address"`
	Port       int               `json:"port"`
	Attributes driver.Attributes `json:"attributes,omitempty"`
}

// encodeInstance makes the value of an instance's key.
func encodeInstance(i *driver.Instance) (string, error) {
	return encode(&record{
		Version: formatVersion, Owner: i.Owner, Generation: i.Generation,
		Address: i.Service.Address, Port: i.Service.Port, Attributes: i.Service.Attributes,
	})
}

// encodeCandidate makes the value of a candidate's key.
func encodeCandidate(s *driver.Service) (string, error) {
	return encode(&record{
		Version: formatVersion, ID: s.ID, Name: s.Name, Address: s.Address, Port: s.Port, Attributes: s.Attributes,
	})
}

func encode(r *record) (string, error) {
	value, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("cannot be stored: %w", err)
	}
	return string(value), nil
}

// decode reads a value.
func decode(value []byte) (record, error) {
	var r record
	if !scan(string(value), &r) {
		var err error
		if r, err = unmarshal(value); err != nil {
			return r, err
		}
	}
	if r.Version != formatVersion && r.Version != 0 {
		return r, fmt.Errorf("%w: %d", errLaterFormat, r.Version)
	}
	return r, nil
}

// unmarshal reads JSON in general. It is apart from decode so that the record of those it does not concern need not be
// on the heap.
func unmarshal(value []byte) (record, error) {
	var r record
	err := json.Unmarshal(value, &r)
	return r, err
}

// decodeInstance reads an instance.
func (k keys) decodeInstance(kv *mvccpb.KeyValue) (i driver.Instance, err error) {
	name, id, err := k.parseInstance(string(kv.Key))
	if err != nil {
		return i, err
	}
	r, err := decode(kv.Value)
	if err != nil {
		return i, err
	}
	if r.Address == "" {
		return i, errors.New("there is no address")
	}
	i = driver.Instance{
		Service: driver.Service{ID: id, Name: name, Address: r.Address, Port: r.Port, Attributes: r.Attributes},
		Owner:   r.Owner, Generation: r.Generation, Created: uint64(kv.CreateRevision),
	}
	if kv.Lease != 0 {
		i.Session = sessionOf(kv.Lease)
	}
	return i, nil
}

// decodeCandidate reads a candidate of an election.
func (k keys) decodeCandidate(election string, kv *mvccpb.KeyValue) (*driver.Candidate, error) {
	lease, yes := queues(k.election(election), kv)
	if !yes {
		return nil, errors.New("the key is not named after the lease that it lives on")
	}
	c := &driver.Candidate{Election: election, Session: sessionOf(int64(lease)), Token: uint64(kv.CreateRevision)}
	r, err := decode(kv.Value)
	if err != nil {
		return nil, err
	}
	c.Service = driver.Service{ID: r.ID, Name: r.Name, Address: r.Address, Port: r.Port, Attributes: r.Attributes}
	return c, nil
}
