package containers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

func panics(t *testing.T) {
	t.Helper()
	StartEtcd(t, WithNodes(2))
	fmt.Println("run", runID)
	panic("on purpose")
}

func TestNothingIsLeftAfterAPanic(t *testing.T) {
	needEngine(t, BackendEtcd, nil)
	output, ok := runScenario(t, "panics")
	if ok {
		t.Fatalf("the scenario has succeeded:\n%s", output)
	}
	mustContain(t, output, "on purpose")
	_, rest, found := strings.Cut(output, "run ")
	if !found {
		t.Fatalf("the scenario has not said its run:\n%s", output)
	}
	run, _, _ := strings.Cut(rest, "\n")
	engine, err := dockerEngine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func(ctx context.Context) error {
		ours := make(client.Filters).Add("label", labelRun+"="+run)
		containers, err := engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
		if err != nil {
			return err
		}
		networks, err := engine.NetworkList(ctx, client.NetworkListOptions{Filters: ours})
		if err != nil {
			return err
		}
		if n := len(containers.Items) + len(networks.Items); n > 0 {
			return fmt.Errorf("%d containers and networks are left", n)
		}
		return nil
	})
}

func leaves(t *testing.T) {
	t.Helper()
	c, err := RunEtcd(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("leaves %.12s", c.GetContainerID())
}

func TestMainFindsWhatIsLeft(t *testing.T) {
	needEngine(t, BackendEtcd, nil)
	output, ok := runScenario(t, "leaves")
	if ok {
		t.Errorf("the run has succeeded")
	}
	mustContain(t, output, "--- PASS: TestScenario", "left behind by the tests: container")
}

func asks(t *testing.T) {
	t.Helper()
	c := SharedEtcd(t)
	check, err := etcdProbe(c.settings)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, func(ctx context.Context) error { return check(ctx, c.Endpoints()[0]) })
	t.Run("faults on its node", func(t *testing.T) { c.Node(0).Pause(t) })
	t.Run("faults on the link", func(t *testing.T) {
		c.Link().Cut(t)
		if err := check(t.Context(), c.Endpoints()[0]); err == nil {
			t.Error("a link that is cut still works")
		}
	})
}

func TestAServerThatRunsAlready(t *testing.T) {
	c := SharedEtcd(t)
	output, ok := runScenario(t, "asks", "CI=", "RECEPTION_ETCD_ADDR="+c.Node(0).address(),
		"DOCKER_HOST=unix:///nonexistent/docker.sock")
	if !ok {
		t.Errorf("it has failed:\n%s", output)
	}
	mustContain(t, output, "--- SKIP: TestScenario/faults_on_its_node",
		"did not run: it needs a server of the kit's own", "--- PASS: TestScenario/faults_on_the_link")
}

func TestWithoutAnEngine(t *testing.T) {
	const nowhere = "DOCKER_HOST=unix:///nonexistent/docker.sock"
	for _, test := range []struct {
		name, env, verdict, text string
		ok                       bool
	}{
		{"locally a test says why it did not run", "CI=", "--- SKIP: ", "did not run: no container engine answers", true},
		{"in CI it fails", "CI=true", "--- FAIL: ", "cannot run, and CI is set: no container engine answers", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			output, ok := runScenario(t, "asks", nowhere, test.env)
			if ok != test.ok {
				t.Errorf("success is %v, want %v", ok, test.ok)
			}
			mustContain(t, output, test.verdict+"TestScenario", test.text, "/nonexistent/docker.sock")
		})
	}
}

func runs(t *testing.T) {
	t.Helper()
	_, err := RunEtcd(t.Context(), "reception-offline/none:1")
	fmt.Println("error:", err)
}

func TestRunWithoutAnEngine(t *testing.T) {
	output, _ := runScenario(t, "runs", "DOCKER_HOST=unix:///nonexistent/docker.sock")
	mustContain(t, output, "error: run etcd: no container engine answers")
}

func TestPollReportsTheLastWholeAttempt(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*probeInterval)
	defer cancel()
	reason := errors.New("not yet")
	err := poll(ctx, func(context.Context) error { return reason })
	if !errors.Is(err, reason) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("poll = %v, want both the reason and that time is up", err)
	}
	begun := time.Now()
	err = poll(t.Context(), func(context.Context) error { return final{reason} })
	if !errors.Is(err, reason) || time.Since(begun) > time.Second {
		t.Errorf("poll = %v after %s, want what is final at once", err, time.Since(begun))
	}
}
