package etcd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/go-reception/sdk/reception/driver"
)

// A ledger is a server that carries out transactions, and counts them.
type ledger struct {
	gate   chan struct{} // closed when the first transaction may be answered
	most   int           // how many operations a transaction may have
	mu     sync.Mutex
	keys   map[string]*mvccpb.KeyValue
	sizes  []int // of the transactions, as they came
	leases map[int64]bool
	barred string // a part of keys that may not be written; empty for none
	once   sync.Once
	came   chan struct{} // closed when the first transaction has come
}

func newLedger(most int) *ledger {
	return &ledger{
		gate: make(chan struct{}), came: make(chan struct{}), most: most,
		keys: map[string]*mvccpb.KeyValue{}, leases: map[int64]bool{1: true},
	}
}

func (l *ledger) txn(_ context.Context, in *pb.TxnRequest) (*pb.TxnResponse, error) {
	l.once.Do(func() { close(l.came) })
	<-l.gate
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sizes = append(l.sizes, len(in.GetSuccess()))
	if len(in.GetSuccess()) > l.most {
		return nil, rpctypes.ErrGRPCTooManyOps
	}
	if !l.live(in) {
		return nil, rpctypes.ErrGRPCLeaseNotFound
	}
	if l.barred != "" && l.writes(in, l.barred) {
		return nil, rpctypes.ErrGRPCPermissionDenied
	}
	out := l.apply(in)
	out.Header = &pb.ResponseHeader{Revision: 7}
	return out, nil
}

// live says whether all leases that are written to are there.
func (l *ledger) live(in *pb.TxnRequest) bool {
	for _, op := range in.GetSuccess() {
		if inner := op.GetRequestTxn(); inner != nil && !l.live(inner) {
			return false
		}
		if put := op.GetRequestPut(); put != nil && !l.leases[put.GetLease()] {
			return false
		}
	}
	return true
}

// writes says whether a transaction writes a key with that part.
func (l *ledger) writes(in *pb.TxnRequest, part string) bool {
	return slices.ContainsFunc(in.GetSuccess(), func(op *pb.RequestOp) bool {
		inner := op.GetRequestTxn()
		return inner != nil && l.writes(inner, part) || strings.Contains(string(op.GetRequestPut().GetKey()), part)
	})
}

func (l *ledger) apply(in *pb.TxnRequest) *pb.TxnResponse {
	out := &pb.TxnResponse{Succeeded: true}
	for _, compare := range in.GetCompare() {
		out.Succeeded = l.keys[string(compare.GetKey())].GetModRevision() == compare.GetModRevision()
	}
	ops := in.GetSuccess()
	if !out.GetSucceeded() {
		ops = in.GetFailure()
	}
	for _, op := range ops {
		response := &pb.ResponseOp{}
		switch {
		case op.GetRequestTxn() != nil:
			response.Response = &pb.ResponseOp_ResponseTxn{ResponseTxn: l.apply(op.GetRequestTxn())}
		case op.GetRequestPut() != nil:
			put := op.GetRequestPut()
			l.keys[string(put.GetKey())] = &mvccpb.KeyValue{Key: put.GetKey(), Value: put.GetValue(), ModRevision: 7}
			response.Response = &pb.ResponseOp_ResponsePut{ResponsePut: &pb.PutResponse{}}
		default:
			found := &pb.RangeResponse{}
			if kv := l.keys[string(op.GetRequestRange().GetKey())]; kv != nil {
				found.Kvs = []*mvccpb.KeyValue{kv}
			}
			response.Response = &pb.ResponseOp_ResponseRange{ResponseRange: found}
		}
		out.Responses = append(out.GetResponses(), response)
	}
	return out
}

// restoring is what restores have come to.
type restoring struct {
	t    *testing.T
	b    *backend
	l    *ledger
	all  sync.WaitGroup
	mu   sync.Mutex
	errs map[string]error
}

// restores begins one restore, which the server keeps waiting, and others behind it.
func restores(t *testing.T, l *ledger) *restoring {
	t.Helper()
	r := &restoring{t: t, l: l, errs: map[string]error{}}
	r.b = serve(t, &stub{txn: l.txn}).backend(t, WithOperationTimeout(100*brief))
	r.restore(t.Context(), "first", 1)
	<-l.came
	return r
}

// restore restores an instance in the background.
func (r *restoring) restore(ctx context.Context, id string, lease int) {
	r.all.Go(func() {
		_, err := r.b.Restore(ctx, &driver.RestoreRequest{
			Session: sessionOf(int64(lease)),
			Instance: driver.Instance{
				Service: driver.Service{Name: "api", ID: id, Address: "10.0.0.1"}, Owner: "me", Generation: 1,
			},
		})
		r.mu.Lock()
		defer r.mu.Unlock()
		r.errs[id] = err
	})
}

// queued waits until so many restores are waiting for the first one.
func (r *restoring) queued(n int) {
	r.t.Helper()
	for {
		r.b.together.mu.Lock()
		waiting := len(r.b.together.waiting)
		r.b.together.mu.Unlock()
		if waiting == n {
			return
		}
		if r.t.Context().Err() != nil {
			r.t.Fatal("not all are queued")
		}
	}
}

// go lets the server answer, and waits for all.
func (r *restoring) finish() {
	r.t.Helper()
	close(r.l.gate)
	r.all.Wait()
}

