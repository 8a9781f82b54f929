package etcd

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"github.com/go-reception/sdk/backends/internal/option"
	"github.com/go-reception/sdk/reception"
)

// What a client does unless an option says otherwise.
const (
	// DefaultPrefix is where records are kept.
	DefaultPrefix = "/reception"
	// DefaultTTL is how long records outlive a process that has died.
	DefaultTTL = 15 * time.Second
	// DefaultRelistInterval is how often a watch compares notes with the servers.
	DefaultRelistInterval = 5 * time.Minute
	// DefaultDialTimeout is how long Dial tries.
	DefaultDialTimeout = 5 * time.Second
	// DefaultOperationTimeout is how long a request may go without an answer.
	DefaultOperationTimeout = 5 * time.Second
)

// minTTL is what the servers grant at least, with their default election timeout of 1 s.
const minTTL = 2 * time.Second

// An Option configures a client made by [Dial] or [New]. One that is out of its range makes them fail.
type Option func(*settings)

// settings are what the options set.
type settings struct {
	option.Problems

	prefix    string
	ttl       time.Duration
	refresh   time.Duration // 0: a third of what is granted
	relist    time.Duration
	operation time.Duration
	logger    reception.Logger

	// Those of Dial alone.
	endpoints      []string
	user, password string
	credentials    bool
	tls            *tls.Config
	dial           time.Duration
}

// makeSettings applies opts to the defaults and returns everything that is wrong with the outcome.
func makeSettings(opts []Option) (*settings, error) {
	s := &settings{
		prefix: DefaultPrefix, ttl: DefaultTTL, relist: DefaultRelistInterval, dial: DefaultDialTimeout,
		operation: DefaultOperationTimeout, logger: reception.NewNilLogger(),
	}
	for _, opt := range opts {
		opt(s)
	}
	if s.refresh > s.ttl/2 {
		s.Refuse("WithRefreshInterval(%v): must be at most half of the TTL, which is %v, "+
			"so that a lost request does not cost the lease", s.refresh, s.ttl)
	}
	err := s.Err()
	return s, err
}

// interval is how often leases are renewed, as long as the servers grant what they are asked for.
func (s *settings) interval() time.Duration {
	if s.refresh > 0 {
		return s.refresh
	}
	return s.ttl / 3
}

// WithPrefix keeps all records below prefix, such as /prod; the default is [DefaultPrefix]. Clients that are to see
// each other have the same. It begins with a slash, does not end with one, and is not the root.
func WithPrefix(prefix string) Option {
	return func(s *settings) {
		s.prefix = prefix
		segments := strings.Split(prefix, "/")
		if segments[0] != "" || len(segments) < 2 {
			s.Refuse("WithPrefix(%q): must begin with a slash, as /prod does", prefix)
			return
		}
		if slices.Contains(segments[1:], "") {
			s.Refuse("WithPrefix(%q): must neither be the root, nor end with a slash, nor have two in a row", prefix)
		}
	}
}

// WithTTL sets how long records outlive a process that has died, and how long an election waits for a leader that has;
// the default is [DefaultTTL]. The servers count in whole seconds and grant no less than one and a half of their
// election timeouts, 2 s by default: less than that is refused, and if they grant more than ttl for another reason,
// what they grant is logged and counts.
func WithTTL(ttl time.Duration) Option {
	return func(s *settings) {
		s.ttl = ttl
		if ttl < minTTL {
			s.Refuse("WithTTL(%v): etcd grants no less than %v", ttl, minTTL)
		} else if ttl%time.Second != 0 {
			s.Refuse("WithTTL(%v): etcd counts in whole seconds", ttl)
		}
	}
}

// WithRefreshInterval sets how often leases are renewed, and how often open watches are asked whether they are alive;
// it is at most half of the TTL. The default is a third of the TTL.
func WithRefreshInterval(interval time.Duration) Option {
	return func(s *settings) {
		s.refresh = interval
		s.Positive("WithRefreshInterval", interval)
	}
}

// WithRelistInterval sets how often a watch reads everything anew, varied by a fifth at random, in case the servers
// have kept something from it; the default is [DefaultRelistInterval].
func WithRelistInterval(interval time.Duration) Option {
	return func(s *settings) {
		s.relist = interval
		s.Positive("WithRelistInterval", interval)
	}
}

// WithOperationTimeout sets how long a request may go without an answer before it has failed, whatever its caller is
// willing to wait; the default is [DefaultOperationTimeout].
func WithOperationTimeout(timeout time.Duration) Option {
	return func(s *settings) {
		s.operation = timeout
		s.Positive("WithOperationTimeout", timeout)
	}
}

// WithLogger has the client tell logger what it skips, loses, retries and regains. The default is to say nothing.
func WithLogger(logger reception.Logger) Option {
	return func(s *settings) {
		s.logger = logger
		if logger == nil {
			s.Refuse("WithLogger: the logger is nil; reception.NewNilLogger logs nothing")
		}
	}
}

// WithEndpoints adds servers, of the same cluster, to those that [Dial] is called with, each as host:port or URL.
func WithEndpoints(endpoints ...string) Option {
	return dialOption("WithEndpoints", func(s *settings) { s.endpoints = append(s.endpoints, endpoints...) })
}

// WithCredentials has [Dial] authenticate with a user's name and password. Each renewal of a lease authenticates anew,
// which costs the servers some 50 ms of computing; client certificates, which [WithTLS] can carry, do not.
func WithCredentials(user, password string) Option {
	return dialOption("WithCredentials", func(s *settings) {
		s.user, s.password, s.credentials = user, password, true
		if user == "" || password == "" {
			s.Refuse("WithCredentials: needs both a user and a password")
		}
	})
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

// WithDialTimeout sets how long [Dial] tries to reach the servers; the default is [DefaultDialTimeout].
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
