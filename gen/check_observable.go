package gen

import "fmt"

// checkObservable notes what a rule says and no run could show: if it was left out, or said something else, every
// operation would end in the same way. Some of it can be seen at the rule, the rest follows from the rules before.
func (o *operationChecker) checkObservable() {
	f := newFacts()
	for _, r := range o.op.Rules {
		if !o.op.Atomic {
			f = newFacts()
		}
		o.checkAlone(r)
		if !o.repeats(f, r) {
			observers[r.Verb](o, f, r)
		}
		f.guard(r)
	}
}

// observers hold each verb's rule against the facts, and add what it makes certain. A rule that can end in one way only
// is noted, and adds nothing.
var observers = map[Verb]func(*operationChecker, *facts, *Rule){
	VerbOpen:          func(*operationChecker, *facts, *Rule) {},
	VerbRenew:         (*operationChecker).observeLive,
	VerbClose:         (*operationChecker).observeClose,
	VerbRequireLive:   (*operationChecker).observeLive,
	VerbRequireTerm:   (*operationChecker).observeTerm,
	VerbRequireOwner:  (*operationChecker).observeOwner,
	VerbRequireAbsent: (*operationChecker).observeAbsent,
	VerbPut:           (*operationChecker).observePut,
	VerbUpdate:        (*operationChecker).observeUpdate,
	VerbDelete:        (*operationChecker).observeDelete,
	VerbGet:           (*operationChecker).observeGet,
	VerbList:          func(*operationChecker, *facts, *Rule) {},
	VerbNames:         func(*operationChecker, *facts, *Rule) {},
	VerbCount:         func(*operationChecker, *facts, *Rule) {},
	VerbHead:          (*operationChecker).observeHead,
	VerbAwait:         (*operationChecker).observeAwait,
	VerbWatch:         func(*operationChecker, *facts, *Rule) {},
}

// checkAlone notes what a rule contradicts or repeats in itself.
func (o *operationChecker) checkAlone(r *Rule) {
	m := r.source
	if r.Verb == VerbUpdate || r.Verb == VerbDelete {
		if r.Else != nil && r.Else == r.Missing.Error {
			o.add(m.position("else"), "%s is what happens without it", quoted("else")).
				expect("an error other than missing; or no else")
		}
	}
	if r.Into["deleted"] != nil && r.Missing.Error != nil {
		o.add(m.position("into"), "%s is always true: a record that is not deleted is an error", quoted("deleted")).
			expect("missing: ok; or no deleted")
	}
	if r.Verb == VerbUpdate && r.Owner != nil {
		o.unchanged(r, r.Owner.String(), r.Pos.Line)
	}
}

// unchanged notes an update that sets the owner to what it is, as the rule in that line makes certain.
func (o *operationChecker) unchanged(r *Rule, owner string, line int) {
	for _, p := range r.source.entries["set"].pairs {
		if p.key.text == r.Record.Owner.String() && p.value.text == owner {
			o.add(p.key.at, "%s has this value already%s", quoted(p.key.text), sure(line)).expect("no such entry")
		}
	}
}

// repeats notes a read that gives what an earlier one has given: with no write and no wait between them, both see the
// same.
func (o *operationChecker) repeats(f *facts, r *Rule) bool {
	if r.source.kind.find("into") == nil || r.source.kind.rule.writes || r.Verb == VerbAwait {
		return false
	}
	read := string(r.Verb) + " " + r.Record.Name + " " + r.Scope.String() + " " + r.Key.String()
	line, repeated := f.reads[read]
	if repeated {
		o.add(r.Pos, "this reads what line %d has read", line).expect("one of them")
	}
	f.reads[read] = r.Pos.Line
	return repeated
}

// settled notes a rule that can end in one way only.
func (o *operationChecker) settled(r *Rule, line int, why string) {
	o.add(r.Pos, "%s%s", why, sure(line)).expect("one of the two rules, or another order")
}

// impossible notes an attribute for a case that cannot come up.
func (o *operationChecker) impossible(r *Rule, key string, line int, expected string) {
	o.idle(r, key, line, quoted(key)+" cannot come up", expected)
}

// idle notes an attribute that makes no difference.
func (o *operationChecker) idle(r *Rule, key string, line int, why, expected string) {
	o.add(r.source.position(key), "%s%s", why, sure(line)).expect("%s", expected)
}

// sure says which rule makes something certain.
func sure(line int) string { return fmt.Sprintf(": the rule in line %d makes sure", line) }

// guard keeps track of rules that raise SessionExpired for a session, with nothing observable between them and the
// next rule.
func (f *facts) guard(r *Rule) {
	for _, e := range []*Error{r.Else, r.Missing.Error, r.Absent.Error, r.Exists.Error} {
		if e != nil && e.Name != sessionExpired {
			clear(f.guards)
		}
	}
	if r.source.kind.rule.writes || r.Verb == VerbAwait {
		clear(f.guards)
	}
	if r.Verb == VerbRequireLive && r.Else.Name == sessionExpired {
		f.guards[r.ID.String()] = r
	}
}
