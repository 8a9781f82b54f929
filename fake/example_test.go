package fake_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
)

// Two processes on one cluster: what the one registers, the other lists.
func Example() {
	ctx := context.Background()
	cluster := fake.NewCluster()
	var ours, theirs driver.Backend = cluster.Backend(), cluster.Backend()

	session, _ := ours.OpenSession(ctx, &driver.OpenSessionRequest{})
	_, err := ours.Register(ctx, &driver.RegisterRequest{Session: session.Session, Instance: driver.Instance{
		Service: driver.Service{Name: "web", ID: "1", Address: "10.0.0.1", Port: 80},
	}})
	fmt.Println(err)

	list, _ := theirs.ListServices(ctx, &driver.ListServicesRequest{Name: "web"})
	for _, instance := range list.Instances {
		fmt.Println(instance.Service.Address, instance.Service.Port)
	}
	// Output:
	// <nil>
	// 10.0.0.1 80
}

// A process that is cut off reaches nothing until it is healed; its session lives on for its TTL.
func ExampleBackend_Cut() {
	ctx := context.Background()
	b := fake.NewCluster().Backend()
	session, _ := b.OpenSession(ctx, &driver.OpenSessionRequest{})

	b.Cut()
	_, err := b.RenewSession(ctx, &driver.RenewSessionRequest{Session: session.Session})
	fmt.Println(err)

	b.Heal()
	renewed, _ := b.RenewSession(ctx, &driver.RenewSessionRequest{Session: session.Session})
	fmt.Println("good for", renewed.GoodFor)
	// Output:
	// backend unavailable
	// good for 15s
}

// A write is carried out and its answer lost, so that the caller cannot know.
func ExampleCluster_Inject() {
	ctx := context.Background()
	cluster := fake.NewCluster()
	b := cluster.Backend()
	session, _ := b.OpenSession(ctx, &driver.OpenSessionRequest{})

	remove, err := cluster.Inject(fake.Fault{Operation: "Register", Stage: fake.After, LoseReply: true})
	if err != nil {
		panic(err)
	}
	defer remove()

	_, err = b.Register(ctx, &driver.RegisterRequest{Session: session.Session, Instance: driver.Instance{
		Service: driver.Service{Name: "web", ID: "1"},
	}})
	fmt.Println(errors.Is(err, driver.ErrOutcomeUnknown))
	names, _ := b.ListNames(ctx, &driver.ListNamesRequest{})
	fmt.Println(names.Names)
	// Output:
	// true
	// [web]
}

// A hook does something at an exact point: here the lead is lost between winning the turn and confirming it.
func ExampleFault_hook() {
	ctx := context.Background()
	cluster := fake.NewCluster()
	b := cluster.Backend()
	session, _ := b.OpenSession(ctx, &driver.OpenSessionRequest{})
	id := session.Session
	_, _ = b.Enqueue(ctx, &driver.EnqueueRequest{Session: id, Election: "primary"})
	turn, _ := b.AwaitTurn(ctx, &driver.AwaitTurnRequest{Session: id, Election: "primary"})

	_, err := b.Inject(fake.Fault{
		Operation: "Confirm",
		Stage:     fake.Between,
		Hook: func(context.Context, driver.Call) error {
			cluster.Expire(id)
			return nil
		},
	})
	if err != nil {
		panic(err)
	}
	_, err = b.Confirm(ctx, &driver.ConfirmRequest{Session: id, Election: "primary", Token: turn.Token})
	fmt.Println(err)
	// Output: not the leader
}

// The history is what was called, by whom and with what success.
func ExampleCluster_History() {
	ctx := context.Background()
	cluster := fake.NewCluster(fake.WithHistory(100))
	b := cluster.Backend(fake.WithLabel("billing"))
	_, _ = b.ListNames(ctx, &driver.ListNamesRequest{})
	_, _ = b.GetLeader(ctx, &driver.GetLeaderRequest{Election: "primary"})

	for _, e := range cluster.History() {
		fmt.Println(e.Seq, e.Backend, e.Operation.Name, e.Err)
	}
	// Output:
	// 1 billing ListNames <nil>
	// 2 billing GetLeader no leader
}

// In a bubble of testing/synctest time is virtual, and the expiry of a session exact. A test passes its own t.
func Example_virtualTime() {
	synctest.Test(&testing.T{}, func(t *testing.T) {
		b := fake.NewCluster(fake.WithTTL(30 * time.Second)).Backend()
		session, _ := b.OpenSession(t.Context(), &driver.OpenSessionRequest{})
		_, _ = b.Register(t.Context(), &driver.RegisterRequest{Session: session.Session, Instance: driver.Instance{
			Service: driver.Service{Name: "web", ID: "1"},
		}})
		stream, _ := b.OpenWatchService(t.Context(), &driver.WatchServiceRequest{Name: "web"})
		defer stream.Close()

		start := time.Now()
		for range 2 {
			batch, _ := stream.Next(t.Context())
			fmt.Println(time.Since(start), batch.Changes[0].Record.Service.ID, "deleted:", batch.Changes[0].Deleted)
		}
	})
	// Output:
	// 0s 1 deleted: false
	// 30s 1 deleted: true
}
