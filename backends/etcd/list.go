package etcd

import (
	"bytes"
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/go-reception/sdk/reception/driver"
)

// ListServices implements [driver.Backend].
func (b *backend) ListServices(
	ctx context.Context, in *driver.ListServicesRequest,
) (*driver.ListServicesResponse, error) {
	found, err := b.list(ctx, b.keys.service(in.Name))
	if err != nil {
		return nil, err
	}
	return &driver.ListServicesResponse{
		Instances: b.decodeInstances(found.Kvs), Revision: uint64(found.Header.Revision),
	}, nil
}

// decodeAtOnce is how many instances are read on one goroutine at the least: a goroutine costs as much as a few of them.
const decodeAtOnce = 128

// decodeInstances reads instances, on all cores where there are many. What cannot be read it logs, and leaves out.
func (b *backend) decodeInstances(kvs []*mvccpb.KeyValue) []*driver.Instance {
	instances, errs := make([]driver.Instance, len(kvs)), make([]error, len(kvs))
	var reading sync.WaitGroup
	share := max(decodeAtOnce, len(kvs)/runtime.GOMAXPROCS(0)+1)
	for first := 0; first < len(kvs); first += share {
		read := func() {
			for i := first; i < min(first+share, len(kvs)); i++ {
				instances[i], errs[i] = b.keys.decodeInstance(kvs[i])
			}
		}
		if first+share < len(kvs) {
			reading.Go(read)
		} else {
			read() // the last ones here
		}
	}
	reading.Wait()
	list := make([]*driver.Instance, 0, len(kvs))
	for i := range instances {
		if errs[i] == nil {
			list = append(list, &instances[i])
		} else {
			b.skip(kvs[i], errs[i])
		}
	}
	return list
}

// ListNames implements [driver.Backend].
func (b *backend) ListNames(ctx context.Context, _ *driver.ListNamesRequest) (*driver.ListNamesResponse, error) {
	found, err := b.get(ctx, b.keys.services, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return nil, err
	}
	var names []string
	for _, kv := range found.Kvs {
		name, _, err := b.keys.parseInstance(string(kv.Key))
		if err == nil && (len(names) == 0 || names[len(names)-1] != name) {
			names = append(names, name) // those of a name come together, because keys come sorted
		}
	}
	slices.Sort(names) // the order of "a-b/" and "a/" is not that of "a-b" and "a"
	return &driver.ListNamesResponse{Names: names}, nil
}

// list reads all keys that begin with prefix, in the order of their creation.
func (b *backend) list(ctx context.Context, prefix string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	found, err := b.get(ctx, prefix, append(opts, clientv3.WithPrefix())...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found.Kvs, byCreation)
	return found, nil
}

// byCreation orders keys by their creation. Those of one transaction have the same revision.
func byCreation(a, b *mvccpb.KeyValue) int {
	if order := cmp.Compare(a.CreateRevision, b.CreateRevision); order != 0 {
		return order
	}
	return bytes.Compare(a.Key, b.Key)
}

// get reads keys, as of now: a majority of the servers has confirmed that it is now.
func (b *backend) get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	var found *clientv3.GetResponse
	err := b.read(ctx, func(ctx context.Context) (err error) {
		found, err = b.kv.Get(ctx, key, opts...)
		return err
	})
	return found, err
}
