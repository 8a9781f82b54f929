package chaos

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/go-reception/sdk/testkit/conformance"
)

// A History is all that a run was and saw. It can be saved and checked again.
type History struct {
	Header Header
	Events []Event
}

// A Header says what was played.
type Header struct {
	Backend  string             `json:"backend"`
	Timing   conformance.Timing `json:"timing"`
	Plan     Plan               `json:"plan"`
	Schedule []Step             `json:"schedule"`
}

// An Event is something that was done or seen. From and To order all events of a run: it happened between these two.
// Began and Ended are the same by the clock, since the beginning of the run.
type Event struct {
	Op        Op            `json:"op"`
	Process   string        `json:"process"` // with the number of its life: "p1.2" is the second life of process 1
	From      int64         `json:"from"`
	To        int64         `json:"to"`
	Began     time.Duration `json:"began"`
	Ended     time.Duration `json:"ended"`
	Name      string        `json:"name,omitempty"`      // the instance's ID, the election, or the fault
	Version   string        `json:"version,omitempty"`   // what of the instance was registered
	Term      int           `json:"term,omitempty"`      // which one of the run
	Token     uint64        `json:"token,omitempty"`     // of the term
	Value     int           `json:"value,omitempty"`     // of the counter
	Life      int           `json:"life,omitempty"`      // of the counter
	OK        bool          `json:"ok,omitempty"`        // whether the term is held, or the fence has let the write pass
	Instances []string      `json:"instances,omitempty"` // what was seen, as "id=version", oldest first
	Excuse    Excuse        `json:"excuse,omitempty"`
	Victim    string        `json:"victim,omitempty"` // whom a fault strikes
	Err       string        `json:"err,omitempty"`
}

// An Op is a kind of event.
type Op string

// The kinds of events.
const (
	opRegister   Op = "register"
	opDeregister Op = "deregister"
	opDoubt      Op = "doubt"    // the owner is told that a registration is in question or lost, or that its session lapsed
	opCertain    Op = "certain"  // a registration, or with no name all of a process, is confirmed again after doubt
	opOpened     Op = "opened"   // a process has a new session, with nothing on it yet
	opList       Op = "list"     // a call of ListServices
	opState      Op = "state"    // a state of a watcher
	opCampaign   Op = "campaign" // won, with its token, or not
	opHeld       Op = "held"     // whether a term is held
	opOver       Op = "over"     // a term's context was seen to be done
	opResign     Op = "resign"
	opLeader     Op = "leader" // a state of a leader watcher; token 0 for nobody
	opClaim      Op = "claim"  // a leader's first act at the counter, which reads it
	opAdd        Op = "add"    // one more, on top of the value that was read; OK says whether the fence let it pass
	opNewLife    Op = "new life"
	opStrike     Op = "strike"
	opHeal       Op = "heal"
	opCalm       Op = "calm"    // all faults are over, and nobody registers or withdraws anything any more
	opSettled    Op = "settled" // the last list, leader and counter, by the observer
)

// recorder takes down a history.
type recorder struct {
	began time.Time

	mu     sync.Mutex
	order  int64
	events []Event
}

// begin begins an event.
func (r *recorder) begin(e Event) *Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.order++
	e.From, e.Began = r.order, time.Since(r.began)
	return &e
}

// end ends and keeps an event.
func (r *recorder) end(e *Event, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.order++
	e.To, e.Ended = r.order, time.Since(r.began)
	if err != nil {
		e.Err = err.Error()
	}
	r.events = append(r.events, *e)
}

// note keeps an event of one moment.
func (r *recorder) note(e Event, err error) { r.end(r.begin(e), err) }

// all returns the events, in the order in which they ended.
func (r *recorder) all() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events
}

// Write writes the history as lines of JSON: the header, then the events.
func (h *History) Write(w io.Writer) error {
	lines := json.NewEncoder(w)
	if err := lines.Encode(h.Header); err != nil {
		return err
	}
	for i := range h.Events {
		if err := lines.Encode(&h.Events[i]); err != nil {
			return err
		}
	}
	return nil
}

// Save writes the history to a file.
func (h *History) Save(path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	w := bufio.NewWriter(file)
	if err := h.Write(w); err != nil {
		return err
	}
	return w.Flush()
}

// Read reads what Write has written.
func Read(r io.Reader) (*History, error) {
	lines := json.NewDecoder(bufio.NewReader(r))
	h := &History{}
	if err := lines.Decode(&h.Header); err != nil {
		return nil, fmt.Errorf("the header of the history: %w", err)
	}
	for {
		var e Event
		err := lines.Decode(&e)
		if errors.Is(err, io.EOF) {
			return h, nil
		}
		if err != nil {
			return nil, fmt.Errorf("event %d of the history: %w", len(h.Events)+1, err)
		}
		h.Events = append(h.Events, e)
	}
}

// Load reads a file that Save has written.
func Load(path string) (*History, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	h, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}
