package consul

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

// TestLockDelayIsOutwaited has a candidate see its lock be freed by the end of the holder's session: it tries at once, and
// again when the delay is over, and asks for nothing in between.
func TestLockDelayIsOutwaited(t *testing.T) {
	s := newStandIn(t)
	free := make(chan struct{})
	s.script("/v1/kv/reception/elections/e", func(w http.ResponseWriter, r *http.Request) {
		pair := api.KVPair{Key: "reception/elections/e", ModifyIndex: 7, Session: "other"}
		if waitIndex(r) > 0 {
			select {
			case <-free:
			case <-r.Context().Done():
				return
			}
		}
		select {
		case <-free:
			pair.ModifyIndex, pair.Session = 8, ""
		default:
		}
		answer(w, pair.ModifyIndex, []api.KVPair{pair})
	})
	var over atomic.Bool
	s.script("/v1/txn", func(w http.ResponseWriter, _ *http.Request) {
		if !over.Load() {
			w.WriteHeader(http.StatusConflict)
			_ = json.NewEncoder(w).Encode(api.TxnResponse{Errors: api.TxnErrors{{What: "due to lock delay"}}})
			return
		}
		_ = json.NewEncoder(w).Encode(api.TxnResponse{Results: api.TxnResults{{KV: &api.KVPair{ModifyIndex: 9}}}})
	})
	b := s.backend(t, WithLockDelay(time.Second)).(*backend)
	made := &session{id: "me", lock: "mine", seats: make(map[string]*seat)}
	made.life, made.end = context.WithCancel(t.Context())
	defer made.end()
	seat, err := made.sit("e", nil)
	if err != nil {
		t.Fatal(err)
	}
	b.sessions.add(made)
	turn := make(chan *driver.AwaitTurnResponse, 1)
	go func() {
		won, err := b.AwaitTurn(t.Context(), &driver.AwaitTurnRequest{Session: made.id, Election: seat.election})
		if err != nil {
			t.Error(err)
		}
		turn <- won
	}()
	eventually(t, "the candidate waits for the lock", func() bool { return s.count("/v1/kv/reception/elections/e") > 1 })
	freed := time.Now()
	close(free)
	eventually(t, "the candidate tries", func() bool { return s.count("/v1/txn") == 1 })
	over.Store(true)
	if won := <-turn; won == nil || won.Token != 9 {
		t.Fatalf("the turn is %v", won)
	}
	if waited, tries := time.Since(freed), s.count("/v1/txn"); waited < time.Second || tries != 2 {
		t.Errorf("%d attempts within %v, want 2 and no less than the delay between them", tries, waited)
	}
}
