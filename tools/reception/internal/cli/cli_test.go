package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/job"
)

func TestMain(m *testing.M) {
	job.Keep(os.Args)
	reception.RegisterScheme("test", openTest)
	goleak.VerifyTestMain(m)
}

// clusters are those that addresses such as test://name name.
var clusters sync.Map

// openTest returns a client of a test's cluster.
func openTest(_ context.Context, address *reception.Address) (reception.Client, error) {
	prefix := address.Parameters.String("prefix", "")
	if err := address.Parameters.Err(); err != nil {
		return nil, err
	}
	if prefix == "away" {
		return nil, fmt.Errorf("%w: it is away", reception.ErrUnavailable)
	}
	cluster, known := clusters.Load(strings.Join(address.Hosts, ","))
	if !known {
		return nil, fmt.Errorf("no cluster %v", address.Hosts)
	}
	return cluster.(*fake.Cluster).Client(), nil
}

// newCluster returns a cluster, and its address.
func newCluster(t *testing.T, options ...fake.ClusterOption) (cluster *fake.Cluster, url string) {
	t.Helper()
	cluster = fake.NewCluster(options...)
	host := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	clusters.Store(host, cluster)
	return cluster, "test://" + host
}

// client returns a client that is closed with the test.
func client(t *testing.T, cluster *fake.Cluster) reception.Client {
	t.Helper()
	c := cluster.Client()
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// An outcome is what one run of the command has come to.
type outcome struct {
	status   int
	out, err string
}

// run runs the command.
func run(t *testing.T, url string, args ...string) outcome {
	t.Helper()
	return runIn(t, t.Context(), url, args...)
}

func runIn(t *testing.T, ctx context.Context, url string, args ...string) outcome { //nolint:revive // as usual in helpers
	t.Helper()
	var out, err bytes.Buffer
	a := newApp(nil, &out, &err, func(name string) string {
		if name == urlVar {
			return url
		}
		return ""
	})
	status := a.run(ctx, args)
	return outcome{status, out.String(), err.String()}
}

// want checks an outcome; output is compared as it is, what is said need only be in there.
func (o outcome) want(t *testing.T, status int, output string, said ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("exit status %d, want %d", o.status, status)
	}
	if o.out != output {
		t.Errorf("the output is\n%s\nwant\n%s", o.out, output)
	}
	for _, want := range said {
		if !strings.Contains(o.err, want) {
			t.Errorf("it says %q, want %q in that", o.err, want)
		}
	}
	if len(said) == 0 && o.err != "" {
		t.Errorf("it says %q, want it to say nothing", o.err)
	}
}
