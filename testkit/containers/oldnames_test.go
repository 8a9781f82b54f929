package containers_test

import (
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/google/uuid"
	"github.com/hashicorp/consul/api"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/backends"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/testkit/containers"
)

// TestOldNames registers and lists through each of the functions that have the names of the library of 2018.
func TestOldNames(t *testing.T) {
	for name, connect := range map[string]func(*testing.T, string) (reception.Client, error){
		"DialConsul": func(t *testing.T, _ string) (reception.Client, error) {
			t.Helper()
			return backends.DialConsul(t.Context(), containers.SharedConsul(t).Endpoints()[0], backends.WithCheckInterval(time.Second))
		},
		"NewConsulClient": func(t *testing.T, _ string) (reception.Client, error) {
			t.Helper()
			client, err := api.NewClient(&api.Config{Address: containers.SharedConsul(t).Endpoints()[0]})
			if err != nil {
				t.Fatal(err)
			}
			return backends.NewConsulClient(client)
		},
		"DialEtcd": func(t *testing.T, prefix string) (reception.Client, error) {
			t.Helper()
			return backends.DialEtcd(t.Context(), containers.SharedEtcd(t).Endpoints()[0], backends.WithEtcdPrefix(prefix))
		},
		"NewEtcdClient": func(t *testing.T, prefix string) (reception.Client, error) {
			t.Helper()
			client, err := clientv3.New(clientv3.Config{Endpoints: containers.SharedEtcd(t).Endpoints()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = client.Close() })
			return backends.NewEtcdClient(client, backends.WithEtcdPrefix(prefix), backends.WithTTL(5*time.Second))
		},
		"DialZk": func(t *testing.T, prefix string) (reception.Client, error) {
			t.Helper()
			return backends.DialZk(t.Context(), containers.SharedZooKeeper(t).Endpoints()[0], backends.WithZkPrefix(prefix))
		},
		"NewZkClient": func(t *testing.T, prefix string) (reception.Client, error) {
			t.Helper()
			conn, events, err := zk.Connect(containers.SharedZooKeeper(t).Endpoints(), 5*time.Second, zk.WithLogInfo(false))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(conn.Close)
			return backends.NewZkClient(conn, events, backends.WithZkPrefix(prefix))
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := connect(t, "/old-names-"+uuid.NewString())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			service, err := reception.MakeService("old-names-"+uuid.NewString(), "127.0.0.1", 8080, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := client.Register(t.Context(), service, nil); err != nil {
				t.Fatal(err)
			}
			found, err := client.ListServices(t.Context(), service.Name)
			if err != nil || len(found) != 1 || found[0].ID != service.ID {
				t.Errorf("ListServices = %v, %v, want the service", found, err)
			}
		})
	}
}
