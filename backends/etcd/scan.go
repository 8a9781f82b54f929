package etcd

import (
	"math"
	"strings"

	"github.com/go-reception/sdk/reception/driver"
)

// A scanner reads values as encode writes them: one object, without white space, of strings without escapes, numbers
// without fractions, and one level of attributes. That is all that most lists consist of, and it is read many times as
// fast as JSON in general. It gives up on anything else, which decode then reads as JSON in general.
type scanner struct {
	rest string
	ok   bool
}

// scan reads text into r. It reports whether text was all that it understands; if not, r is anything.
func scan(text string, r *record) bool {
	s := scanner{rest: text, ok: true}
	for name, more := s.member(true); more; name, more = s.member(false) {
		s.value(name, r)
	}
	return s.ok && s.rest == ""
}

// value reads one value into the field of that name.
func (s *scanner) value(name string, r *record) {
	switch name {
	case "version":
		r.Version = s.integer()
	case "owner":
		r.Owner = s.text()
	case "generation":
		r.Generation = s.number()
	case "id":
		r.ID = s.text()
	case "name":
		r.Name = s.text()
	case "address":
		r.Address = s.text()
	case "port":
		r.Port = s.integer()
	case "attributes":
		if r.Attributes == nil { // JSON adds to what was given before
			r.Attributes = make(driver.Attributes, strings.Count(s.rest, `":"`))
		}
		for key, more := s.member(true); more; key, more = s.member(false) {
			r.Attributes[key] = s.text()
		}
	default:
		s.ok = false
	}
}

// member moves on to the next member of an object, or to the first one, and returns its name. It reports whether there is
// one.
func (s *scanner) member(first bool) (name string, there bool) {
	switch {
	case first:
		s.expect('{')
		if s.ok && strings.HasPrefix(s.rest, "}") {
			s.rest = s.rest[1:]
			return "", false
		}
	case s.ok && strings.HasPrefix(s.rest, ","):
		s.rest = s.rest[1:]
	default:
		s.expect('}')
		return "", false
	}
	name = s.text()
	s.expect(':')
	return name, s.ok
}

// expect reads one character.
func (s *scanner) expect(c byte) {
	if !s.ok || s.rest == "" || s.rest[0] != c {
		s.ok = false
		return
	}
	s.rest = s.rest[1:]
}

// text reads a string of printable ASCII without escapes.
func (s *scanner) text() string {
	s.expect('"')
	if !s.ok {
		return ""
	}
	for i := range len(s.rest) {
		switch c := s.rest[i]; {
		case c == '"':
			text := s.rest[:i]
			s.rest = s.rest[i+1:]
			return text
		case c == '\\' || c < ' ' || c > '~':
			s.ok = false
			return ""
		}
	}
	s.ok = false
	return ""
}

// number reads a number that is not negative, in the form that JSON wants.
func (s *scanner) number() uint64 {
	var n uint64
	i := 0
	for ; i < len(s.rest) && '0' <= s.rest[i] && s.rest[i] <= '9'; i++ {
		if n > (math.MaxUint64-9)/10 {
			s.ok = false
			return 0
		}
		n = n*10 + uint64(s.rest[i]-'0')
	}
	if i == 0 || i > 1 && s.rest[0] == '0' {
		s.ok = false
	}
	s.rest = s.rest[i:]
	return n
}

// integer reads a number that is not too large for an int.
func (s *scanner) integer() int {
	n := s.number()
	if n > math.MaxInt32 {
		s.ok = false
		return 0
	}
	return int(n)
}
