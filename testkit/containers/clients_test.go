package containers_test

import (
	"testing"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

func TestClientsHaveNamespacesOfTheirOwn(t *testing.T) {
	for name, connect := range map[string]func(testing.TB) reception.Client{
		"etcd":                   containers.Etcd,
		"zookeeper":              containers.ZooKeeper,
		"zookeeper by exhibitor": containers.ZooKeeperByExhibitor,
	} {
		t.Run(name, func(t *testing.T) {
			client, other := connect(t), connect(t)
			service, err := reception.MakeService("web", "127.0.0.1", 8080, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Register(t.Context(), service, func(error) {}); err != nil {
				t.Fatal(err)
			}
			found, err := client.ListServices(t.Context(), "web")
			if err != nil || len(found) != 1 || found[0].ID != service.ID {
				t.Errorf("ListServices = %v, %v, want the service", found, err)
			}
			if found, err := other.ListServices(t.Context(), "web"); err != nil || len(found) != 0 {
				t.Errorf("another namespace lists %v, %v", found, err)
			}
		})
	}
}

func TestConsulClientsHaveElectionsOfTheirOwn(t *testing.T) {
	client, other := containers.Consul(t), containers.Consul(t)
	service, err := reception.MakeService("web-of-"+t.Name(), "127.0.0.1", 8080, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Register(t.Context(), service, func(error) {}); err != nil {
		t.Fatal(err)
	}
	found, err := other.ListServices(t.Context(), service.Name)
	if err != nil || len(found) != 1 || found[0].ID != service.ID {
		t.Errorf("ListServices = %v, %v, want the service", found, err)
	}
	for _, c := range []reception.Client{client, other} { // neither waits for the other
		if _, err := c.Campaign(t.Context(), "e", service); err != nil {
			t.Fatal(err)
		}
	}
}
