package gen

// observeLive is for rules that go on only if a session lives.
func (o *operationChecker) observeLive(f *facts, r *Rule) {
	id := r.ID.String()
	switch s, known := f.sessions[id]; {
	case known && s.live:
		o.impossible(r, "else", s.line, "one of the two rules")
	case known:
		o.settled(r, s.line, "this fails, whatever happens")
	}
	f.lives(id, r.Pos.Line)
}

func (o *operationChecker) observeClose(f *facts, r *Rule) {
	id := r.ID.String()
	switch s, known := f.sessions[id]; {
	case known && !s.live:
		o.settled(r, s.line, "there is no such session any more")
	case known && r.Missing.Error != nil:
		o.impossible(r, "missing", s.line, "missing: ok")
	}
	f.ends(id, r.Pos.Line)
}

func (o *operationChecker) observeTerm(f *facts, r *Rule) {
	k := f.at(r)
	switch {
	case k.presence == absent:
		o.settled(r, k.line, "there is no such record")
	case k.head && k.token == r.Token.String():
		o.impossible(r, "else", k.headLine, "one of the two rules")
	}
	f.exists(r, false)
	k.head, k.token, k.headLine = true, r.Token.String(), r.Pos.Line
}

func (o *operationChecker) observeOwner(f *facts, r *Rule) {
	k := f.at(r)
	switch {
	case k.presence == absent:
		o.settled(r, k.line, "there is no such record")
		return
	case k.presence == present && r.Absent.Error != nil:
		o.impossible(r, "absent", k.line, "absent: ok")
	}
	if k.covers(r) {
		o.impossible(r, "else", k.ownerLine, "one of the two rules")
	} else {
		k.belongs(r.Owner, r.Generation, r.Pos.Line)
	}
	if r.Absent.Error != nil {
		f.exists(r, false)
	}
}

func (o *operationChecker) observeAbsent(f *facts, r *Rule) {
	switch k := f.at(r); k.presence {
	case absent:
		o.impossible(r, "else", k.line, "one of the two rules")
	case present:
		o.settled(r, k.line, "this fails, whatever happens")
	default:
		f.vanishes(r, false)
	}
}

func (o *operationChecker) observePut(f *facts, r *Rule) {
	if r.Session != nil {
		o.observeHome(f, r)
	}
	k := f.at(r)
	owner := r.given(r.Record.Owner)
	switch {
	case k.presence == present && r.Mode == ModeCreate:
		o.settled(r, k.line, "there is such a record, so this stores nothing")
	case k.presence == absent && r.Mode != ModeCreate:
		o.idle(r, "mode", k.line, "there is no such record, so all modes do the same", "mode: create, exists: ok")
	case k.presence == absent && r.Exists.Error != nil:
		o.impossible(r, "exists", k.line, "exists: ok")
	case r.Mode == ModeTakeOver && owner != nil && k.owner == owner.String():
		o.idle(r, "mode", k.ownerLine, "there is nobody to displace", "mode: inplace")
	}
	f.blurs(r, func(other *known) {
		other.belongs(nil, nil, 0)
		other.head = other.head && r.Mode != ModeTakeOver
		if other.presence == absent {
			other.presence = uncertain
		}
	})
	k.head = k.head && r.Mode != ModeTakeOver
	if f.exists(r, true); r.Mode == ModeCreate && r.Exists.OK && k.owner == "" {
		return // it may be another's
	}
	k.belongs(owner, r.given(r.Record.Generation), r.Pos.Line)
}

// observeHome is for the session that a put needs.
func (o *operationChecker) observeHome(f *facts, r *Rule) {
	id := r.Session.String()
	if s, known := f.sessions[id]; known && !s.live {
		o.settled(r, s.line, "this fails, whatever happens")
	}
	if guard := f.guards[id]; guard != nil {
		o.add(guard.Pos, "the put in line %d raises %s too", r.Pos.Line, sessionExpired).
			expect("the put alone; or another error here")
	}
	f.lives(id, r.Pos.Line)
}

func (o *operationChecker) observeUpdate(f *facts, r *Rule) {
	k := f.at(r)
	if !o.observeCondition(k, r) {
		return
	}
	if k.owner != "" && r.Owner == nil {
		o.unchanged(r, k.owner, k.ownerLine)
	}
	if r.Missing.Error != nil {
		f.exists(r, true)
		if r.Owner != nil && !k.covers(r) {
			k.belongs(r.Owner, r.Generation, r.Pos.Line)
		}
	}
	owner, generation := r.given(r.Record.Owner), r.given(r.Record.Generation)
	changed := owner != nil || generation != nil
	f.blurs(r, func(other *known) {
		if changed {
			other.belongs(nil, nil, 0)
		}
	})
	switch {
	case owner != nil && r.Missing.Error != nil:
		k.belongs(owner, generation, r.Pos.Line)
	case changed:
		k.belongs(nil, nil, 0)
	}
}

func (o *operationChecker) observeDelete(f *facts, r *Rule) {
	k := f.at(r)
	if !o.observeCondition(k, r) {
		return
	}
	anyone := r.Owner == nil || k.covers(r)
	if r.Into["deleted"] != nil && r.Missing.OK && k.presence == present && anyone {
		o.idle(r, "into", k.line, quoted("deleted")+" is always true", "no deleted")
	}
	f.blurs(r, func(other *known) {
		other.head = false
		if other.presence == present {
			other.presence = uncertain
		}
	})
	if anyone || r.Missing.Error != nil || r.Else != nil {
		f.vanishes(r, true)
		return
	}
	*k = known{}
}

// observeCondition is for writes to a record that is there, on condition of its owner. It says whether the rule does
// anything.
func (o *operationChecker) observeCondition(k *known, r *Rule) bool {
	if k.presence == absent {
		o.settled(r, k.line, "there is no such record")
		return false
	}
	if k.covers(r) {
		o.idle(r, "owner", k.ownerLine, "the condition always holds", "no owner")
	}
	// Without else, missing also says what happens to somebody else's record, which may be all that it is for.
	foreign := r.Owner != nil && r.Else == nil && !k.covers(r)
	if k.presence == present && r.Missing.Error != nil && !foreign {
		o.impossible(r, "missing", k.line, "missing: ok")
	}
	return true
}

// observeGet is for reads of one record. Reads may show an older state than the one that conditions see, but never an
// older one than this operation's own writes have made.
func (o *operationChecker) observeGet(f *facts, r *Rule) {
	k := f.at(r)
	switch {
	case !k.written:
	case k.presence == absent:
		o.settled(r, k.line, "there is no such record")
	case k.presence == present && r.Missing.Error != nil:
		o.impossible(r, "missing", k.line, "missing: ok")
	}
}

func (o *operationChecker) observeHead(f *facts, r *Rule) {
	line := 0
	for p, k := range f.places {
		if p.record == r.Record && p.scope == r.Scope.String() && k.presence == present && k.written {
			line = max(line, k.line)
		}
	}
	if line > 0 && r.Missing.Error != nil {
		o.impossible(r, "missing", line, "missing: ok")
	}
}

func (o *operationChecker) observeAwait(f *facts, r *Rule) {
	switch k := f.at(r); {
	case k.presence == absent:
		o.settled(r, k.line, "there is no such record")
	case k.head:
		o.settled(r, k.headLine, "it is at the head")
	}
	*f = *newFacts() // while it waits, anything may happen
	k := f.exists(r, false)
	k.head, k.headLine = true, r.Pos.Line
}
