package chaos

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Report is what a check has found.
type Report struct {
	// Findings are the violations of the contract; none is what one wants.
	Findings []Finding
	// Faults is how many have struck, Terms how many were won, Reads how many lists and states were held against what was
	// registered.
	Faults, Terms, Reads int
	// Strikes is how many faults there were of each kind.
	Strikes map[string]int
	// Adds is how many additions the fence has let pass, Refused how many it has not.
	Adds, Refused int
	// Steps is the number of operations of the lead's history that was found linearizable.
	Steps int
	// Excused counts the windows in which two terms overlapped after an administrator's act.
	Excused int
	// Gap is the shortest time between the end of a term and the beginning of the next one, where neither was excused; 0 if
	// there was none.
	Gap time.Duration
	// Failovers are the times from a fault that struck a leader, and ended its term, to the next leader.
	Failovers []time.Duration
}

// A Finding is a violation of the contract.
type Finding struct {
	Rule string // what is violated
	Text string // how
}

// String says it in one line.
func (f Finding) String() string { return f.Rule + ": " + f.Text }

// The rules that histories are checked for.
const (
	RuleOverlap      = "two leaders"
	RuleTokens       = "tokens do not grow"
	RuleLinearizable = "the lead is not linearizable"
	RuleCounter      = "an addition is lost"
	RuleRestored     = "a registration is missing at the end"
	RuleWithdrawn    = "a withdrawn registration is seen"
	RulePartial      = "a list or state lacks what nothing has happened to"
	RuleWatcher      = "a watcher does not end with what the servers list"
	RuleLeader       = "no agreement on a leader at the end"
)

// Check judges the history.
func (h *History) Check() *Report {
	s := &story{History: h, Report: &Report{Strikes: make(map[string]int)}}
	s.read()
	s.checkTerms()
	s.checkTokens()
	s.checkCounter()
	s.checkLinearizable()
	s.checkReads()
	s.checkEnd()
	s.measure()
	return s.Report
}

// A story is a history in the course of being understood.
type story struct {
	*History
	*Report

	terms    []*term   // in the order in which they were won
	troubles []trouble // in the order in which they began
	alive    []string  // the processes that are up at the end
	settled  *Event
}

// A term is what is known of one.
type term struct {
	won  *Event
	held []*Event // samples
	// last is the beginning of the last sample that found it held: an order at which it certainly was. 0: never.
	last int64
	// end is the event that has ended it, as far as its holder has seen; nil if it was held to the end.
	end *Event
	// excuse is the fault that has ended it behind its holder's back; nil if there was none.
	excuse *Event
}

func (t *term) String() string { return fmt.Sprintf("%s's term %d", t.won.Process, t.won.Token) }

// A trouble is the time of a fault. Its victim is a process, or else it befalls all.
type trouble struct {
	began, ended time.Duration
	process      string
	strike       *Event
}

func (s *story) found(rule, format string, args ...any) {
	s.Findings = append(s.Findings, Finding{rule, fmt.Sprintf(format, args...)})
}

// read sorts the events into terms and troubles.
func (s *story) read() {
	s.readTroubles()
	terms := make(map[int]*term)
	for i := range s.Events {
		e := &s.Events[i]
		t := terms[e.Term]
		switch e.Op {
		case opCampaign:
			if e.Err == "" {
				t = &term{won: e}
				terms[e.Term] = t
				s.terms = append(s.terms, t)
			}
		case opHeld, opOver, opResign:
			if t != nil {
				t.see(e)
			}
		case opSettled:
			s.settled = e
		default:
		}
	}
	slices.SortFunc(s.terms, func(a, b *term) int { return cmp.Compare(a.won.To, b.won.To) })
	for _, t := range s.terms {
		s.judgeEnd(t)
	}
	s.Terms = len(s.terms)
}

// see takes in what its holder has seen of a term.
func (t *term) see(e *Event) {
	if e.Op != opHeld {
		t.end = e
		return
	}
	t.held = append(t.held, e)
	if e.OK {
		t.last = max(t.last, e.From)
	}
}

// readTroubles finds when there were faults, and who is alive at the end.
func (s *story) readTroubles() {
	for i := range s.Events {
		e := &s.Events[i]
		switch e.Op {
		case opStrike:
			s.Faults++
			s.Strikes[e.Name]++
			t := trouble{began: e.Began, ended: e.Ended, strike: e}
			if fallsOnProcess(e) {
				t.process = e.Victim
			}
			s.troubles = append(s.troubles, t)
			if ends(e) {
				s.alive = slices.DeleteFunc(s.alive, func(p string) bool { return p == e.Victim })
			}
		case opHeal:
			for j := len(s.troubles) - 1; j >= 0; j-- {
				if t := &s.troubles[j]; t.strike.Name == e.Name && t.strike.Victim == e.Victim {
					t.ended = e.Ended
					break
				}
			}
		case opState, opList, opRegister, opCampaign:
			if !slices.Contains(s.alive, e.Process) && !s.ended(e.Process) {
				s.alive = append(s.alive, e.Process)
			}
		default:
		}
	}
	slices.SortFunc(s.troubles, func(a, b trouble) int { return cmp.Compare(a.began, b.began) })
}

