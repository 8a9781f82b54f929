package chaos

import (
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"
)

// A history of the lead is linearizable if each of its operations can be given one moment between its beginning and its
// end, so that the lead is like a thing of which there is one: who takes it gets it from nobody, under a token greater
// than any before; who asks whether he has it is told the truth; and it is given back, or lost, before the next one
// takes it.

// A step is one operation on the lead or the counter.
type step struct {
	kind  stepKind
	term  int // which one: after a wipe there are tokens that were there before
	token uint64
	value int
	life  int
	ok    bool
}

type stepKind string

const (
	stepTake  stepKind = "take"
	stepAsk   stepKind = "ask"
	stepEnd   stepKind = "end"
	stepClaim stepKind = "claim"
	stepWrite stepKind = "write"
	stepRenew stepKind = "new life" // the data was wiped, or the fence reset
)

// thinkTime is how long the search for an order may take. It takes milliseconds.
const thinkTime = 30 * time.Second

// checkLinearizable looks for an order that explains the lead, and one that explains the counter.
func (s *story) checkLinearizable() {
	lead := s.leadSteps()
	s.Steps = len(lead)
	for _, search := range []struct {
		what  string
		model porcupine.Model
		steps []porcupine.Operation
	}{{"the lead", leadModel(), lead}, {"the counter", counterModel(), s.counterSteps()}} {
		switch porcupine.CheckOperationsTimeout(search.model, search.steps, thinkTime) {
		case porcupine.Ok:
		case porcupine.Illegal:
			s.found(RuleLinearizable, "no order of %d operations explains %s", len(search.steps), search.what)
		default:
			s.found(RuleLinearizable, "no order was found for %d operations of %s in %v", len(search.steps), search.what, thinkTime)
		}
	}
}

// leadSteps are the operations on the lead. What an administrator has ended is over from that moment on.
func (s *story) leadSteps() (steps []porcupine.Operation) {
	forever := int64(1) << 62
	add := func(from, to int64, in step) {
		steps = append(steps, porcupine.Operation{ClientId: len(steps), Input: in, Call: from, Return: to})
	}
	for i, t := range s.terms {
		limit := forever
		if t.excuse != nil {
			limit = t.excuse.From
		}
		if limit < t.won.To {
			continue // it was over before it was won
		}
		term := i + 1
		add(t.won.From, t.won.To, step{kind: stepTake, term: term, token: t.won.Token})
		last := t.won.From
		for _, e := range t.held {
			if e.From < limit {
				add(e.From, e.To, step{kind: stepAsk, term: term, ok: e.OK})
			}
			if e.OK && e.From < limit {
				last = max(last, e.From)
			}
		}
		if t.end != nil {
			add(last, max(t.end.To, last+1), step{kind: stepEnd, term: term})
		} else if limit < forever {
			add(last, forever, step{kind: stepEnd, term: term})
		}
	}
	for _, wipe := range s.wipes() {
		add(wipe.From, s.orderAt(wipe.Ended+s.Header.Timing.TTL+s.Header.Timing.Late), step{kind: stepRenew})
	}
	return steps
}

// orderAt returns the order that events have reached at a time.
func (s *story) orderAt(at time.Duration) int64 {
	for i := range s.Events {
		if e := &s.Events[i]; e.Ended >= at {
			return e.To
		}
	}
	return int64(1) << 62
}

// counterSteps are the operations on the counter.
func (s *story) counterSteps() (steps []porcupine.Operation) {
	kinds := map[Op]stepKind{opClaim: stepClaim, opAdd: stepWrite, opNewLife: stepRenew}
	for i := range s.Events {
		e := &s.Events[i]
		if kind, is := kinds[e.Op]; is {
			in := step{kind: kind, token: e.Token, value: e.Value, life: e.Life, ok: e.OK}
			steps = append(steps, porcupine.Operation{ClientId: len(steps), Input: in, Call: e.From, Return: e.To})
		}
	}
	return steps
}

// A leadState is which term has the lead, 0 for none, and the greatest token.
type leadState struct {
	holder int
	newest uint64
}

func leadModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return leadState{} },
		Step: func(state, input, _ any) (bool, any) {
			s, in, ok := leadArgs(state, input)
			if !ok {
				return false, state
			}
			switch in.kind {
			case stepTake:
				return s.holder == 0 && in.token > s.newest, leadState{holder: in.term, newest: in.token}
			case stepEnd:
				return s.holder == in.term, leadState{newest: s.newest}
			case stepRenew:
				return true, leadState{holder: s.holder}
			default:
				return in.ok == (s.holder == in.term), s
			}
		},
		DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
	}
}

func leadArgs(state, input any) (s leadState, in step, ok bool) {
	s, isState := state.(leadState)
	in, isStep := input.(step)
	return s, in, isState && isStep
}

// A counterState is what the counter and its fence hold.
type counterState struct {
	newest uint64
	value  int
	life   int
}

func counterModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return counterState{} },
		Step: func(state, input, _ any) (bool, any) {
			s, isState := state.(counterState)
			in, isStep := input.(step)
			if !isState || !isStep {
				return false, state
			}
			admitted := counterState{newest: in.token, value: s.value, life: s.life}
			switch {
			case in.kind == stepRenew:
				return in.life == s.life+1, counterState{value: s.value, life: in.life}
			case in.kind == stepClaim && in.ok:
				return in.token >= s.newest && in.value == s.value && in.life == s.life, admitted
			case in.kind == stepClaim:
				return in.token < s.newest, s
			case in.ok:
				admitted.value = in.value
				return in.token >= s.newest && in.life == s.life && in.value == s.value+1, admitted
			default:
				return in.token < s.newest || in.life != s.life, s
			}
		},
		DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
	}
}
