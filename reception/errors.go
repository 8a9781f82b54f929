package reception

import (
	"context"
	"strings"
)

// An Error is what a Client's methods return: what failed, on which backend, with which name, and why. The sentinel
// and the vendor's own error, if there is one, are both reachable through errors.Is and errors.As. Errors of the
// caller's context are returned as they are.
type Error struct {
	Op      string // the method, such as Register
	Backend string // the kind of backend, such as etcd
	Name    string // what the method was called with, such as api/7f3c; empty where it takes no name
	Err     error
}

// Error returns a message of one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("reception: ")
	b.WriteString(e.Op)
	if e.Name != "" {
		b.WriteString(" " + e.Name)
	}
	b.WriteString(" on " + e.Backend + ": ")
	b.WriteString(strings.ReplaceAll(e.Err.Error(), "\n", "; "))
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// wrap makes err the one error that a user sees. An error that was wrapped already, by a method that another one is
// made of, and a bare error of a context stay as they are.
func (c *client) wrap(op, name string, err error) error {
	if err == nil || err == context.Canceled || err == context.DeadlineExceeded { //nolint:errorlint // bare ones only
		return err
	}
	if _, wrapped := err.(*Error); wrapped { //nolint:errorlint // only what this has wrapped, not what a user's cause holds
		return err
	}
	return &Error{Op: op, Backend: c.backend.Name(), Name: name, Err: err}
}
