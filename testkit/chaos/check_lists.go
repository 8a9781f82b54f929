package chaos

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A stay is a time in which an instance certainly was registered: from the first acknowledged write, or the end of doubt,
// until the owner withdraws it, ends, or is told that it is in doubt. It is told before any reader can have lost it.
type stay struct {
	id          string
	from, until time.Duration
}

// forever is the end of what has none.
const forever = time.Duration(1) << 62

// A book is what one process has registered, by what it has been told.
type book struct {
	process string
	since   map[string]time.Duration // the beginnings of stays that go on
	written map[string]string        // the version of each instance that is registered
	lapsed  bool                     // the session is in doubt
	// lied is until when what a server has confirmed may not be so: an answer may be on its way when the server lies no more,
	// and counts for as long as a session lives.
	lied time.Duration
}

// ledger is the books of all.
type ledger struct {
	stays []stay
	// gone is from when on a version is withdrawn, confirmed by the servers.
	gone  map[string]time.Duration
	books []*book // in the order of the first registrations
}

// ledger reads what was registered.
func (s *story) ledger() *ledger {
	l := &ledger{gone: make(map[string]time.Duration)}
	for _, e := range s.inEffect() {
		switch e.Op {
		case opRegister:
			l.register(l.book(e.Process), e)
		case opDeregister:
			l.deregister(l.book(e.Process), e)
		case opDoubt:
			l.doubt(l.book(e.Process), e.Name, e.Ended)
		case opCertain:
			l.book(e.Process).settle(e)
		case opOpened:
			l.book(e.Process).lapsed = false
		case opStrike:
			l.strike(e)
		case opHeal:
			if e.Excuse == Lies {
				l.book(e.Victim).lied = e.Ended + s.Header.Timing.TTL
			}
		default:
		}
	}
	for _, b := range l.books {
		l.doubt(b, "", forever)
	}
	return l
}

// inEffect returns the events in the order in which they take effect: what takes something away does so from its
// beginning on, and what gives something when it has ended.
func (s *story) inEffect() []*Event {
	events := make([]*Event, len(s.Events))
	for i := range s.Events {
		events[i] = &s.Events[i]
	}
	effect := func(e *Event) int64 {
		if e.Op == opDeregister || e.Op == opStrike {
			return e.From
		}
		return e.To
	}
	slices.SortFunc(events, func(a, b *Event) int { return cmp.Compare(effect(a), effect(b)) })
	return events
}

func (l *ledger) book(process string) *book {
	for _, b := range l.books {
		if b.process == process {
			return b
		}
	}
	b := &book{process: process, since: make(map[string]time.Duration), written: make(map[string]string)}
	l.books = append(l.books, b)
	return b
}

// register enters a registration. One that has failed leaves what was there before.
func (l *ledger) register(b *book, e *Event) {
	if e.Err != "" {
		return
	}
	if before, there := b.written[e.Name]; there {
		l.gone[before] = e.Ended
	}
	b.written[e.Name] = e.Version
	if _, certain := b.since[e.Name]; !certain && !b.lapsed && e.Ended >= b.lied {
		b.since[e.Name] = e.Ended
	}
}

// deregister enters a withdrawal.
func (l *ledger) deregister(b *book, e *Event) {
	l.end(b, e.Name, e.Began)
	delete(b.written, e.Name)
	if e.Err == "" {
		l.gone[e.Version] = e.Ended
	}
}

// doubt ends the stay of one instance, or of all.
func (l *ledger) doubt(b *book, id string, at time.Duration) {
	if id != "" {
		l.end(b, id, at)
		return
	}
	b.lapsed = true
	for _, id := range slices.Sorted(maps.Keys(b.since)) {
		l.end(b, id, at)
	}
}

// end ends a stay.
func (l *ledger) end(b *book, id string, at time.Duration) {
	if from, certain := b.since[id]; certain {
		l.stays = append(l.stays, stay{id, from, at})
		delete(b.since, id)
	}
}

// settle begins the stay of what is certain again. What is stored on a session that is in doubt is as doubtful as that.
func (b *book) settle(e *Event) {
	if e.Name == "" {
		b.lapsed = false
	}
	if b.lapsed || e.Ended < b.lied {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(b.written)) {
		if _, certain := b.since[id]; !certain && (e.Name == "" || e.Name == id) {
			b.since[id] = e.Ended
		}
	}
}

// strike enters what a fault means for registrations.
func (l *ledger) strike(e *Event) {
	for _, b := range l.books {
		ofOwner := b.process == e.Victim
		switch {
		case ofOwner && ends(e):
			l.doubt(b, "", e.Began)
			if e.Name == leave && e.Err == "" {
				for _, version := range b.written {
					l.gone[version] = e.Ended
				}
			}
		case e.Excuse == Wipe, e.Excuse == Expiry && ofOwner:
			l.doubt(b, "", e.Began)
		case e.Excuse == Lies && ofOwner:
			l.doubt(b, "", e.Began)
			b.lapsed, b.lied = false, forever
		}
	}
}

