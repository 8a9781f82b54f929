package fence_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/fence"
)

// A resource that runs code of yours lets every write pass through a guard.
func ExampleGuard() {
	var guard fence.Guard
	balance := 100
	pay := func(token uint64, amount int) error {
		return guard.Do(token, func() error {
			balance -= amount
			return nil
		})
	}

	fmt.Println(pay(33, 10)) // the leader
	fmt.Println(pay(34, 10)) // its successor
	fmt.Println(pay(33, 10)) // the first one was paused when it had asked whether it leads, and does not know yet
	fmt.Println(balance)
	// Output:
	// <nil>
	// <nil>
	// the fencing token is of an earlier term: 33 came after 34
	// 80
}

// A leader hands its term's token to what it writes to, and first of all claims it.
func ExampleGuard_Admit() {
	var guard fence.Guard // of the resource
	client := fake.NewClient()
	defer func() { _ = client.Close() }()

	candidate := &reception.Service{Name: "worker", ID: "w1"}
	err := reception.RunWhileLeader(context.Background(), client, "reaper", candidate,
		func(_ context.Context, term reception.Term) error {
			if err := guard.Admit(term.Token()); err != nil { // from here on, nothing of an earlier term is accepted
				return err
			}
			// … read what there is to do …
			return guard.Do(term.Token(), func() error {
				fmt.Println("reaped")
				return nil
			})
		})
	fmt.Println(err)
	fmt.Println(errors.Is(guard.Admit(0), fence.ErrStale))
	// Output:
	// reaped
	// <nil>
	// true
}
