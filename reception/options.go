package reception

import (
	"fmt"
	"time"
)

// An Option configures a Client made by [NewClient].
type Option func(*options)

type options struct {
	logger   Logger
	observer Observer
	backoff  struct{ initial, longest time.Duration }
}

// makeOptions applies opts to the defaults.
func makeOptions(opts []Option) options {
	o := options{logger: NewNilLogger()}
	o.backoff.initial, o.backoff.longest = 100*time.Millisecond, 5*time.Second
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// WithLogger has the Client tell logger what it skips, loses, retries and regains. The default is to say nothing. It
// panics if logger is nil.
func WithLogger(logger Logger) Option {
	if logger == nil {
		panic("reception: WithLogger: logger is nil; NewNilLogger logs nothing")
	}
	return func(o *options) { o.logger = logger }
}

// WithObserver has the Client show observer every call that it makes and everything that happens to it. It panics if
// observer is nil.
func WithObserver(observer Observer) Option {
	if observer == nil {
		panic("reception: WithObserver: observer is nil; leave the option out to observe nothing")
	}
	return func(o *options) { o.observer = observer }
}

// WithBackoff sets the waits between attempts to reach a backend that has failed: they start at initial and grow to
// longest, each varied by half at random. The defaults are 100 ms and 5 s. After an outage everything is back within one
// such wait, 7.5 s by default at the longest. It panics unless 0 < initial <= longest.
func WithBackoff(initial, longest time.Duration) Option {
	if initial <= 0 || longest < initial {
		panic(fmt.Sprintf("reception: WithBackoff(%v, %v): need 0 < initial <= longest", initial, longest))
	}
	return func(o *options) { o.backoff.initial, o.backoff.longest = initial, longest }
}