// checkReads holds every list and every state without an error against what was registered.
func (s *story) checkReads() {
	l := s.ledger()
	type sighting struct{ first, last *Event }
	late := make(map[string]*sighting)
	var order []string
	for i := range s.Events {
		e := &s.Events[i]
		over := s.settled != nil && e.To > s.settled.To // the processes are being closed
		if e.Op != opList && e.Op != opState || e.Err != "" || over {
			continue
		}
		s.Reads++
		since := s.since(e.Process, e.Began)
		s.checkPresent(l, e, since)
		for _, instance := range e.Instances {
			_, version, _ := strings.Cut(instance, "=")
			if gone, withdrawn := l.gone[version]; withdrawn && gone < since {
				if late[version] == nil {
					late[version] = &sighting{first: e}
					order = append(order, version)
				}
				late[version].last = e
			}
		}
	}
	// A write that arrives late may show once more, for one propagation.
	for _, version := range order {
		seen := late[version]
		if seen.last.Began-seen.first.Ended > s.Header.Timing.Propagation+s.Header.Timing.Grace {
			s.found(RuleWithdrawn, "%s was withdrawn at %v, and %s sees it at %v, %s at %v", version, l.gone[version],
				seen.first.Process, seen.first.Ended, seen.last.Process, seen.last.Ended)
		}
	}
}

// checkPresent looks for what should be in a list or state and is not. What is read may be as old as since.
func (s *story) checkPresent(l *ledger, e *Event, since time.Duration) {
	for _, stay := range l.stays {
		if stay.from >= since || stay.until-s.Header.Timing.Grace <= e.Ended {
			continue
		}
		if !slices.ContainsFunc(e.Instances, func(i string) bool { return strings.HasPrefix(i, stay.id+"=") }) {
			s.found(RulePartial, "%s of %s at %v has %v, and nothing has happened to %s since %v", e.Op, e.Process, e.Ended,
				e.Instances, stay.id, stay.from)
		}
	}
}

// since is how old what a process sees at a time may be: a propagation, or as old as the troubles that it, or the
// servers, have been in without a break.
func (s *story) since(process string, at time.Duration) time.Duration {
	t := s.Header.Timing
	slack := t.Propagation + t.Grace
	since, recovery := at-slack, t.TTL+2*t.Backoff+slack
	for again := true; again; {
		again = false
		for _, trouble := range s.troubles {
			concerns := trouble.process == "" || trouble.process == process
			if concerns && trouble.began <= at && trouble.ended+recovery >= since && trouble.began-slack < since {
				since, again = trouble.began-slack, true
			}
		}
	}
	return since
}

// checkEnd looks at how everything stands after the faults.
func (s *story) checkEnd() {
	if s.settled == nil {
		s.found(RuleRestored, "the run has not come to its end")
		return
	}
	wanted := s.wanted()
	if got := sorted(s.settled.Instances); s.settled.Err != "" || !slices.Equal(got, wanted) {
		s.found(RuleRestored, "listed are %v, wanted %v; %s", got, wanted, s.settled.Err)
	}
	s.checkLeader()
	for _, process := range s.alive {
		state, leader := s.latest(process, opState), s.latest(process, opLeader)
		switch {
		case state == nil || state.Err != "" || !slices.Equal(sorted(state.Instances), sorted(s.settled.Instances)):
			s.found(RuleWatcher, "the watcher of %s ends with %s, listed are %v", process, state.seen(), s.settled.Instances)
		case leader == nil || leader.Err != "" || leader.Token != s.settled.Token:
			s.found(RuleWatcher, "the leader watcher of %s ends with %s, and the servers with %d", process, leader.seen(), s.settled.Token)
		}
	}
}

// wanted are the instances that processes which are up at the end have registered and not withdrawn.
func (s *story) wanted() (wanted []string) {
	for _, b := range s.ledger().books {
		if slices.Contains(s.alive, b.process) {
			for id, version := range b.written {
				wanted = append(wanted, id+"="+version)
			}
		}
	}
	return sorted(wanted)
}

// latest returns the last event of a kind that a process has seen before everything was taken down.
func (s *story) latest(process string, op Op) (latest *Event) {
	for i := range s.Events {
		if e := &s.Events[i]; e.Op == op && e.Process == process && e.To < s.settled.To {
			latest = e
		}
	}
	return latest
}

// seen says what a watcher was shown.
func (e *Event) seen() string {
	if e == nil {
		return "nothing"
	}
	return fmt.Sprintf("%v, term %d, error %q", e.Instances, e.Token, e.Err)
}

// checkLeader looks whether there is a leader at the end, who believes it.
func (s *story) checkLeader() {
	i := slices.IndexFunc(s.Events, func(e Event) bool { return e.Op == opCalm })
	for _, t := range s.terms {
		if t.won.Token == s.settled.Token && t.end == nil && i >= 0 && t.last > s.Events[i].To {
			return
		}
	}
	s.found(RuleLeader, "the servers show the term %d, and nobody holds that", s.settled.Token)
}
