package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/go-reception/sdk/reception/driver"
)

const instancesOfAPI = "/v1/health/service/api"

// A heldAnswer is a question that the stand-in has got and has not answered yet.
type heldAnswer struct {
	filter string
	index  uint64
	answer chan answered
	gone   <-chan struct{} // whoever asked has hung up
}

type answered struct {
	index   uint64
	entries []*api.ServiceEntry
}

// held has the stand-in hold what it is asked for instances until the test answers.
func held(s *standIn) <-chan *heldAnswer {
	questions := make(chan *heldAnswer, 100)
	s.script(instancesOfAPI, func(w http.ResponseWriter, r *http.Request) {
		q := &heldAnswer{
			filter: r.URL.Query().Get("filter"), index: waitIndex(r), answer: make(chan answered, 1), gone: r.Context().Done(),
		}
		questions <- q
		select {
		case a := <-q.answer:
			answer(w, a.index, a.entries)
		case <-q.gone:
		}
	})
	return questions
}

// A lookout is one that looks for an instance in the background.
type lookout struct {
	id   string
	end  context.CancelFunc
	done chan struct{}
	n    int // of the records that were found
	next uint64
	err  error
}

func look(t *testing.T, b *backend, id string, index uint64) *lookout {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &lookout{id: id, end: cancel, done: make(chan struct{})}
	t.Cleanup(cancel)
	waits, asks := searchers(b)
	go func() {
		defer close(l.done)
		var found []*record
		found, l.next, l.err = b.find(ctx, "api", id, index)
		l.n = len(found)
	}()
	eventually(t, id+" is looked for", func() bool {
		select {
		case <-l.done: // already
			return true
		default:
		}
		w, a := searchers(b)
		return w+a > waits+asks
	})
	return l
}

// searchers is how many wait for news, and how many do not.
func searchers(b *backend) (waits, asks int) {
	b.parties.mu.Lock()
	defer b.parties.mu.Unlock()
	for key, p := range b.parties.of {
		if key.waits {
			waits += len(p.asked) + len(p.later)
		} else {
			asks += len(p.asked) + len(p.later)
		}
	}
	return waits, asks
}

// found fails the test unless the one that was looked for was found at index, or not, as n says.
func (l *lookout) found(t *testing.T, n int, index uint64) {
	t.Helper()
	<-l.done
	if l.n != n || l.next != index || l.err != nil {
		t.Errorf("%s: %d found, at %d, %v; want %d, at %d", l.id, l.n, l.next, l.err, n, index)
	}
}

// entries are instances as Consul shows them.
func entriesOf(ids ...string) (entries []*api.ServiceEntry) {
	for _, id := range ids {
		entries = append(entries, entry(id, 5))
	}
	return entries
}

// TestFindTogether has many look for instances while one question is under way: they are all asked for by the next one.
func TestFindTogether(t *testing.T) {
	s := newStandIn(t)
	questions, b := held(s), s.backend(t, WithOperationTimeout(time.Minute)).(*backend)
	first := look(t, b, "1", 0)
	question := <-questions
	var others []*lookout
	for i := range 20 {
		others = append(others, look(t, b, fmt.Sprintf("a.%d", i), 0))
	}
	same := look(t, b, "a.7", 0)
	question.answer <- answered{7, entriesOf("1")}
	first.found(t, 1, 7)
	question = <-questions
	question.answer <- answered{8, append(entriesOf("a.3", "a.7"), entryOfAnotherTool("a.5"))}
	for i, l := range others {
		n := 0
		if i == 3 || i == 7 {
			n = 1
		}
		l.found(t, n, 8)
	}
	same.found(t, 1, 8)
	if n := s.count(instancesOfAPI); n != 2 {
		t.Errorf("the servers were asked %d times", n)
	}
	if !strings.Contains(question.filter, `a\\.7|`) || strings.Count(question.filter, "a\\\\.7|") != 1 {
		t.Errorf("the second question was %s", question.filter)
	}
}

