package reception_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
)

func TestSlogLogger(t *testing.T) {
	var out strings.Builder
	options := &slog.HandlerOptions{AddSource: true}
	logger := reception.NewSlogLogger(slog.New(slog.NewTextHandler(&out, options)).With("client", "c1"))
	logger.Printf("%s is %d", "answer", 42)
	line := out.String()
	for _, want := range []string{"level=INFO", `msg="answer is 42"`, "client=c1", "logger_test.go"} {
		if !strings.Contains(line, want) {
			t.Errorf("logged %q, want it to have %q", line, want)
		}
	}
}

func TestSlogLoggerDisabled(t *testing.T) {
	var out strings.Builder
	logger := reception.NewSlogLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelError})))
	logger.Printf("%v", formatted(func() { t.Error("formatted what nobody wants") }))
	if out.Len() > 0 {
		t.Errorf("logged %q", out.String())
	}
}

// formatted tells when it is.
type formatted func()

func (f formatted) String() string {
	f()
	return ""
}

func TestSlogLoggerNil(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	reception.NewSlogLogger(nil)
}

func TestNilLogger(*testing.T) {
	reception.NewNilLogger().Printf("%s", "nothing")
}

// TestPanicIsNeverSilent checks where the panic of a callback goes when the client has no logger.
func TestPanicIsNeverSilent(t *testing.T) {
	told := make(chan string, 10)
	before := slog.Default()
	slog.SetDefault(slog.New(handler(told)))
	defer slog.SetDefault(before)

	cluster := fake.NewCluster()
	client := newClient(t, cluster.Backend())
	e := reception.NewElector(client, "reaper", reception.WithDisconnectionCallback(func(error) { panic("odd") }))
	elect(t, e)
	cluster.Expire(cluster.Sessions()[0].ID)
	if line := <-told; !strings.Contains(line, panicOfReaper) ||
		!strings.Contains(line, "logger_test.go") {
		t.Errorf("logged %q, want the panic and its stack", line)
	}
	e.Cancel()
}

// handler sends each message.
type handler chan<- string

func (h handler) Enabled(context.Context, slog.Level) bool { return true }

func (h handler) Handle(_ context.Context, record slog.Record) error {
	h <- fmt.Sprint(record.Message)
	return nil
}

func (h handler) WithAttrs([]slog.Attr) slog.Handler { return h }

func (h handler) WithGroup(string) slog.Handler { return h }
