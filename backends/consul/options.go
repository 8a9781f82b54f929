package consul

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/go-reception/sdk/backends/internal/option"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// What a client does unless an option says otherwise.
const (
	// DefaultPrefix is where the keys of elections are kept.
	DefaultPrefix = "reception"
	// DefaultTTL is how long records outlive a process that has died, with TTL checks.
	DefaultTTL = 10 * time.Second
	// DefaultLockDelay is how long the lock of an election stays free after its holder was lost.
	DefaultLockDelay = 2 * time.Second
	// DefaultCheckInterval is how often Consul asks for the health of this process, with HTTP checks.
	DefaultCheckInterval = 5 * time.Second
	// DefaultCheckTimeout is how long Consul then waits for the answer.
	DefaultCheckTimeout = 10 * time.Second
	// DefaultCheckDeregisterTimeout is after what time without a question of Consul's this process takes its
	// registrations for lost, with HTTP checks.
	DefaultCheckDeregisterTimeout = 30 * time.Second
	// DefaultDialTimeout is how long Dial tries.
	DefaultDialTimeout = 5 * time.Second
	// DefaultOperationTimeout is how long a request may go without an answer.
	DefaultOperationTimeout = 5 * time.Second
)

// What Consul allows, or does whatever it is told.
const (
	minTTL        = time.Second
	minLockDelay  = time.Second
	maxLockDelay  = time.Minute
	minInterval   = time.Second // between two HTTP checks
	minDeregister = time.Minute
)

// An Option configures a client made by [Dial] or [New]. One that is out of its range makes them fail.
type Option func(*settings)

// settings are what the options set.
type settings struct {
	option.Problems

	prefix    string
	ttl       time.Duration // 0: by the heartbeat's interval, or the default
	lockDelay time.Duration
	operation time.Duration
	unhealthy bool
	logger    reception.Logger

	// The checks.
	host           string // empty: TTL checks
	listen         string
	port           int
	advertisedPort int
	checkInterval  time.Duration // 0: not given
	checkTimeout   time.Duration // 0: not given
	deregister     time.Duration
	ttlChecks      bool
	hostGiven      bool
	askedFor       []string // the options given that want HTTP checks

	// Those of Dial alone.
	token, tokenFile                 string
	datacenter, namespace, partition string
	tls                              *tls.Config
	dial                             time.Duration
}

// makeSettings applies opts to the defaults and returns everything that is wrong with the outcome.
func makeSettings(opts []Option) (*settings, error) {
	s := &settings{
		prefix: DefaultPrefix, lockDelay: DefaultLockDelay, operation: DefaultOperationTimeout,
		deregister: DefaultCheckDeregisterTimeout, dial: DefaultDialTimeout, logger: reception.NewNilLogger(),
	}
	for _, opt := range opts {
		opt(s)
	}
	s.chooseChecks()
	s.chooseTimes()
	err := s.Err()
	return s, err
}

// chooseChecks decides between checks by which Consul asks this process, and checks that want its heartbeats.
func (s *settings) chooseChecks() {
	environment := os.Getenv("HOST")
	switch {
	case s.ttlChecks:
		if len(s.askedFor) > 0 {
			s.Refuse("WithTTLChecks: excludes %s, with which Consul is to ask this process", strings.Join(s.askedFor, ", "))
		}
		s.host = ""
	case s.hostGiven && !usable(s.host):
		s.Add(fmt.Errorf("%w: WithHost(%q): must be a host name or an IP address at which "+
			"Consul's agent reaches this process", driver.ErrIllegalHost, s.host))
	case s.hostGiven:
	case usable(environment):
		s.host = environment
	case len(s.askedFor) > 0:
		s.Add(fmt.Errorf("%w: %s: is for checks by which Consul asks this process, and nothing says "+
			"at which host: use WithHost, or HOST in the environment", driver.ErrIllegalHost, strings.Join(s.askedFor, ", ")))
	}
}

// chooseTimes sets what was not given by what was.
func (s *settings) chooseTimes() {
	if s.host == "" {
		if s.ttl == 0 {
			s.ttl = max(DefaultTTL, 3*s.checkInterval)
		}
		if s.checkInterval > s.ttl/2 {
			s.Refuse("WithCheckInterval(%v): with TTL checks it is how often a heartbeat is sent, at most half of the TTL, "+
				"which is %v, so that a lost one costs nothing", s.checkInterval, s.ttl)
		}
		return
	}
	if s.ttl == 0 {
		s.ttl = DefaultTTL
	}
	if s.checkInterval == 0 {
		s.checkInterval = DefaultCheckInterval
	}
	if s.checkTimeout == 0 {
		s.checkTimeout = DefaultCheckTimeout
	}
	if s.checkInterval < minInterval {
		s.logger.Printf("reception: consul asks no more often than every %v, not every %v", minInterval, s.checkInterval)
		s.checkInterval = minInterval
	}
	if s.deregister < minDeregister {
		s.logger.Printf("reception: consul itself removes what is critical after %v at the earliest, not after %v",
			minDeregister, s.deregister)
	}
}

