package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-reception/sdk/reception/driver"
)

// refusals are the servers' answers to those who may not.
var refusals = []error{
	rpctypes.ErrPermissionDenied, rpctypes.ErrPermissionNotGranted, rpctypes.ErrAuthFailed, rpctypes.ErrUserEmpty,
	rpctypes.ErrUserNotFound, rpctypes.ErrInvalidAuthToken, rpctypes.ErrInvalidAuthMgmt,
}

// A call is one request, as far as its errors are concerned.
type call struct {
	ctx    context.Context // the caller's
	closed context.Context // ends with the backend
	writes bool
	late   error // says that there was no answer in time; nil where there is no time limit
}

// failure turns the error of a request into what its caller must know: of the sentinels the one that applies, joined
// with the vendor's error.
func (c *call) failure(err error) error {
	if err == nil {
		return nil
	}
	err = rpctypes.Error(err) // for errors that come from gRPC as they are
	switch {
	case errors.Is(err, rpctypes.ErrLeaseNotFound):
		return fmt.Errorf("%w: %w", driver.ErrSessionExpired, err)
	case refused(err):
		return fmt.Errorf("%w: %w", driver.ErrPermission, err)
	case c.writes && inDoubt(err):
		return fmt.Errorf("%w: %w", driver.ErrOutcomeUnknown, c.cause(err))
	case c.closed.Err() != nil:
		return driver.ErrClosed
	case !isUnsent(err) && isEnd(err) && c.ctx.Err() != nil:
		return c.ctx.Err()
	default:
		return fmt.Errorf("%w: %w", driver.ErrUnavailable, c.cause(err))
	}
}

// cause says why a request has failed: what ended its context, if something did, and the vendor's error. An end that
// the caller has not asked for is not shown as one of the context.
func (c *call) cause(err error) error {
	var end error
	switch {
	case c.closed.Err() != nil:
		end = driver.ErrClosed
	case c.ctx.Err() != nil:
		end = c.ctx.Err()
	case isLate(err) && c.late != nil:
		return c.late
	default:
		return withoutContext(err)
	}
	if isEnd(err) {
		return end
	}
	return fmt.Errorf("%w: %w", end, err)
}

// withoutContext hides that err is the end of a context, if it is, because it is none of the caller's: somebody else has
// closed the vendor's client.
func withoutContext(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the etcd client has ended it: %v", err) //nolint:errorlint // see above
	}
	return err
}

// refused says whether the servers have refused the credentials, or what was asked with them.
func refused(err error) bool {
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return true
		}
	}
	code := codeOf(err)
	return code == codes.Unauthenticated || code == codes.PermissionDenied
}

// watchError returns why a watch was ended, nil if it was not. What the server gives as a reason is a text that holds
// the text of the error, with or without the words in which gRPC would put it.
//
// A watch goes on with the token of the stream that it is on. That this one has expired is no refusal: the next stream
// has another one.
func watchError(response *clientv3.WatchResponse) error {
	err := response.Err()
	if err == nil {
		return nil
	}
	for _, refusal := range []error{rpctypes.ErrPermissionDenied, rpctypes.ErrUserEmpty} {
		if strings.HasSuffix(err.Error(), refusal.Error()) {
			return refusal
		}
	}
	if errors.Is(err, rpctypes.ErrInvalidAuthToken) {
		return fmt.Errorf("the stream of the watch needs another token: %v", err) //nolint:errorlint // see above
	}
	return err
}

// inDoubt says whether a request with this error may have been carried out, now or later: unless it never left, or the
// servers have rejected it before they began.
func inDoubt(err error) bool {
	if isUnsent(err) || errors.Is(err, rpctypes.ErrNoLeader) {
		return false
	}
	if _, answered := errors.AsType[rpctypes.EtcdError](err); !answered {
		return true
	}
	switch codeOf(err) {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange, codes.ResourceExhausted, codes.NotFound:
		return false
	default: // a time-out, a change of leader, a server that stops
		return true
	}
}

// isUnsent says whether the request has never left.
func isUnsent(err error) bool {
	_, unsent := errors.AsType[*unsentError](err)
	return unsent
}

// isLate says whether err is the end of a time limit, the vendor's words for it included.
func isLate(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || codeOf(err) == codes.DeadlineExceeded
}

// isEnd says whether err is the end of a context, the vendor's words for it included.
func isEnd(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	code := codeOf(err)
	return code == codes.Canceled || code == codes.DeadlineExceeded
}

// codeOf returns the status code of an error, of the vendor's own kind too.
func codeOf(err error) codes.Code {
	if answer, ok := errors.AsType[rpctypes.EtcdError](err); ok {
		return answer.Code()
	}
	return status.Code(err)
}
