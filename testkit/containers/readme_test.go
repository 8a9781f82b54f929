package containers_test

import (
	"testing"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// README: integration test
func TestPaymentIsFound(t *testing.T) {
	client := containers.Etcd(t) // a reception.Client on a real server, in a namespace of its own
	payment, err := reception.MakeService("payment", "127.0.0.1", 8080, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Register(t.Context(), payment, nil); err != nil {
		t.Fatal(err)
	}
	found, err := client.ListServices(t.Context(), "payment")
	if err != nil || len(found) != 1 {
		t.Errorf("ListServices returned %v, %v", found, err)
	}
}

// README: end
