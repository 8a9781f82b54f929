package reception

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// A fieldError says which field of an argument breaks which rule, and what was found in it. The check of a field knows
// only its own place; on the way out each level puts its name in front.
type fieldError struct {
	path  string
	rule  string
	found string // as a person reads it; empty where the rule says it all
}

// in puts the field in its place.
func (e *fieldError) in(path string) *fieldError {
	e.path = path + e.path
	return e
}

func (e *fieldError) Error() string {
	text := ErrInvalidService.Error() + ": " + e.path + ": " + e.rule
	if e.found != "" {
		text += ", got " + e.found
	}
	return text
}

func (e *fieldError) Unwrap() error { return ErrInvalidService }

// quotedBytes is how much of a wrong value an error shows: enough for every key and almost every name that is allowed.
const quotedBytes = 100

// quote shows a value that may be long and may be anything but text.
func quote(value string) string {
	if len(value) <= quotedBytes {
		return strconv.Quote(value)
	}
	end := quotedBytes
	for end > quotedBytes-utf8.UTFMax && !utf8.RuneStart(value[end]) {
		end--
	}
	return fmt.Sprintf("%q… (%d bytes)", value[:end], len(value))
}
