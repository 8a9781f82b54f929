package hazards

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/go-reception/sdk/reception"
)

// SettingsOf are those of the clients of a test: what they log goes to its log.
func (b Backend) SettingsOf(tb testing.TB) Settings {
	tb.Helper()
	return Settings{Prefix: Prefix(tb), TTL: b.TTL, Logger: LogOf(tb)}
}

// terms are the settings of clients that hold terms.
func (b Backend) terms(tb testing.TB) Settings {
	tb.Helper()
	s := b.SettingsOf(tb)
	s.TTL = b.TermTTL
	return s
}

// patient are the settings of clients that are to lose nothing while much happens.
func (b Backend) patient(tb testing.TB) Settings {
	tb.Helper()
	s := b.SettingsOf(tb)
	s.TTL, s.Operation = 4*b.TTL, 4*Grace
	return s
}

// dial connects a client with a test's settings.
func (b Backend) dial(tb testing.TB, endpoints []string) reception.Client {
	tb.Helper()
	return b.dialWith(tb, endpoints, b.SettingsOf(tb))
}

func (b Backend) dialWith(tb testing.TB, endpoints []string, s Settings) reception.Client {
	tb.Helper()
	client, err := b.Connect(tb.Context(), endpoints, s)
	OK(tb, err)
	tb.Cleanup(func() { _ = client.Close() }) // at the latest; what it says is for tests of Close
	return client
}

// Prefix is where a test keeps its records, where there are prefixes.
func Prefix(tb testing.TB) string {
	tb.Helper()
	return "/" + ServiceName(tb)
}

// ServiceName is the name of a test's service, which no other test uses.
func ServiceName(tb testing.TB) string {
	tb.Helper()
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, tb.Name())
}

// Service makes an instance.
func Service(name, id string) *reception.Service {
	return &reception.Service{ID: id, Name: name, Address: "192.0.2.1", Port: 80}
}

// LogOf passes on to a test's log what a client says while the test runs. A benchmark's log is not for that.
func LogOf(tb testing.TB) reception.Logger {
	tb.Helper()
	if _, test := tb.(*testing.T); !test {
		return reception.NewNilLogger()
	}
	return &log{tb: tb}
}

type log struct {
	mu sync.Mutex
	tb testing.TB
}

// Printf implements [reception.Logger].
func (l *log) Printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tb.Context().Err() == nil {
		l.tb.Logf(format, args...)
	}
}

// Lines keeps what is logged.
type Lines struct {
	mu  sync.Mutex
	all strings.Builder
}

// Printf implements [reception.Logger].
func (l *Lines) Printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.all, format+"\n", args...)
}

// Text is all of it.
func (l *Lines) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
