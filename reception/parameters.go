package reception

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parameters are the parameters of an [Address], to be read strictly: an adapter asks for each that it knows, and Err
// then says what was given beside them, more than once, or in a form that is not to be understood.
//
//	prefix := address.Parameters.String("prefix", "/reception")
//	ttl := address.Parameters.Duration("ttl", 15*time.Second)
//	if err := address.Parameters.Err(); err != nil {
//		return nil, err
//	}
type Parameters struct {
	given    url.Values
	known    []string
	problems []string
}

// parseParameters takes the part of an address that follows the question mark.
func parseParameters(query string) (*Parameters, error) {
	given, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("the parameters must look like name=value&name=value, with percent-encoded values")
	}
	return &Parameters{given: given}, nil
}

// String returns the parameter as it is given, missing where it is not.
func (p *Parameters) String(name, missing string) string {
	if value, given := p.read(name); given {
		return value
	}
	return missing
}

// Duration returns the parameter as a duration in the form of [time.ParseDuration], missing where it is not given.
func (p *Parameters) Duration(name string, missing time.Duration) time.Duration {
	return readAs(p, name, missing, time.ParseDuration, "a duration such as 15s or 500ms")
}

// Int returns the parameter as a decimal number, missing where it is not given.
func (p *Parameters) Int(name string, missing int) int {
	return readAs(p, name, missing, strconv.Atoi, "a number")
}

// Bool returns the parameter as true or false, missing where it is not given.
func (p *Parameters) Bool(name string, missing bool) bool {
	return readAs(p, name, missing, func(value string) (bool, error) {
		if value != "true" && value != "false" {
			return false, strconv.ErrSyntax
		}
		return value == "true", nil
	}, "true or false")
}

// readAs reads a parameter of any type; want describes its form.
func readAs[T any](p *Parameters, name string, missing T, parse func(string) (T, error), want string) T {
	value, given := p.read(name)
	if !given {
		return missing
	}
	parsed, err := parse(value)
	if err != nil {
		p.problems = append(p.problems, fmt.Sprintf("parameter %q must be %s, got %q", name, want, value))
		return missing
	}
	return parsed
}

// read makes name known and returns the one value given for it, if there is one.
func (p *Parameters) read(name string) (value string, given bool) {
	p.known = append(p.known, name)
	values := p.given[name]
	if len(values) > 1 {
		p.problems = append(p.problems, fmt.Sprintf("parameter %q is given %d times", name, len(values)))
	}
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// Err returns everything that is wrong with the parameters, given that those asked for until now are all that are
// known.
func (p *Parameters) Err() error {
	problems := slices.Clone(p.problems)
	for _, name := range slices.Sorted(maps.Keys(p.given)) {
		if !slices.Contains(p.known, name) {
			problems = append(problems, fmt.Sprintf("unknown parameter %q", name))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%s; known parameters: %s", strings.Join(problems, "; "), p.list())
}

// list shows the parameters that are known.
func (p *Parameters) list() string {
	if len(p.known) == 0 {
		return "none"
	}
	known := slices.Sorted(slices.Values(p.known))
	return strings.Join(slices.Compact(known), ", ")
}
