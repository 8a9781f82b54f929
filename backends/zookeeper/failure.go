package zookeeper

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/reception/driver"
)

// lateError says that there was no answer within timeout. It is no error of a context, because none of the caller's has
// ended.
type lateError time.Duration

func (e lateError) Error() string { return fmt.Sprintf("no answer within %v", time.Duration(e)) }

// answers are errors that the servers have answered a request with, having carried out nothing of it.
var answers = []error{
	zk.ErrNoNode, zk.ErrBadVersion, zk.ErrNodeExists, zk.ErrNotEmpty, zk.ErrNoChildrenForEphemerals, zk.ErrInvalidACL,
	zk.ErrBadArguments, zk.ErrInvalidPath,
}

// A call is one request, as far as its errors are concerned.
type call struct {
	ctx    context.Context // the caller's
	closed context.Context // ends with the backend
	writes bool
	late   error // says that there was no answer in time
}

// failure turns the error of a request that the vendor's client has answered into what its caller must know: of the
// sentinels the one that applies, joined with the vendor's error. The servers' answers about nodes pass as they are, for
// operations to make sense of.
func (c *call) failure(err error) error {
	switch {
	case err == nil || isAnswer(err):
		return err
	case errors.Is(err, zk.ErrSessionExpired):
		return fmt.Errorf("%w: %w", driver.ErrSessionExpired, err)
	case isRefusal(err):
		return fmt.Errorf("%w: %w", driver.ErrPermission, err)
	case c.closed.Err() != nil && !c.writes:
		return driver.ErrClosed
	case errors.Is(err, zk.ErrNoServer):
		// It has not left this process.
		return unavailable(err)
	case c.writes:
		return fmt.Errorf("%w: %w", driver.ErrOutcomeUnknown, c.cause(disconnection(err)))
	default:
		return unavailable(err)
	}
}

// abandoned is the error of a request that nobody waits for any more. It may be carried out yet.
func (c *call) abandoned() error {
	cause := c.cause(c.late)
	switch {
	case c.writes:
		return fmt.Errorf("%w: %w", driver.ErrOutcomeUnknown, cause)
	case c.closed.Err() != nil, c.ctx.Err() != nil:
		return cause
	default:
		return fmt.Errorf("%w: %w", driver.ErrUnavailable, cause)
	}
}

// unsent is the error of a request that was not sent, because there was no connection to send it on.
func (c *call) unsent(trouble error) error {
	switch {
	case c.closed.Err() != nil:
		return driver.ErrClosed
	case c.ctx.Err() != nil:
		return fmt.Errorf("%w: %w: %w", driver.ErrUnavailable, driver.ErrZkDisconnect, c.ctx.Err())
	case trouble != nil:
		return fmt.Errorf("%w: %w, %w: %w", driver.ErrUnavailable, driver.ErrZkDisconnect, c.late, trouble)
	default:
		return fmt.Errorf("%w: %w: %w", driver.ErrUnavailable, driver.ErrZkDisconnect, c.late)
	}
}

// cause says why a request has failed: what ended its wait, if something did, or else err.
func (c *call) cause(err error) error {
	switch {
	case c.closed.Err() != nil:
		return driver.ErrClosed
	case c.ctx.Err() != nil:
		return c.ctx.Err()
	default:
		return err
	}
}

// isAnswer says whether the servers have answered with err.
func isAnswer(err error) bool {
	for _, answer := range answers {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// disconnection marks an error that is the loss of the connection.
func disconnection(err error) error {
	for _, loss := range []error{zk.ErrConnectionClosed, zk.ErrClosing, zk.ErrNoServer} {
		if errors.Is(err, loss) {
			return fmt.Errorf("%w: %w", driver.ErrZkDisconnect, err)
		}
	}
	return err
}

// unavailable is the error of what was not carried out.
func unavailable(err error) error {
	return fmt.Errorf("%w: %w", driver.ErrUnavailable, disconnection(err))
}

// surprising is the error of a request that the servers have answered in a way that makes no sense to its operation.
func surprising(what string, err error) error {
	if isAnswer(err) {
		return fmt.Errorf("%w: %s: %w", driver.ErrUnavailable, what, err)
	}
	return err
}

// isRefusal says whether the servers do not accept credentials.
func isRefusal(err error) bool {
	return errors.Is(err, zk.ErrAuthFailed) || errors.Is(err, zk.ErrNoAuth)
}
