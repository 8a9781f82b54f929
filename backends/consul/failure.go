package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// errFiltered says that an answer is not the whole: what the token may not read is missing from it.
var errFiltered = errors.New(
	"the access control lists have filtered the answer; the token needs node:read, and service:read for this name")

// lateError says that there was no answer within timeout. It is no error of a context, because none of the caller's has
// ended.
type lateError time.Duration

func (e lateError) Error() string { return fmt.Sprintf("no answer within %v", time.Duration(e)) }

// A call is one request, as far as its errors are concerned.
type call struct {
	ctx    context.Context // the caller's
	closed context.Context // ends with the backend
	writes bool
	left   func() bool // whether the request has left this process
	late   error       // says that there was no answer in time
}

// failure turns the error of a request into what its caller must know: of the sentinels the one that applies, joined
// with the vendor's error.
func (c *call) failure(err error) error {
	switch {
	case err == nil:
		return nil
	case refused(err):
		return fmt.Errorf("%w: %w", driver.ErrPermission, err)
	case c.writes && c.left() && inDoubt(err):
		return fmt.Errorf("%w: %w", driver.ErrOutcomeUnknown, c.cause(err))
	case c.closed.Err() != nil:
		return driver.ErrClosed
	case isEnd(err) && c.ctx.Err() != nil:
		return c.ctx.Err()
	default:
		return fmt.Errorf("%w: %w", driver.ErrUnavailable, c.cause(err))
	}
}

// cause says why a request has failed: what ended its context, if something did, and otherwise the vendor's error. An
// end that the caller has not asked for is not shown as one of the context.
func (c *call) cause(err error) error {
	switch {
	case !isEnd(err):
		return err
	case c.closed.Err() != nil:
		return driver.ErrClosed
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	default:
		return c.late
	}
}

// status returns the status of an answer that is no success, 0 if there was no answer.
func status(err error) int {
	if answer, ok := errors.AsType[api.StatusError](err); ok {
		return answer.Code
	}
	return 0
}

// refused says whether Consul has refused the token, or what was asked with it. Some answers say so in words only.
func refused(err error) bool {
	switch status(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return true
	}
	return errors.Is(err, errFiltered) ||
		strings.Contains(err.Error(), "Permission denied") || strings.Contains(err.Error(), "ACL not found")
}

// unknown says whether the agent does not know the service or the check that the request was about.
func unknown(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	return status(err) == http.StatusNotFound ||
		status(err) != 0 && (strings.Contains(text, "Unknown check") || strings.Contains(text, "Unknown service"))
}

// inDoubt says whether a request with this error may have been carried out, now or later: unless Consul has rejected it
// before it began.
func inDoubt(err error) bool {
	code := status(err)
	return code == 0 || code >= http.StatusInternalServerError
}

// isEnd says whether err is the end of a context.
func isEnd(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
