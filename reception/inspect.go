package reception

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-reception/sdk/reception/driver"
)

// Inspect asks the servers behind c about themselves, for people who look for what is wrong. It reports
// [errors.ErrUnsupported] where the backend cannot tell, or c is no Client that was made by this package.
func Inspect(ctx context.Context, c Client) ([]driver.Server, error) {
	own, is := c.(*client)
	if !is {
		return nil, fmt.Errorf("reception: Inspect: a %T: %w", c, errors.ErrUnsupported)
	}
	if own.inspector == nil {
		return nil, own.wrap("Inspect", "", errors.ErrUnsupported)
	}
	ctx, cancel, err := own.begin(ctx)
	if err != nil {
		return nil, own.wrap("Inspect", "", own.closing(err))
	}
	defer cancel()
	servers, err := own.inspector.Inspect(ctx)
	return servers, own.wrap("Inspect", "", own.closing(err))
}