// entryOfAnotherTool is a service with metadata that look like ours.
func entryOfAnotherTool(id string) *api.ServiceEntry {
	return &api.ServiceEntry{
		Node:    &api.Node{Node: "n0", Address: "10.0.0.1"},
		Service: &api.AgentService{ID: "theirs", Service: "api", Meta: map[string]string{metaID: id}},
	}
}

// TestFindWaitsTogether has several wait for news. Who comes while a question is under way, and has seen as much as those
// who are asking, is answered with the next change, although the question is not about it; and nobody misses one.
func TestFindWaitsTogether(t *testing.T) {
	s := newStandIn(t)
	questions, b := held(s), s.backend(t, WithOperationTimeout(time.Minute)).(*backend)
	first := look(t, b, "1", 7)
	question := <-questions
	second, third := look(t, b, "2", 7), look(t, b, "3", 8)
	question.answer <- answered{9, nil}
	first.found(t, 0, 9)
	question = <-questions
	if question.index != 7 {
		t.Errorf("asked with index %d", question.index)
	}
	question.answer <- answered{9, entriesOf("2")}
	second.found(t, 1, 9)
	third.found(t, 0, 9)
}

// TestFindMissesNothing has somebody wait for news that those who are asking have seen already: it asks at once, because
// there may never be more.
func TestFindMissesNothing(t *testing.T) {
	s := newStandIn(t)
	questions, b := held(s), s.backend(t, WithOperationTimeout(time.Minute)).(*backend)
	late := look(t, b, "1", 9)
	waiting := <-questions
	early := look(t, b, "2", 8)
	question := <-questions
	if question.index != 0 {
		t.Errorf("asked with index %d", question.index)
	}
	question.answer <- answered{9, entriesOf("2")}
	early.found(t, 1, 9)
	waiting.answer <- answered{10, nil}
	late.found(t, 0, 10)
}

// TestFindIsGivenUp has those leave who are looking. The question ends with the last of them, and only then.
func TestFindIsGivenUp(t *testing.T) {
	s := newStandIn(t)
	questions, b := held(s), s.backend(t, WithOperationTimeout(time.Minute)).(*backend)
	one := look(t, b, "1", 0)
	question := <-questions
	two := look(t, b, "2", 0)
	one.end()
	<-one.done
	select {
	case <-question.gone:
		t.Error("the question has ended, and somebody waits for its end")
	default:
	}
	two.end()
	<-two.done
	<-question.gone
	if !errors.Is(one.err, context.Canceled) || !errors.Is(two.err, context.Canceled) {
		t.Errorf("%v, %v", one.err, two.err)
	}
	again := look(t, b, "3", 0)
	question = <-questions
	question.answer <- answered{7, entriesOf("3")}
	again.found(t, 1, 7)
	eventually(t, "nobody is looking any more", func() bool {
		b.parties.mu.Lock()
		defer b.parties.mu.Unlock()
		return len(b.parties.of) == 0
	})
}

// TestFindOvertakes has somebody wait behind a question that nobody answers: it is asked for all the same, in time.
func TestFindOvertakes(t *testing.T) {
	for _, index := range []uint64{0, 7} {
		s := newStandIn(t)
		questions, b := held(s), s.backend(t, WithOperationTimeout(8*time.Second)).(*backend)
		stuck := look(t, b, "1", index)
		first := <-questions
		one, two := look(t, b, "2", index), look(t, b, "3", index)
		question := <-questions
		third := look(t, b, "4", index)
		question.answer <- answered{8, entriesOf("2", "3")}
		one.found(t, 1, 8)
		two.found(t, 1, 8)
		(<-questions).answer <- answered{9, entriesOf("4")}
		third.found(t, 1, 9)
		first.answer <- answered{10, entriesOf("1")}
		stuck.found(t, 1, 10)
		if n := s.count(instancesOfAPI); n != 3 {
			t.Errorf("with index %d the servers were asked %d times", index, n)
		}
	}
}

