package reception_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
)

// The examples run on a fake cluster. With a real one only the first line differs, such as
//
//	client, err := reception.Open(ctx, "etcd://127.0.0.1:2379?prefix=/prod")

func ExampleOpen() {
	client, err := reception.Open(context.Background(), "fake://?ttl=10s")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	_, err = reception.Open(context.Background(), "fake://?tll=10s")
	fmt.Println(err)
	_, err = reception.Open(context.Background(), "etcd://127.0.0.1:2379")
	fmt.Println(err)
	// Output:
	// reception: Open fake://: unknown parameter "tll"; known parameters: ttl
	// reception: Open: scheme "etcd" is not registered: import _ "github.com/go-reception/sdk/backends/etcd"
}

func ExampleClient_Register() {
	ctx := context.Background()
	client := fake.NewClient()
	defer client.Close() // deregisters, too

	service, err := reception.MakeService("api", "10.0.0.7", 8080, reception.Attributes{"zone": "a"})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = client.Register(ctx, service, func(err error) {
		fmt.Println("others may not see this instance:", err)
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	services, err := client.ListServices(ctx, "api")
	fmt.Println(services[0].Address, services[0].Attributes["zone"], err)

	err = client.Deregister(ctx, service)
	services, _ = client.ListServices(ctx, "api")
	fmt.Println(len(services), err)
	// Output:
	// 10.0.0.7 a <nil>
	// 0 <nil>
}

func ExampleClient_Register_invalid() {
	client := fake.NewClient()
	defer client.Close()

	err := client.Register(context.Background(), &reception.Service{Name: "api", ID: "1", Address: "0.0.0.0"}, nil)
	fmt.Println(errors.Is(err, reception.ErrInvalidService))
	fmt.Println(err)
	// Output:
	// true
	// reception: Register on fake: invalid service: service.Address: must be a host name or an IP address that others can reach, not an unspecified one such as 0.0.0.0 or ::, got "0.0.0.0"
}

func ExampleClient_ListNames() {
	ctx := context.Background()
	client := fake.NewClient()
	defer client.Close()
	for _, name := range []string{"web", "api"} {
		_ = client.Register(ctx, &reception.Service{Name: name, ID: "1", Address: "10.0.0.7"}, nil)
	}

	names, err := client.ListNames(ctx)
	fmt.Println(names, err)
	// Output:
	// [api web] <nil>
}

func ExampleClient_NewWatcher() {
	ctx := context.Background()
	client := fake.NewClient()
	defer client.Close()

	watcher := client.NewWatcher("api")
	states, err := watcher.Start(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("at first:", len((<-states).Services))

	_ = client.Register(ctx, &reception.Service{Name: "api", ID: "1", Address: "10.0.0.7"}, nil)
	state := <-states
	fmt.Println("added:", state.Added[0].Address)

	watcher.Stop()
	_, open := <-states
	fmt.Println("open:", open)
	// Output:
	// at first: 0
	// added: 10.0.0.7
	// open: false
}

func ExampleWatch() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := fake.NewClient()
	defer client.Close()
	_ = client.Register(ctx, &reception.Service{Name: "api", ID: "1", Address: "10.0.0.7", Port: 8080}, nil)

	for state := range reception.Watch(ctx, client, "api") {
		if state.Err != nil {
			fmt.Println("the list may be out of date:", state.Err)
			continue
		}
		for _, service := range state.Services {
			fmt.Printf("%s:%d\n", service.Address, service.Port)
		}
		break // or go on, until ctx ends
	}
	// Output:
	// 10.0.0.7:8080
}

func ExampleRunWhileLeader() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := fake.NewClient()
	defer client.Close()

	candidate := &reception.Service{Name: "worker", ID: "w1"}
	err := reception.RunWhileLeader(ctx, client, "reaper", candidate,
		func(ctx context.Context, term reception.Term) error {
			// ctx ends before anybody else can lead. The token lets what is written to refuse a leader of the past.
			fmt.Println("leading:", term.Held(), term.Token() > 0, ctx.Err())
			return nil
		})
	fmt.Println(err)
	// Output:
	// leading: true true <nil>
	// <nil>
}

func ExampleClient_Campaign() {
	ctx := context.Background()
	client := fake.NewClient()
	defer client.Close()

	term, err := client.Campaign(ctx, "reaper", &reception.Service{Name: "worker", ID: "w1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Before an act that cannot be undone, ask the backend: this machine may have been suspended.
	fmt.Println("verified:", term.Verify(ctx))

	leader, _ := client.Leader(ctx, "reaper")
	fmt.Println("the leader is", leader.Service.ID, leader.Token == term.Token())

	fmt.Println("resigned:", term.Resign(ctx))
	_, err = client.Leader(ctx, "reaper")
	fmt.Println(term.Held(), context.Cause(term.Context()), errors.Is(err, reception.ErrNoLeader))
	// Output:
	// verified: <nil>
	// the leader is w1 true
	// resigned: <nil>
	// false not the leader: resigned true
}

func ExampleNewElector() {
	ctx := context.Background()
	client := fake.NewClient()
	defer client.Close()

	elector := reception.NewElector(client, "reaper",
		reception.WithHostAndPort("10.0.0.7", 8080),
		reception.WithDisconnectionCallback(func(err error) {
			fmt.Println("lost the lead:", err)
		}),
	)
	if err := elector.Elect(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(elector.IsLeader(), elector.Leader().Address)
	elector.Cancel()
	fmt.Println(elector.IsLeader())
	// Output:
	// true 10.0.0.7
	// false
}

func ExampleClient_NewLeaderWatcher() {
	ctx := context.Background()
	client := fake.NewClient()
	defer client.Close()

	states, err := client.NewLeaderWatcher("reaper").Start(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("nobody:", (<-states).Leader == nil)

	if _, err := client.Campaign(ctx, "reaper", &reception.Service{Name: "worker", ID: "w1"}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the leader is", (<-states).Leader.Service.ID)
	// Output:
	// nobody: true
	// the leader is w1
}

func ExampleNewSlogLogger() {
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, attribute slog.Attr) slog.Attr {
			if attribute.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attribute
		},
	})
	logger := reception.NewSlogLogger(slog.New(handler))
	client := fake.NewClient(reception.WithLogger(logger))
	defer client.Close()

	logger.Printf("client of %s is ready", "api") // in the client's voice
	// Output:
	// level=INFO msg="client of api is ready"
}
