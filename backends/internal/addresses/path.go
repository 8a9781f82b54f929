package addresses

import (
	"fmt"

	"github.com/go-reception/sdk/reception"
)

// RefusePath returns an error if an address has a path, where other clients of a server take a prefix. It says what
// would be kept there, and by which parameter that is said, such as "prefix=/prod".
func RefusePath(a *reception.Address, what, parameter string) error {
	if a.Path == "" || a.Path == "/" {
		return nil
	}
	return fmt.Errorf("the address has the path %q; where %s kept goes into a parameter, as in ?%s", a.Path, what, parameter)
}