// TestFindAfterANewBeginning has servers begin anew while somebody waits for what comes after their old history. Who
// comes then waits, too, instead of asking on and on.
func TestFindAfterANewBeginning(t *testing.T) {
	s := newStandIn(t)
	questions, b := held(s), s.backend(t, WithOperationTimeout(time.Minute)).(*backend)
	old := look(t, b, "1", 1000)
	first := <-questions
	early := look(t, b, "2", 5)
	question := <-questions
	if question.index != 0 {
		t.Errorf("asked with index %d", question.index)
	}
	question.answer <- answered{5, nil}
	early.found(t, 0, 5)
	again := look(t, b, "2", 5)
	if question = <-questions; question.index != 5 {
		t.Errorf("asked again with index %d", question.index)
	}
	question.answer <- answered{6, entriesOf("2")}
	again.found(t, 1, 6)
	first.answer <- answered{6, nil}
	old.found(t, 0, 0) // so that the next question is answered at once
}

// TestFindFails has a question fail, and nobody answer one in time.
func TestFindFails(t *testing.T) {
	s := newStandIn(t)
	b := s.backend(t).(*backend)
	s.script(instancesOfAPI, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	if _, _, err := b.find(t.Context(), "api", "1", 0); !errors.Is(err, driver.ErrPermission) {
		t.Errorf("%v, want that it is not permitted", err)
	}
	held(s)
	if _, _, err := b.find(t.Context(), "api", "1", 0); !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("%v, want that there is no answer", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := b.find(t.Context(), "api", "1", 0); !errors.Is(err, driver.ErrClosed) {
		t.Errorf("%v, want that the backend is closed", err)
	}
}

// TestFindAtRandom has many look for instances of a service that changes all the time. Nobody may be told that an
// instance is missing by an answer that is newer than the instance, and everybody who waits for it gets to see it.
func TestFindAtRandom(t *testing.T) {
	const instances = 60
	s := newStandIn(t)
	b := s.backend(t).(*backend)
	var mu sync.Mutex
	stored, changed := make(map[string]uint64), make(chan struct{})
	index := uint64(1)
	s.script(instancesOfAPI, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		for waitIndex(r) >= index {
			wait := changed
			mu.Unlock()
			select {
			case <-wait:
			case <-r.Context().Done():
				return
			}
			mu.Lock()
		}
		defer mu.Unlock()
		var entries []*api.ServiceEntry
		filter := r.URL.Query().Get("filter")
		for id, at := range stored {
			if strings.Contains(filter, `"`+id+`"`) || strings.Contains(filter, ":"+id+"|") ||
				strings.Contains(filter, "|"+id+"|") || strings.Contains(filter, "|"+id+")") {
				entries = append(entries, entry(id, at))
			}
		}
		answer(w, index, entries)
	})
	var all sync.WaitGroup
	for i := range instances {
		all.Go(func() {
			id := fmt.Sprintf("i%d", i)
			_, next, err := b.find(t.Context(), "api", id, 0)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			index++
			stored[id] = index
			close(changed)
			changed = make(chan struct{})
			mu.Unlock()
			for {
				found, now, err := b.find(t.Context(), "api", id, next)
				if err != nil {
					t.Errorf("%s, looked for after index %d: %v", id, next, err)
					return
				}
				mu.Lock()
				at := stored[id]
				mu.Unlock()
				if len(found) > 0 {
					return
				}
				if now >= at {
					t.Errorf("%s, stored at %d, is missing at %d", id, at, now)
					return
				}
				next = now
			}
		})
	}
	all.Wait()
	t.Logf("%d questions for %d instances", s.count(instancesOfAPI), instances)
}

// TestOnlyOf reads back which instances a filter is about.
func TestOnlyOf(t *testing.T) {
	if got := onlyOf([]string{"a"}); got != `Service.Meta["reception-id"] == "a"` {
		t.Error(got)
	}
	got := onlyOf([]string{"a.b", "c-1"})
	want := []string{`"reception-id" in Service.Meta`, `Service.Meta["reception-id"] matches "^(?:a\\.b|c-1)$"`}
	if !slices.Equal(strings.Split(got, " and "), want) {
		t.Error(got)
	}
}
