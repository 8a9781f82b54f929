package consul

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-reception/sdk/reception/driver"
)

// What a service of ours has in its metadata, besides its attributes. That is four pairs; the attributes, of which there
// are up to 60, have one each, and Consul allows 64.
const (
	metaPrefix  = "reception-"
	metaID      = metaPrefix + "id"
	metaOwner   = metaPrefix + "owner"
	metaSession = metaPrefix + "session"
	metaWrite   = metaPrefix + "write" // see mark
)

// encoded begins the keys of attributes whose own keys would not do for Consul.
const encoded = "b64_"

// formatVersion is the version of what is stored.
const formatVersion = 1

// A mark is which write has made a record.
type mark struct {
	// epoch tells registrations of an instance from each other: a client that registers it writes one that is greater
	// than all that it sees, and than the servers' index of the service's last change, so that it is greater than what
	// was removed before, too. It restores its record under that same one. So whoever has registered last is told from
	// one that it has displaced and that restores its record later.
	epoch      uint64
	generation uint64
}

// String is the mark as it is stored.
func (m mark) String() string {
	return fmt.Sprintf("%d:%d:%d", formatVersion, m.epoch, m.generation)
}

// parseMark undoes String.
func parseMark(text string) (mark, error) {
	var numbers [3]uint64
	parts := strings.Split(text, ":")
	if len(parts) != len(numbers) {
		return mark{}, fmt.Errorf("%s is %q, which is not version:epoch:generation", metaWrite, text)
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 64)
		if err != nil {
			return mark{}, fmt.Errorf("%s is %q, which is not version:epoch:generation", metaWrite, text)
		}
		numbers[i] = n
	}
	if numbers[0] != formatVersion {
		return mark{}, fmt.Errorf("the format is of version %d, which is not known here", numbers[0])
	}
	return mark{epoch: numbers[1], generation: numbers[2]}, nil
}

// makeMeta makes the metadata of an instance.
func makeMeta(i *driver.Instance, session driver.SessionID, epoch uint64) map[string]string {
	meta := make(map[string]string, len(i.Service.Attributes)+4)
	for key, value := range i.Service.Attributes {
		meta[metaKey(key)] = value
	}
	meta[metaID] = i.Service.ID
	meta[metaOwner] = i.Owner
	meta[metaSession] = string(session)
	meta[metaWrite] = mark{epoch, i.Generation}.String()
	return meta
}

// metaKey is the key under which Consul has an attribute: as it is, if Consul allows that and it means nothing else, and
// otherwise encoded. An attribute's key has 90 characters at the most, so this one has 124, of the 128 that are allowed.
func metaKey(key string) string {
	if plainKey(key) {
		return key
	}
	return encoded + base64.RawURLEncoding.EncodeToString([]byte(key))
}

func plainKey(key string) bool {
	for _, reserved := range []string{"consul-", metaPrefix, encoded} {
		if strings.HasPrefix(key, reserved) {
			return false
		}
	}
	return key != "" && strings.Trim(key, plainCharacters) == ""
}

// plainCharacters are those of which Consul allows keys to be made.
const plainCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// attributesOf reads the attributes from the metadata of a service.
func attributesOf(meta map[string]string) driver.Attributes {
	var attributes driver.Attributes
	for key, value := range meta {
		if strings.HasPrefix(key, metaPrefix) {
			continue
		}
		if attributes == nil {
			attributes = make(driver.Attributes, len(meta))
		}
		attributes[attributeKey(key)] = value
	}
	return attributes
}

// attributeKey undoes metaKey. A key of another tool that only looks encoded is taken as it is.
func attributeKey(key string) string {
	if text, found := strings.CutPrefix(key, encoded); found {
		decoded, err := base64.RawURLEncoding.DecodeString(text)
		if err == nil && metaKey(string(decoded)) == key {
			return string(decoded)
		}
	}
	return key
}