// ends says whether a strike ends its victim.
func ends(strike *Event) bool { return strike.Name == crash || strike.Name == leave }

// fallsOnProcess says whether a strike's victim is a process: these have a life in their name.
func fallsOnProcess(strike *Event) bool {
	return len(strike.Victim) > 1 && strike.Victim[0] == 'p' && strike.Victim[1] >= '0' && strike.Victim[1] <= '9'
}

// ended says whether that life of a process is over.
func (s *story) ended(process string) bool {
	return slices.ContainsFunc(s.troubles, func(t trouble) bool { return t.process == process && ends(t.strike) })
}

// judgeEnd finds what has ended a term besides what its holder has seen.
func (s *story) judgeEnd(t *term) {
	for _, trouble := range s.troubles {
		strike := trouble.strike
		ofHolder := trouble.process == t.won.Process
		if ofHolder && ends(strike) && (t.end == nil || strike.To < t.end.To) {
			t.end = strike
		}
		// A term is held for no longer than a TTL after its confirmation was sent, so one that is won later than that was
		// confirmed after the strike.
		inLife := strike.Ended > t.won.Ended-s.Header.Timing.TTL && (t.end == nil || strike.From < t.end.To)
		if inLife && t.excuse == nil && (strike.Excuse == Wipe || strike.Excuse == Expiry && ofHolder) {
			t.excuse = strike
		}
	}
}

// checkTerms looks for two terms that were held at one moment.
func (s *story) checkTerms() {
	for i, old := range s.terms {
		for _, next := range s.terms[i+1:] {
			// Both are held from when they were won to their last sample at least.
			if next.last == 0 || old.last < next.won.To {
				continue
			}
			if old.excuse != nil && old.excuse.From < old.last || next.excuse != nil && next.excuse.From < next.last {
				s.Excused++
				continue
			}
			s.found(RuleOverlap, "%v was held at %d, after %v had been won at %d (%v)", old, old.last, next, next.won.To,
				next.won.Ended)
		}
	}
}

// checkTokens looks for tokens that do not grow within one life of the data.
func (s *story) checkTokens() {
	var greatest *term
	var wiped time.Duration // until when the present life is in its beginnings
	wipes := s.wipes()
	for _, t := range s.terms {
		for len(wipes) > 0 && wipes[0].From < t.won.To {
			greatest, wiped = nil, wipes[0].Ended+s.Header.Timing.TTL+s.Header.Timing.Late
			wipes = wipes[1:]
		}
		over := t.last == 0 || t.excuse != nil && t.excuse.From < t.won.To // before its holder was told that it has won
		if over || t.won.Ended < wiped {                                   // which may be of the life before
			continue
		}
		if greatest != nil && t.won.Token <= greatest.won.Token {
			s.found(RuleTokens, "%v follows %v", t, greatest)
		}
		if greatest == nil || t.won.Token > greatest.won.Token {
			greatest = t
		}
	}
}

// wipes are the strikes that have begun a new life of the data.
func (s *story) wipes() (wipes []*Event) {
	for _, t := range s.troubles {
		if t.strike.Excuse == Wipe {
			wipes = append(wipes, t.strike)
		}
	}
	return wipes
}

// checkCounter looks for additions that others have overwritten.
func (s *story) checkCounter() {
	by := make(map[int]*Event)
	before, during := 0, 0 // additions that had ended, or begun, when the counter was read at the end
	for i := range s.Events {
		e := &s.Events[i]
		if e.Op != opAdd {
			continue
		}
		if !e.OK {
			s.Refused++
			continue
		}
		s.Adds++
		if other := by[e.Value]; other != nil {
			s.found(RuleCounter, "%d was written under token %d of %s, and again under token %d of %s", e.Value, other.Token,
				other.Process, e.Token, e.Process)
		}
		by[e.Value] = e
		switch {
		case s.settled == nil || e.To < s.settled.From:
			before++
		case e.From < s.settled.To:
			during++
		}
	}
	if s.settled != nil && (s.settled.Value < before || s.settled.Value > before+during) {
		s.found(RuleCounter, "the counter is at %d after %d additions, while %d more were made", s.settled.Value, before, during)
	}
}

// measure takes the times between terms.
func (s *story) measure() {
	for i, next := range s.terms[min(1, len(s.terms)):] {
		old := s.terms[i]
		if old.end == nil || old.excuse != nil || next.excuse != nil || old.end.Op != opOver {
			continue
		}
		if gap := next.won.Ended - old.end.Ended; s.Gap == 0 || gap < s.Gap {
			s.Gap = gap
		}
	}
	for _, t := range s.troubles {
		if d, failed := s.failover(t.strike); failed {
			s.Failovers = append(s.Failovers, d)
		}
	}
	slices.Sort(s.Failovers)
}

// failover returns how long after a strike the next leader leads, if the strike has cost one the lead.
func (s *story) failover(strike *Event) (time.Duration, bool) {
	for i, t := range s.terms[:max(0, len(s.terms)-1)] {
		struck := strike.Victim == t.won.Process && t.won.To < strike.From && t.last > 0 &&
			(t.end != nil && t.end.To >= strike.To && t.end.Op != opResign)
		if struck && strike.Name != leave {
			return s.terms[i+1].won.Ended - strike.Ended, true
		}
	}
	return 0, false
}