// usable says whether Consul can be told to ask at a host.
func usable(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return !ip.IsUnspecified()
	}
	return host != "" && !strings.ContainsAny(host, ":/@?# \t\r\n[]")
}

// removeHelper is after what time Consul is to remove a helper that is critical: a good while after all that lived on it.
func (s *settings) removeHelper() time.Duration {
	return max(s.deregister, minDeregister) + 2*minDeregister
}

// interval is how often a session is renewed.
func (s *settings) interval() time.Duration {
	if s.host == "" && s.checkInterval > 0 {
		return s.checkInterval
	}
	return s.ttl / 3
}

// WithHost has Consul ask this process for its health, at this host name or IP address, which the agent must be able to
// reach. Without it, and without HOST in the environment, this process sends heartbeats instead; see [WithTTLChecks].
func WithHost(host string) Option {
	return func(s *settings) {
		s.host, s.hostGiven = host, true
		s.askedFor = append(s.askedFor, "WithHost")
	}
}

// WithPort sets the port on which Consul's questions are answered. The default is any that is free.
func WithPort(port int) Option {
	return func(s *settings) {
		s.port = port
		s.askedFor = append(s.askedFor, "WithPort")
		if port < 0 || port > 65535 {
			s.Refuse("WithPort(%d): must be 0 to 65535", port)
		}
	}
}

// WithListenHost sets the address of this machine at which Consul's questions are answered, where that is not the host
// that Consul is told, because addresses are translated in between. The default is that host if it is this machine's,
// and all addresses otherwise.
func WithListenHost(host string) Option {
	return func(s *settings) {
		s.listen = host
		s.askedFor = append(s.askedFor, "WithListenHost")
		if host == "" {
			s.Refuse("WithListenHost: the host is empty; 0.0.0.0 stands for all addresses")
		}
	}
}

// WithAdvertisedPort sets the port that Consul is told, where that is not the one that is listened on.
func WithAdvertisedPort(port int) Option {
	return func(s *settings) {
		s.advertisedPort = port
		s.askedFor = append(s.askedFor, "WithAdvertisedPort")
		if port < 1 || port > 65535 {
			s.Refuse("WithAdvertisedPort(%d): must be 1 to 65535", port)
		}
	}
}

// WithCheckInterval sets how often Consul asks for the health of this process; the default is [DefaultCheckInterval], and
// Consul asks every second at the most. With TTL checks it sets how often a heartbeat is sent, which is a third of the
// TTL by default and half of it at the most.
func WithCheckInterval(interval time.Duration) Option {
	return func(s *settings) {
		s.checkInterval = interval
		s.Positive("WithCheckInterval", interval)
	}
}

// WithCheckTimeout sets how long Consul waits for this process's answer; the default is [DefaultCheckTimeout]. A process
// that has died leaves the lists within the interval and this timeout.
func WithCheckTimeout(timeout time.Duration) Option {
	return func(s *settings) {
		s.checkTimeout = timeout
		s.askedFor = append(s.askedFor, "WithCheckTimeout")
		s.Positive("WithCheckTimeout", timeout)
	}
}

// WithCheckDeregisterTimeout sets after what time without a question of Consul's this process takes its registrations for
// lost, which its callbacks are told as reception.ErrNoConsulHealthCheck; the default is
// [DefaultCheckDeregisterTimeout]. Consul is told to remove what has been critical for as long, and does so after a
// minute at the earliest.
func WithCheckDeregisterTimeout(timeout time.Duration) Option {
	return func(s *settings) {
		s.deregister = timeout
		s.Positive("WithCheckDeregisterTimeout", timeout)
	}
}

// WithTTLChecks has this process send heartbeats, even if HOST in the environment says where Consul could ask it. That
// needs no way from the agent to this process.
func WithTTLChecks() Option {
	return func(s *settings) { s.ttlChecks = true }
}

