package fake_test

import (
	"context"
	"errors"
	"flag"
	"reflect"
	"testing"

	"go.uber.org/goleak"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

// TestMain checks that no goroutine is left. It lets many tests run at a time, unless it was told how many: those that go
// by the machine's clock mostly wait.
func TestMain(m *testing.M) {
	flag.Parse()
	told := false
	flag.Visit(func(f *flag.Flag) { told = told || f.Name == "test.parallel" })
	if !told {
		if err := flag.Set("test.parallel", "32"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// connect connects a process for as long as the test lasts.
func connect(tb testing.TB, c *fake.Cluster, options ...fake.BackendOption) *fake.Backend {
	tb.Helper()
	b := c.Backend(options...)
	tb.Cleanup(func() {
		if err := b.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return b
}

// process connects a process and opens a session on it.
func process(tb testing.TB, c *fake.Cluster, options ...fake.BackendOption) (*fake.Backend, driver.SessionID) {
	tb.Helper()
	b := connect(tb, c, options...)
	return b, open(tb, b)
}

// open opens a session.
func open(tb testing.TB, b *fake.Backend) driver.SessionID {
	tb.Helper()
	opened, err := b.OpenSession(context.Background(), &driver.OpenSessionRequest{})
	if err != nil {
		tb.Fatal(err)
	}
	return opened.Session
}

// instance is one of web that b registers.
func instance(b *fake.Backend, id string) driver.Instance {
	return driver.Instance{
		Service: driver.Service{Name: "web", ID: id, Address: "10.0.0.1", Port: 80},
		Owner:   b.Label(),
	}
}

// register registers an instance of web.
func register(tb testing.TB, b *fake.Backend, session driver.SessionID, id string) *driver.RegisterResponse {
	tb.Helper()
	registered, err := b.Register(context.Background(), &driver.RegisterRequest{
		Session: session, Instance: instance(b, id),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return registered
}

// ids lists web.
func ids(tb testing.TB, b *fake.Backend) (ids []string) {
	tb.Helper()
	list, err := b.ListServices(context.Background(), &driver.ListServicesRequest{Name: "web"})
	if err != nil {
		tb.Fatal(err)
	}
	for _, i := range list.Instances {
		ids = append(ids, i.Service.ID)
	}
	return ids
}

// inject arms a fault for all processes.
func inject(tb testing.TB, c *fake.Cluster, f fake.Fault) {
	tb.Helper()
	remove, err := c.Inject(f)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(remove)
}

// invoke calls an operation, whichever it is, with an empty request, and closes the stream that it may open.
func invoke(ctx context.Context, b *fake.Backend, op *driver.Operation) error {
	name := op.Name
	if op.Stream {
		name = "Open" + name
	}
	method := reflect.ValueOf(b).MethodByName(name)
	request := reflect.New(method.Type().In(1).Elem())
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), request})
	if err, ok := reflect.TypeAssert[error](results[1]); ok {
		return err
	}
	if s, ok := reflect.TypeAssert[interface{ Close() }](results[0]); ok {
		s.Close()
	}
	return nil
}

// answered says whether an error is an answer of the cluster, rather than what becomes of calls that get none.
func answered(err error) bool {
	for _, e := range []error{
		driver.ErrUnavailable, driver.ErrOutcomeUnknown, driver.ErrClosed, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, e) {
			return false
		}
	}
	return true
}
