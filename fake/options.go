package fake

import (
	"fmt"
	"time"

	"github.com/go-reception/sdk/fake/internal/kernel"
)

// What a cluster does unless an option says otherwise.
const (
	// DefaultTTL is the time to live of sessions that ask for none.
	DefaultTTL = 15 * time.Second
	// DefaultWatchLog is how many changes of a service or an election are kept for streams that have fallen behind.
	DefaultWatchLog = 1024
)

// settings are what the options of a cluster set.
type settings struct {
	kernel      kernel.Config
	propagation time.Duration
	history     int
}

// A ClusterOption changes how a cluster behaves from its beginning.
type ClusterOption func(*settings)

// WithTTL sets the time to live of sessions that ask for none; the default is [DefaultTTL].
func WithTTL(ttl time.Duration) ClusterOption {
	mustBePositive("WithTTL", ttl)
	return func(s *settings) { s.kernel.TTL = ttl }
}

// WithTTLLimits bounds the TTL that sessions get, whatever they ask for; a most of 0 is no bound.
func WithTTLLimits(least, most time.Duration) ClusterOption {
	mustNotBeNegative("WithTTLLimits", least)
	mustNotBeNegative("WithTTLLimits", most)
	return func(s *settings) { s.kernel.MinTTL, s.kernel.MaxTTL = least, most }
}

// WithRenewEvery sets the renewal interval that sessions are told; the default is a third of their TTL.
func WithRenewEvery(interval time.Duration) ClusterOption {
	mustBePositive("WithRenewEvery", interval)
	return func(s *settings) { s.kernel.Every = interval }
}

// WithSettle makes a renewal count only once another one comes at least this much later, as where servers pass
// renewals on to each other in intervals. By default it counts at once.
func WithSettle(age time.Duration) ClusterOption {
	mustNotBeNegative("WithSettle", age)
	return func(s *settings) { s.kernel.Settle = age }
}

// WithPropagation is [Cluster.SetPropagation] from the beginning.
func WithPropagation(delay time.Duration) ClusterOption {
	mustNotBeNegative("WithPropagation", delay)
	return func(s *settings) { s.propagation = delay }
}

// WithVouching has streams of a service's instances prove again and again that they are current, each time for goodFor,
// so that lists of a service that is watched are answered without a request. By default they prove nothing and every
// list asks the cluster: a test then sees at once what another client has registered.
func WithVouching(goodFor time.Duration) ClusterOption {
	mustBePositive("WithVouching", goodFor)
	return func(s *settings) { s.kernel.Vouch = goodFor }
}

// WithWatchLog sets how many changes of a service or an election are kept for streams that have fallen behind; the
// default is [DefaultWatchLog]. It also bounds how many changes [WithPropagation] can hold back.
func WithWatchLog(changes int) ClusterOption {
	mustBePositive("WithWatchLog", changes)
	return func(s *settings) { s.kernel.Log = changes }
}

// WithHistory keeps the latest calls for [Cluster.History]. By default none are kept.
func WithHistory(calls int) ClusterOption {
	mustBePositive("WithHistory", calls)
	return func(s *settings) { s.history = calls }
}

// A BackendOption changes what a process is from its beginning.
type BackendOption func(*Backend)

// WithLabel names the process in [Cluster.History] and [Cluster.Sessions]. By default it is numbered.
func WithLabel(label string) BackendOption {
	return func(b *Backend) { b.label = label }
}

func mustBePositive[N ~int | ~int64](name string, n N) {
	if n <= 0 {
		panic(fmt.Sprintf("fake: %s(%v): must be positive", name, n))
	}
}

func mustNotBeNegative[N ~int | ~int64](name string, n N) {
	if n < 0 {
		panic(fmt.Sprintf("fake: %s(%v): must not be negative", name, n))
	}
}
