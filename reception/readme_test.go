package reception_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
)

// The regions of this file between "README: name" and "README: end" stand in the project's README.md, word for word: a
// test in tools/house compares them. What stands here is compiled and run.

func serve(ctx context.Context, url string, reap func(ctx context.Context, token uint64) error) error {
	// README: production
	client, err := reception.Open(ctx, url) // such as etcd://10.0.0.1:2379,10.0.0.2:2379?prefix=/prod
	if err != nil {
		return err
	}
	defer client.Close() // withdraws everything below

	// Be found. From here on the SDK keeps the instance registered, through every outage.
	service, err := reception.MakeService("api", "10.0.0.7", 8080, reception.Attributes{"zone": "a"})
	if err != nil {
		return err
	}
	if err := client.Register(ctx, service, nil); err != nil {
		return err
	}

	// Find others, as they come and go.
	for state := range reception.Watch(ctx, client, "api") {
		if state.Err != nil {
			log.Printf("the list may be out of date: %v", state.Err)
			continue
		}
		for _, instance := range state.Services {
			fmt.Printf("%s:%d in zone %s\n", instance.Address, instance.Port, instance.Attributes["zone"])
		}
		break
	}

	// Do what only one process may do at a time.
	return reception.RunWhileLeader(ctx, client, "reaper", service,
		func(ctx context.Context, term reception.Term) error {
			// ctx ends before anybody else can lead. Hand the token to whatever is written to, so that it can
			// refuse what a leader of the past still sends.
			return reap(ctx, term.Token())
		})
	// README: end
}

func Example_readme() {
	reap := func(_ context.Context, token uint64) error {
		fmt.Println("reaping with a token:", token > 0)
		return nil
	}
	if err := serve(context.Background(), "fake://", reap); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 10.0.0.7:8080 in zone a
	// reaping with a token: true
}

// README: unit test
func TestSuccessorTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // virtual time: no second of it is waited for
		cluster := fake.NewCluster(fake.WithTTL(30 * time.Second))
		backend := cluster.Backend() // the handle to the first process's faults
		first, second := reception.NewClient(backend), cluster.Client()
		defer first.Close()
		defer second.Close()

		candidate := &reception.Service{Name: "worker", ID: "w1", Address: "10.0.0.1"}
		before, err := first.Campaign(t.Context(), "reaper", candidate)
		if err != nil {
			t.Fatal(err)
		}
		backend.Cut() // the leader's network is gone

		after, err := second.Campaign(t.Context(), "reaper", candidate)
		if err != nil {
			t.Fatal(err)
		}
		if before.Held() || after.Token() <= before.Token() {
			t.Errorf("two leaders: the first one holds: %v, tokens %d and %d", before.Held(), before.Token(), after.Token())
		}
	})
}

// README: end

// The README of the library that this one succeeds, adapted in imports and contexts.

func onDisconnect(error) {
	fmt.Printf("Disconnected from cluster, resigning!\n")
}

func TestReadmeOfThePredecessor(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := fake.NewClient()
	defer client.Close()

	// Registration
	service, err := reception.MakeService(
		"api",                      // service name
		"mesos-agent1.example.com", // host
		23423,                      // port
		map[string]string{ // attributes
			"external": "true",
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Register(ctx, service, onDisconnect); err != nil {
		t.Fatal(err)
	}

	// Listing
	services, err := client.ListServices(ctx, "api")
	if err != nil {
		t.Fatal(err)
	}
	addrs := []string{}
	for _, service := range services {
		addrs = append(addrs, fmt.Sprintf("%s:%d", service.Address, service.Port))
	}
	line := fmt.Sprintf("There are %d active services: %s", len(addrs), strings.Join(addrs, ", "))
	if line != "There are 1 active services: mesos-agent1.example.com:23423" {
		t.Error(line)
	}

	// Watching
	watcher := client.NewWatcher("api")
	ch, err := watcher.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	live := 0
	for update := range ch {
		if update.Err != nil {
			t.Fatal(update.Err)
		}
		for _, s := range update.Services {
			live++
			if s.ID != service.ID {
				t.Errorf("%s is live, want %s", s.ID, service.ID)
			}
		}
		go watcher.Stop()
	}
	if live == 0 {
		t.Error("nothing is live")
	}

	// Election
	elector := reception.NewElector(
		client,
		"reaper",
		reception.WithDisconnectionCallback(onDisconnect),
	)
	if err := elector.Elect(ctx); err != nil || !elector.IsLeader() {
		t.Fatalf("not the leader: %v", err)
	}
	elector.Cancel()
	if elector.IsLeader() {
		t.Error("the leader after Cancel")
	}
	waiting := reception.NewElector(client, "reaper")
	if err := elector.Elect(ctx); err != nil {
		t.Fatal(err)
	}
	canceled := make(chan error, 1)
	go func() { canceled <- waiting.Elect(ctx) }()
	for len(canceled) == 0 {
		waiting.Cancel() // from another goroutine
	}
	if err := <-canceled; !errors.Is(err, reception.ErrElectionCanceled) {
		t.Errorf("Elect returned %v, want ErrElectionCanceled", err)
	}
}