// TestRestoresGoTogether has many records come back at once, of which somebody else holds some: they share few requests,
// and each has its own outcome.
func TestRestoresGoTogether(t *testing.T) {
	t.Parallel()
	l := newLedger(batchLimit)
	const n = 250
	for i := range n {
		if i%10 == 0 {
			key := fmt.Sprintf("%s/services/api/%d", DefaultPrefix, i)
			l.keys[key] = &mvccpb.KeyValue{
				Key: []byte(key), Value: []byte(`{"version":1,"owner":"you","generation":1,"address":"10.0.0.2"}`), ModRevision: 5,
			}
		}
	}
	r := restores(t, l)
	for i := range n {
		r.restore(t.Context(), fmt.Sprint(i), 1)
	}
	r.queued(n)
	r.finish()
	for i := range n {
		err := r.errs[fmt.Sprint(i)]
		if foreign := i%10 == 0; errors.Is(err, driver.ErrReplaced) != foreign || !foreign && err != nil {
			t.Errorf("record %d: %v", i, err)
		}
	}
	if got := fmt.Sprint(l.sizes); got != "[1 100 100 50]" {
		t.Errorf("the transactions have %s changes", got)
	}
}

// TestRestoresOfTwoLeases has the one lease be gone: records of the other one are stored all the same.
func TestRestoresOfTwoLeases(t *testing.T) {
	t.Parallel()
	r := restores(t, newLedger(batchLimit))
	for i := range 20 {
		r.restore(t.Context(), fmt.Sprint(i), 1+i%2)
	}
	r.queued(20)
	r.finish()
	for i := range 20 {
		if err := r.errs[fmt.Sprint(i)]; errors.Is(err, driver.ErrSessionExpired) != (i%2 == 1) || i%2 == 0 && err != nil {
			t.Errorf("record %d: %v", i, err)
		}
	}
}

// TestRestoresOfBarredKey has the client not be allowed to write one of the records any more: the others, which are
// refused together with it, are stored all the same.
func TestRestoresOfBarredKey(t *testing.T) {
	t.Parallel()
	l := newLedger(batchLimit)
	l.barred = "/services/api/7"
	r := restores(t, l)
	for i := range 10 {
		r.restore(t.Context(), fmt.Sprint(i), 1)
	}
	r.queued(10)
	r.finish()
	for i := range 10 {
		if err := r.errs[fmt.Sprint(i)]; errors.Is(err, driver.ErrPermission) != (i == 7) || i != 7 && err != nil {
			t.Errorf("record %d: %v", i, err)
		}
	}
}

// TestRestoresOfStrictServer has a server take one change at a time.
func TestRestoresOfStrictServer(t *testing.T) {
	t.Parallel()
	r := restores(t, newLedger(1))
	for i := range 20 {
		r.restore(t.Context(), fmt.Sprint(i), 1)
	}
	r.queued(20)
	r.finish()
	for id, err := range r.errs {
		if err != nil {
			t.Errorf("record %s: %v", id, err)
		}
	}
	if got := len(r.l.sizes); got != 1+1+20 {
		t.Errorf("%d transactions, want one for the first, one for all, and one for each", got)
	}
}

// TestRestoresOfOneKey has two restores of one record wait: a transaction takes only one of them.
func TestRestoresOfOneKey(t *testing.T) {
	t.Parallel()
	r := restores(t, newLedger(batchLimit))
	r.restore(t.Context(), "same", 1)
	r.restore(t.Context(), "same", 1)
	r.queued(2)
	r.finish()
	if err := r.errs["same"]; err != nil {
		t.Error(err)
	}
}

// TestRestoreIsGivenUp has contexts end before the record is sent, and after.
func TestRestoreIsGivenUp(t *testing.T) {
	t.Parallel()
	l := newLedger(batchLimit)
	ctx, cancel := context.WithCancel(t.Context())
	r := &restoring{t: t, l: l, errs: map[string]error{}}
	r.b = serve(t, &stub{txn: l.txn}).backend(t, WithOperationTimeout(100*brief))
	r.restore(ctx, "sent", 1)
	<-l.came
	r.restore(ctx, "waiting", 1)
	r.queued(1)
	cancel()
	r.all.Wait()
	if err := r.errs["sent"]; !errors.Is(err, driver.ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("what was sent: %v", err)
	}
	if err := r.errs["waiting"]; !errors.Is(err, context.Canceled) || errors.Is(err, driver.ErrOutcomeUnknown) {
		t.Errorf("what was not sent: %v", err)
	}
	r.finish()
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range l.keys {
		if strings.HasSuffix(key, "/waiting") {
			t.Error("what was given up was stored")
		}
	}
}

// TestRestoreOfClosed has the backend be closed while records wait.
func TestRestoreOfClosed(t *testing.T) {
	t.Parallel()
	l := newLedger(batchLimit)
	r := restores(t, l)
	r.restore(t.Context(), "waiting", 1)
	r.queued(1)
	if err := r.b.Close(); err != nil {
		t.Error(err)
	}
	r.all.Wait()
	for id, err := range r.errs {
		if !errors.Is(err, driver.ErrClosed) {
			t.Errorf("%s: %v", id, err)
		}
	}
	r.restore(t.Context(), "late", 1)
	r.finish()
	if err := r.errs["late"]; !errors.Is(err, driver.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