// WithTTL sets how long the agent waits for a heartbeat: how long records outlive a process that has died, with TTL
// checks, and, less the lock-delay, how long an election waits for a leader that has. The default is [DefaultTTL], or
// three times the interval of [WithCheckInterval] where that is more.
func WithTTL(ttl time.Duration) Option {
	return func(s *settings) {
		s.ttl = ttl
		if ttl < minTTL {
			s.Refuse("WithTTL(%v): must be at least %v", ttl, minTTL)
		}
	}
}

// WithLockDelay sets how long the lock of an election stays free after its holder was lost; the default is
// [DefaultLockDelay]. It is what a term stands on: a holder believes in its term for so long after the last confirmation,
// and renews it three times in that. It is at least 1 s and at most 1 min.
func WithLockDelay(delay time.Duration) Option {
	return func(s *settings) {
		s.lockDelay = delay
		if delay < minLockDelay || delay > maxLockDelay {
			s.Refuse("WithLockDelay(%v): must be %v to %v, or there could be two leaders at a time",
				delay, minLockDelay, maxLockDelay)
		}
	}
}

// WithPrefix keeps the keys of elections below prefix, such as prod/reception; the default is [DefaultPrefix]. Clients
// that are to meet in elections have the same. It neither begins nor ends with a slash. Services have no prefix: Consul
// knows them by their names.
func WithPrefix(prefix string) Option {
	return func(s *settings) {
		s.prefix = prefix
		for segment := range strings.SplitSeq(prefix, "/") {
			if segment == "" {
				s.Refuse("WithPrefix(%q): must neither be empty, nor begin or end with a slash, nor have two in a row", prefix)
				return
			}
		}
	}
}

// WithUnhealthy has lists and watches show instances that are not healthy, too. The default is to leave them out.
func WithUnhealthy() Option {
	return func(s *settings) { s.unhealthy = true }
}

// WithOperationTimeout sets how long a request may go without an answer before it has failed, whatever its caller is
// willing to wait; the default is [DefaultOperationTimeout].
func WithOperationTimeout(timeout time.Duration) Option {
	return func(s *settings) {
		s.operation = timeout
		s.Positive("WithOperationTimeout", timeout)
	}
}

// WithLogger has the client tell logger what it skips, loses, retries and regains, and each health check that it
// answers. The default is to say nothing.
func WithLogger(logger reception.Logger) Option {
	return func(s *settings) {
		if logger == nil {
			s.Refuse("WithLogger: the logger is nil; reception.NewNilLogger logs nothing")
			return
		}
		s.logger = logger
	}
}

// WithToken has [Dial] show this token to Consul with every request.
func WithToken(token string) Option {
	return dialOption("WithToken", func(s *settings) {
		s.token = token
		if token == "" {
			s.Refuse("WithToken: the token is empty")
		}
	})
}

// WithTokenFile has [Dial] read the token from a file, once.
func WithTokenFile(path string) Option {
	return dialOption("WithTokenFile", func(s *settings) {
		s.tokenFile = path
		if path == "" {
			s.Refuse("WithTokenFile: the path is empty")
		}
	})
}

// WithDatacenter has [Dial] read the services and elections of another data centre than the agent's. Registering and
// campaigning need an agent of that data centre.
func WithDatacenter(name string) Option {
	return dialOption("WithDatacenter", func(s *settings) { s.datacenter = name })
}

// WithNamespace has [Dial] work in a namespace, which Consul Enterprise has.
func WithNamespace(name string) Option {
	return dialOption("WithNamespace", func(s *settings) { s.namespace = name })
}

// WithPartition has [Dial] work in an admin partition, which Consul Enterprise has.
func WithPartition(name string) Option {
	return dialOption("WithPartition", func(s *settings) { s.partition = name })
}

// WithTLS has [Dial] speak TLS, with certificates as config says: RootCAs for whom to trust, Certificates to present.
func WithTLS(config *tls.Config) Option {
	return dialOption("WithTLS", func(s *settings) {
		if config == nil {
			s.Refuse("WithTLS: the configuration is nil; &tls.Config{} trusts whom the system trusts")
			return
		}
		s.tls = config.Clone()
	})
}

// WithDialTimeout sets how long [Dial] tries to reach the agent; the default is [DefaultDialTimeout].
func WithDialTimeout(timeout time.Duration) Option {
	return dialOption("WithDialTimeout", func(s *settings) {
		s.dial = timeout
		s.Positive("WithDialTimeout", timeout)
	})
}

// dialOption marks an option that says how to connect, which for New the caller has done.
func dialOption(name string, set Option) Option {
	return func(s *settings) {
		s.OfDial(name)
		set(s)
	}
}
