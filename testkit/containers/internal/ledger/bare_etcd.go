package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
)

// bareEtcd is a party with the vendor's client.
type bareEtcd struct {
	client *clientv3.Client
	ttl    int64 // in seconds
	life   context.Context
	end    context.CancelFunc

	mu    sync.Mutex
	lease clientv3.LeaseID // 0 before the first registration
}

func connectEtcd(ctx context.Context, way Way) (*bareEtcd, error) {
	client, err := openEtcd(ctx, way.Addr)
	if err != nil {
		return nil, err
	}
	p := &bareEtcd{client: client, ttl: int64(way.TTL / time.Second)}
	p.life, p.end = context.WithCancel(context.WithoutCancel(ctx))
	return p, nil
}

// leased returns the lease that everything is registered on.
func (p *bareEtcd) leased(ctx context.Context) (clientv3.LeaseID, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lease != 0 {
		return p.lease, nil
	}
	granted, err := p.client.Grant(ctx, p.ttl)
	if err != nil {
		return 0, err
	}
	kept, err := p.client.KeepAlive(p.life, granted.ID)
	if err != nil {
		return 0, err
	}
	go func() {
		for range kept { // which has to be read
		}
	}()
	p.lease = granted.ID
	return p.lease, nil
}

func (p *bareEtcd) Register(ctx context.Context, name, id string) error {
	lease, err := p.leased(ctx)
	if err == nil {
		_, err = p.client.Put(ctx, etcdKey(name, id), etcdValue, clientv3.WithLease(lease))
	}
	return err
}

func (p *bareEtcd) Deregister(ctx context.Context, name, id string) error {
	_, err := p.client.Delete(ctx, etcdKey(name, id))
	return err
}

func (p *bareEtcd) List(ctx context.Context, name string) (int, error) {
	found, err := p.client.Get(ctx, etcdKey(name, ""), clientv3.WithPrefix())
	if err != nil {
		return 0, err
	}
	return len(found.Kvs), nil
}

func (p *bareEtcd) Watch(ctx context.Context, name string) (Watch, error) {
	return &bareEtcdWatch{client: p.client, prefix: etcdKey(name, ""), life: ctx}, nil
}

func (p *bareEtcd) Close() error {
	p.end()
	var err error
	if p.lease != 0 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(p.ttl)*time.Second)
		defer cancel()
		_, err = p.client.Revoke(ctx, p.lease)
	}
	return errors.Join(err, p.client.Close())
}

// bareEtcdWatch keeps a map up to date with the events of a watch.
type bareEtcdWatch struct {
	client *clientv3.Client
	prefix string
	life   context.Context

	changes clientv3.WatchChan // nil before the first list
	values  map[string][]byte
}

func (w *bareEtcdWatch) Next(ctx context.Context) (int, error) {
	if w.changes == nil {
		return w.list(ctx)
	}
	select {
	case response, open := <-w.changes:
		if err := response.Err(); err != nil || !open {
			return 0, fmt.Errorf("the watch has ended: %w", errors.Join(err, ctx.Err()))
		}
		for _, event := range response.Events {
			if event.Type == clientv3.EventTypeDelete {
				delete(w.values, string(event.Kv.Key))
			} else {
				w.values[string(event.Kv.Key)] = event.Kv.Value
			}
		}
		return len(w.values), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// list reads what there is, and starts the watch after it.
func (w *bareEtcdWatch) list(ctx context.Context) (int, error) {
	found, err := w.client.Get(ctx, w.prefix, clientv3.WithPrefix())
	if err != nil {
		return 0, err
	}
	w.values = make(map[string][]byte, len(found.Kvs))
	for _, kv := range found.Kvs {
		w.values[string(kv.Key)] = kv.Value
	}
	w.changes = w.client.Watch(w.life, w.prefix, clientv3.WithPrefix(), clientv3.WithRev(found.Header.Revision+1))
	return len(w.values), nil
}

// Campaign uses the vendor's election.
func (p *bareEtcd) Campaign(ctx context.Context, election, id string) (Term, error) {
	session, err := concurrency.NewSession(p.client, concurrency.WithTTL(int(p.ttl)))
	if err != nil {
		return nil, err
	}
	e := concurrency.NewElection(session, "/bare/"+election)
	if err := e.Campaign(ctx, id); err != nil {
		return nil, errors.Join(err, session.Close())
	}
	return bareEtcdTerm{e, session}, nil
}

// bareEtcdTerm is a lead in the vendor's election.
type bareEtcdTerm struct {
	election *concurrency.Election
	session  *concurrency.Session
}

func (t bareEtcdTerm) Resign(ctx context.Context) error {
	return errors.Join(t.election.Resign(ctx), t.session.Close())
}
