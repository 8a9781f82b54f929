package zookeeper

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/go-reception/sdk/reception/driver"
)

func TestDescribe(t *testing.T) {
	for _, test := range []struct {
		answer string
		want   driver.Server
	}{
		{
			"Zookeeper version: 3.8.0-5a02a05eddb5, built on 2022-02-25 08:49 UTC\nLatency min/avg/max: 0/0.0/0\nMode: follower\nNode count: 5\n",
			driver.Server{Address: "a:1", Version: "3.8.0", Role: "follower"},
		},
		{"This ZooKeeper instance is not currently serving requests\n", driver.Server{Address: "a:1"}},
		{"", driver.Server{Address: "a:1"}},
	} {
		got := describe(t.Context(), "a:1", func(context.Context, string, string) (net.Conn, error) {
			near, far := net.Pipe()
			go func() {
				if command, err := io.ReadAll(io.LimitReader(far, 4)); err == nil && string(command) == "srvr" {
					_, _ = io.WriteString(far, test.answer)
				}
				_ = far.Close()
			}()
			return near, nil
		})
		if got != test.want {
			t.Errorf("%q is understood as %+v, want %+v", test.answer, got, test.want)
		}
	}
}

func TestDescribeWhatDoesNotAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	got := describe(ctx, "a:1", func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		t.Cleanup(func() { _ = far.Close() })
		go func() {
			_, _ = io.ReadAll(io.LimitReader(far, 4))
			cancel() // and no answer
		}()
		return near, nil
	})
	if !errors.Is(got.Err, driver.ErrUnavailable) {
		t.Errorf("got %+v, want ErrUnavailable", got)
	}
}
