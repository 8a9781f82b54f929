package containers

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/testcontainers/testcontainers-go"

	"github.com/go-reception/sdk/testkit/containers/internal/pki"
)

// startupLimit is how long a server may take until it serves, unless
// [WithStartupTimeout] says otherwise.
const startupLimit = 90 * time.Second

// Option is a setting of the kit's own. It goes wherever testcontainers' options
// go; a setting that makes no sense for a backend is an error.
type Option func(*settings) error

// Customize implements [testcontainers.ContainerCustomizer]. It leaves the
// request alone: the kit reads its own options before it makes the request.
func (Option) Customize(*testcontainers.GenericContainerRequest) error { return nil }

// settings are what the kit's options say.
type settings struct {
	backend        Backend
	startupTimeout time.Duration
	image          string
	nodes          int
	agents         int
	authority      *pki.Authority // not nil: TLS with client certificates
	password       string         // etcd's root, ZooKeeper's super user
	token          string         // Consul's management token
	heartbeat      time.Duration  // etcd
	election       time.Duration  // etcd
	tick           time.Duration  // ZooKeeper
	minSession     time.Duration  // ZooKeeper
	maxSession     time.Duration  // ZooKeeper
	extra          map[string]any // Consul's configuration
	member         bool           // the container belongs to a Cluster, which sets it up
	place          *place         // not nil: it is one of several
	advertised     string         // the endpoint that clients are told about; empty: none is known
}

// readOptions separates the kit's options from those of testcontainers.
func readOptions(backend Backend, opts []testcontainers.ContainerCustomizer) (
	*settings, []testcontainers.ContainerCustomizer, error,
) {
	s := &settings{
		backend: backend, startupTimeout: startupLimit, nodes: 1,
		heartbeat: 100 * time.Millisecond, election: time.Second,
		tick: 500 * time.Millisecond, minSession: time.Second, maxSession: time.Minute,
	}
	var others []testcontainers.ContainerCustomizer
	for _, opt := range opts {
		own, ok := opt.(Option)
		if !ok {
			others = append(others, opt)
			continue
		}
		if err := own(s); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", backend, err)
		}
	}
	return s, others, nil
}

// only is the error of an option that other backends have.
func (s *settings) only(option string, backends ...Backend) error {
	if slices.Contains(backends, s.backend) {
		return nil
	}
	return fmt.Errorf("%s is an option of %v", option, backends)
}

// WithStartupTimeout sets how long a server may take until it serves. It does not
// count the pull of the image.
func WithStartupTimeout(limit time.Duration) Option {
	return func(s *settings) error {
		if limit <= 0 {
			return fmt.Errorf("WithStartupTimeout(%s): not positive", limit)
		}
		s.startupTimeout = limit
		return nil
	}
}

// WithImage sets the image for the Start functions.
func WithImage(ref string) Option {
	return func(s *settings) error {
		if ref == "" {
			return errors.New("WithImage: no image given")
		}
		s.image = ref
		return nil
	}
}

// WithNodes makes the Start functions start a cluster of that many servers.
func WithNodes(n int) Option {
	return func(s *settings) error {
		if n < 1 || n > maxNodes {
			return fmt.Errorf("WithNodes(%d): not between 1 and %d", n, maxNodes)
		}
		s.nodes = n
		return nil
	}
}

// WithConsulAgents adds client agents to a Consul cluster, as nodes after the
// servers: a client that talks to one of them can be kept apart from all servers.
func WithConsulAgents(n int) Option {
	return func(s *settings) error {
		if n < 1 || n > maxNodes {
			return fmt.Errorf("WithConsulAgents(%d): not between 1 and %d", n, maxNodes)
		}
		s.agents = n
		return s.only("WithConsulAgents", BackendConsul)
	}
}

// WithTLS makes a server speak TLS only, and ask clients for a certificate. The
// container's or cluster's TLS method returns what a client needs.
func WithTLS() Option {
	authority, err := pki.New() // here, so that the nodes of a cluster share it
	return func(s *settings) error {
		s.authority = authority
		return errors.Join(err, s.only("WithTLS", BackendConsul, BackendEtcd))
	}
}

// WithEtcdRootPassword turns on etcd's authentication, with a user root that has
// this password.
func WithEtcdRootPassword(password string) Option {
	return func(s *settings) error {
		s.password = password
		return s.only("WithEtcdRootPassword", BackendEtcd)
	}
}

// WithEtcdTicks sets etcd's heartbeat interval and election timeout, 100 ms and
// 1 s otherwise. The least TTL of a lease is 1.5 times the election timeout,
// rounded up to seconds.
func WithEtcdTicks(heartbeat, election time.Duration) Option {
	return func(s *settings) error {
		s.heartbeat, s.election = heartbeat, election
		return s.only("WithEtcdTicks", BackendEtcd)
	}
}

// WithConsulACL turns on Consul's access control, denying by default, with this
// management token. It has the form of a UUID.
func WithConsulACL(token string) Option {
	return func(s *settings) error {
		s.token = token
		return s.only("WithConsulACL", BackendConsul)
	}
}

// WithConsulConfig adds to Consul's configuration, or changes it: the keys are
// those of its configuration file, for example session_ttl_min.
func WithConsulConfig(config map[string]any) Option {
	return func(s *settings) error {
		s.extra = config
		return s.only("WithConsulConfig", BackendConsul)
	}
}

// WithZooKeeperTicks sets ZooKeeper's tick, which is the grain of its session
// timeouts, and the least and the longest timeout that it grants. They are
// 500 ms, 1 s and 1 min otherwise.
func WithZooKeeperTicks(tick, minSession, maxSession time.Duration) Option {
	return func(s *settings) error {
		if tick < time.Millisecond || minSession < tick || maxSession < minSession {
			return fmt.Errorf("WithZooKeeperTicks(%s, %s, %s): not in this order", tick, minSession, maxSession)
		}
		s.tick, s.minSession, s.maxSession = tick, minSession, maxSession
		return s.only("WithZooKeeperTicks", BackendZooKeeper)
	}
}

// WithZooKeeperSuper gives ZooKeeper a super user, who may do anything whatever
// the access control lists say: digest authentication as super:password.
func WithZooKeeperSuper(password string) Option {
	return func(s *settings) error {
		s.password = password
		return s.only("WithZooKeeperSuper", BackendZooKeeper)
	}
}
