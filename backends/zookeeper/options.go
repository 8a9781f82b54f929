package zookeeper

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/go-reception/sdk/backends/internal/option"
	"github.com/go-reception/sdk/reception"
)

// What a client does unless an option says otherwise.
const (
	// DefaultPrefix is where records are kept.
	DefaultPrefix = "/reception"
	// DefaultSessionTimeout is how long records outlive a process that has died.
	DefaultSessionTimeout = 10 * time.Second
	// DefaultRelistInterval is how often a watch compares notes with the servers.
	DefaultRelistInterval = 5 * time.Minute
	// DefaultDialTimeout is how long Dial tries.
	DefaultDialTimeout = 10 * time.Second
	// DefaultOperationTimeout is how long a request may go without an answer.
	DefaultOperationTimeout = 5 * time.Second
	// DefaultExhibitorInterval is how often Exhibitor is asked for the list of servers.
	DefaultExhibitorInterval = 10 * time.Second
)

// An Option configures a client made by [Dial], [DialExhibitor] or [New]. One that is out of its range makes them fail.
type Option func(*settings)

// settings are what the options set.
type settings struct {
	option.Problems

	prefix    string
	relist    time.Duration
	operation time.Duration
	acl       []zk.ACL
	logger    reception.Logger

	// Those of Dial and DialExhibitor alone.
	servers     []string
	timeout     time.Duration
	credentials []byte
	tls         *tls.Config
	dial        time.Duration

	// Those of DialExhibitor alone.
	exhibitors []string
	poll       time.Duration

	polls bool // an option was given that is for DialExhibitor
}

// makeSettings applies opts to the defaults and returns everything that is wrong with the outcome.
func makeSettings(opts []Option) (*settings, error) {
	s := &settings{
		prefix: DefaultPrefix, timeout: DefaultSessionTimeout, relist: DefaultRelistInterval, dial: DefaultDialTimeout,
		operation: DefaultOperationTimeout, poll: DefaultExhibitorInterval, logger: reception.NewNilLogger(),
	}
	for _, opt := range opts {
		opt(s)
	}
	if s.acl == nil && s.credentials != nil {
		s.acl = zk.AuthACL(zk.PermAll)
	}
	if s.acl == nil {
		s.acl = zk.WorldACL(zk.PermAll)
	}
	err := s.Err()
	return s, err
}

// WithPrefix keeps all records below prefix, such as /prod; the default is [DefaultPrefix]. Clients that are to see
// each other have the same. It begins with a slash, does not end with one, and is not the root. ZooKeeper has no relative
// names, so there is no "." or ".." in it, and /zookeeper is the servers' own.
func WithPrefix(prefix string) Option {
	return func(s *settings) {
		s.prefix = prefix
		segments := strings.Split(prefix, "/")
		if segments[0] != "" || len(segments) < 2 {
			s.Refuse("WithPrefix(%q): must begin with a slash, as /prod does", prefix)
			return
		}
		for _, segment := range segments[1:] {
			switch {
			case segment == "":
				s.Refuse("WithPrefix(%q): must neither be the root, nor end with a slash, nor have two in a row", prefix)
				return
			case segment == ".", segment == "..":
				s.Refuse("WithPrefix(%q): ZooKeeper has no relative names", prefix)
				return
			case strings.ContainsFunc(segment, unfit):
				s.Refuse("WithPrefix(%q): has characters that ZooKeeper does not allow", prefix)
				return
			}
		}
		if segments[1] == "zookeeper" {
			s.Refuse("WithPrefix(%q): /zookeeper is the servers' own", prefix)
		}
	}
}

// unfit says whether ZooKeeper does not allow a character in a name.
func unfit(c rune) bool {
	return c < 0x20 || c >= 0x7f && c <= 0x9f || c >= 0xd800 && c <= 0xf8ff || c >= 0xfff0 && c <= 0xffff
}

// WithRelistInterval sets how often a watch looks although nothing has told it to, varied by a fifth at random, in case
// the servers have kept something from it; the default is [DefaultRelistInterval].
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

// WithACL sets who may do what with the nodes that the client creates. The default is everybody everything, or with
// [WithDigest] the same user everything, and others nothing.
func WithACL(acl ...zk.ACL) Option {
	return func(s *settings) {
		s.acl = slices.Clone(acl)
		if len(acl) == 0 {
			s.Refuse("WithACL: with an empty list nobody could read what the client writes")
		}
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

// WithServers adds servers, of the same ensemble, to those that [Dial] is called with, each as host or host:port.
func WithServers(servers ...string) Option {
	return dialOption("WithServers", func(s *settings) { s.servers = append(s.servers, servers...) })
}

// WithSessionTimeout sets how long records outlive a process that has died, and how long an election waits for a leader
// that has; the default is [DefaultSessionTimeout]. The servers grant no less than two of their ticks and no more than
// twenty; what they grant counts, and is logged if it is something else.
func WithSessionTimeout(timeout time.Duration) Option {
	return dialOption("WithSessionTimeout", func(s *settings) {
		s.timeout = timeout
		if timeout < 100*time.Millisecond || timeout > time.Hour {
			s.Refuse("WithSessionTimeout(%v): must be between 100ms and an hour", timeout)
		}
	})
}

// WithDigest has the client authenticate with a user's name and password, by ZooKeeper's scheme "digest", and keep what
// it creates to that user. ZooKeeper believes every password at first; a wrong one shows in what it then may not do.
func WithDigest(user, password string) Option {
	return dialOption("WithDigest", func(s *settings) {
		s.credentials = []byte(user + ":" + password)
		if user == "" || password == "" {
			s.Refuse("WithDigest: needs both a user and a password")
		}
		if strings.Contains(user, ":") {
			s.Refuse("WithDigest: the user's name %q has a colon, which ends it", user)
		}
	})
}

// WithTLS has the client speak TLS, with certificates as config says: RootCAs for whom to trust, Certificates to present.
// Servers have a port of its own for that.
func WithTLS(config *tls.Config) Option {
	return dialOption("WithTLS", func(s *settings) {
		if config == nil {
			s.Refuse("WithTLS: the configuration is nil; &tls.Config{} trusts whom the system trusts")
			return
		}
		s.tls = config.Clone()
	})
}

// WithDialTimeout sets how long [Dial] and [DialExhibitor] try to get a session; the default is [DefaultDialTimeout].
func WithDialTimeout(timeout time.Duration) Option {
	return dialOption("WithDialTimeout", func(s *settings) {
		s.dial = timeout
		s.Positive("WithDialTimeout", timeout)
	})
}

// WithExhibitors adds Exhibitors, of the same ensemble, to those that [DialExhibitor] is called with, each as host,
// host:port or URL.
func WithExhibitors(exhibitors ...string) Option {
	return dialOption("WithExhibitors", func(s *settings) {
		s.polls = true
		s.exhibitors = append(s.exhibitors, exhibitors...)
	})
}

// WithExhibitorInterval sets how often Exhibitor is asked for the list of servers, varied by a fifth at random; the
// default is [DefaultExhibitorInterval].
func WithExhibitorInterval(interval time.Duration) Option {
	return dialOption("WithExhibitorInterval", func(s *settings) {
		s.poll, s.polls = interval, true
		s.Positive("WithExhibitorInterval", interval)
	})
}

// dialOption marks an option that says how to connect, which for New the caller has done.
func dialOption(name string, set Option) Option {
	return func(s *settings) {
		s.OfDial(name)
		set(s)
	}
}
