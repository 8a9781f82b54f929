package gen

// A ruleKind is what the grammar knows of a rule beyond its keys.
type ruleKind struct {
	verb    Verb
	writes  bool
	results []result
}

// A result is something that a verb can hand to the response.
type result struct {
	name     string
	want     want
	required bool
	doc      string
}

// A want is the type that a path or a result must have.
type want int

// The wants. Roles take the type that the role has in the record.
const (
	wantString   want = iota + 1 // string or a type on top of it
	wantSession                  // the string-based type of session ids
	wantUint64                   // uint64
	wantDuration                 // time.Duration
	wantScope                    // the record's scope
	wantKey                      // the record's key
	wantOwner                    // the record's owner
	wantRecord                   // the record
	wantPointer                  // a pointer to the record
	wantPointers                 // a slice of pointers to records
	wantStrings                  // []string
	wantInt                      // int
	wantBool                     // bool
)

// Keys that many rules have.
var (
	ofKey         = required(entry("of", shaped(shapeRecord), "The record."))
	scopeKey      = required(entry("scope", pathTo(wantScope), "The scope to look in."))
	keyKey        = required(entry("key", pathTo(wantKey), "The key of the record within its scope."))
	idKey         = required(entry("id", pathTo(wantSession), "The session."))
	elseKey       = required(entry("else", shaped(shapeError), "The error if that does not hold."))
	missingKey    = required(entry("missing", shaped(shapeOutcome), "If there is no such record: `ok`, or an error."))
	ownerKey      = entry("owner", pathTo(wantOwner), "The condition that the record's owner is this one.")
	generationKey = entry("generation", pathTo(wantUint64),
		"The condition that the record's generation is not newer. Goes with `owner`.")
	foreignKey = entry("else", shaped(shapeError),
		"The error if the condition does not hold; without it that counts as missing. Goes with `owner`.")
	intoKey = entry("into", shaped(shapeResults), "Which results go to which fields of the response.")
)

// conditional are the dependencies of a write on condition.
var conditional = []need{{"generation", "owner"}, {"else", "owner"}}

var revisionResult = result{name: "revision", want: wantUint64, doc: "The place in the history that watch cursors count."}

func recordResult(required bool) result {
	return result{name: "record", want: wantPointer, required: required, doc: "The record; nil where a missing one is `ok`."}
}

// ruleKinds are the rules: all that an operation can mean. Each is one method of the fake's kernel.
var ruleKinds = []*kind{
	sessionRule("open", ruleKind{verb: VerbOpen, writes: true, results: []result{
		{"id", wantSession, true, "The new session."},
		{"ttl", wantDuration, false, "The time to live that was granted."},
		{"every", wantDuration, false, "How often to renew."},
		{"settle", wantDuration, false, "The age at which a confirmed renewal counts."},
	}}, "Opens a session.", entry("ttl", pathTo(wantDuration),
		"The wanted time to live; without it, or 0, the backend's default.")),
	sessionRule("renew", ruleKind{verb: VerbRenew, writes: true, results: []result{
		{"good", wantDuration, false, "How long it is certain to live, counted from the sending of the request."},
	}}, "Renews a session.", idKey, required(entry("else", shaped(shapeError),
		"The error if there is no such session."))),
	sessionRule("close", ruleKind{verb: VerbClose, writes: true},
		"Ends a session and removes the records that live on it.",
		idKey, required(entry("missing", shaped(shapeOutcome), "If there is no such session: `ok`, or an error."))),
	requireRule("session", VerbRequireLive, "Goes on only if the session lives.", idKey, elseKey),
	requireRule("term", VerbRequireTerm,
		"Goes on only if the record is at the head of its scope with that order number.",
		ofKey, scopeKey, keyKey, required(entry("token", pathTo(wantUint64), "The order number.")), elseKey),
	requireRule("owner", VerbRequireOwner, "Goes on only if the record is the owner's, or is absent and that is `ok`.",
		ofKey, scopeKey, keyKey, required(ownerKey), generationKey,
		required(entry("absent", shaped(shapeOutcome), "If there is no such record: `ok`, or an error.")),
		required(entry("else", shaped(shapeError), "The error if the record is somebody else's, or newer."))),
	requireRule("absent", VerbRequireAbsent,
		"Goes on only if there is no such record.", ofKey, scopeKey, keyKey, elseKey),
	putRule,
	with(recordRule("update", ruleKind{verb: VerbUpdate, writes: true, results: []result{
		recordResult(false), revisionResult,
	}},
		"Changes fields of a record that is there, without moving it in the order.", scopeKey, keyKey,
		required(entry("set", shaped(shapePaths), "Which fields of the record get which values of the request.")),
		ownerKey, generationKey, missingKey, foreignKey), conditional),
	with(recordRule("delete", ruleKind{verb: VerbDelete, writes: true, results: []result{
		{"deleted", wantBool, false, "Whether there was a record to delete."},
	}}, "Deletes a record.", scopeKey, keyKey, ownerKey, generationKey, missingKey, foreignKey), conditional),
	recordRule("get", ruleKind{verb: VerbGet, results: []result{recordResult(true)}},
		"Reads a record.", scopeKey, keyKey, missingKey),
	recordRule("list", ruleKind{verb: VerbList, results: []result{
		{"records", wantPointers, true, "The records of the scope, in their order."}, revisionResult,
	}}, "Reads the records of a scope.", scopeKey),
	recordRule("names", ruleKind{verb: VerbNames, results: []result{
		{"names", wantStrings, true, "The scopes that have a record, sorted."},
	}}, "Lists the scopes that have a record."),
	recordRule("count", ruleKind{verb: VerbCount, results: []result{
		{"count", wantInt, true, "How many there are."},
	}}, "Counts the records of a scope.", scopeKey),
	recordRule("head", ruleKind{verb: VerbHead, results: []result{recordResult(true)}},
		"Reads the record at the head of a scope.", scopeKey, missingKey),
	{
		name: "rule await: turn",
		doc:  "Waits until the record is at the head of its scope. While it waits, others may do anything.",
		sign: sign{key: "await"},
		keys: []key{
			required(entry("await", word("turn"), "The verb.")), ofKey, scopeKey, keyKey,
			required(entry("missing", shaped(shapeError),
				"The error if there is no such record, or none any more.")), intoKey,
		},
		rule: &ruleKind{verb: VerbAwait, results: []result{{"order", wantUint64, false, "The record's order number."}}},
	},
	{
		name: "rule watch",
		doc: "Streams a scope, or one record of it, or its head: first what is there, then changes. It ends a stream " +
			"operation.",
		sign: sign{key: "watch"},
		keys: []key{
			required(entry("watch", shaped(shapeRecord), "The verb and the record.")), scopeKey,
			entry("key", pathTo(wantKey), "The one record to watch."),
			entry("head", shaped(shapeFlag), "Watches the record at the head only."),
		},
		most: [][]string{{"key", "head"}},
		rule: &ruleKind{verb: VerbWatch},
	},
}

var putRule = &kind{
	name: "rule put",
	doc: "Stores a record. The backend stamps the roles `order` and `session`. A session that is gone is " +
		"SessionExpired.",
	sign: sign{key: "put"},
	keys: []key{
		required(entry("put", shaped(shapeRecord), "The verb and the record.")),
		required(entry("mode", word(string(ModeCreate), string(ModeInPlace), string(ModeTakeOver)),
			"What to do with a record that is there: `create` leaves it; `inplace` overwrites it where it stands in "+
				"the order; "+
				"`takeover` does that with the owner's own, and replaces another's by one at the end of the order.")),
		entry("from", pathTo(wantRecord), "The input that is the record."),
		entry("set", shaped(shapePaths), "Which fields of the record get which values of the request."),
		entry("session", pathTo(wantSession),
			"The session to live on. Required iff the record's lifetime is `session`."),
		required(only(entry("exists", shaped(shapeOutcome),
			"If there is such a record: `ok`, or an error."), condition{"mode", string(ModeCreate)})),
		intoKey,
	},
	one: [][]string{{"from", "set"}},
	rule: &ruleKind{verb: VerbPut, writes: true, results: []result{
		{"order", wantUint64, false, "The record's order number."},
		revisionResult,
		{"displaced", wantOwner, false, "The owner whose record a takeover replaced; empty for none."},
	}},
}

func with(k *kind, needs []need) *kind { k.needs = needs; return k }

func sessionRule(verb string, rule ruleKind, doc string, keys ...key) *kind {
	return ruleOf("rule "+verb+": session", sign{key: verb}, entry(verb, word(wordSession),
		"The verb."), rule, doc, keys)
}

func requireRule(what string, verb Verb, doc string, keys ...key) *kind {
	return ruleOf("rule require: "+what, sign{"require", what}, entry("require", word(what),
		"The verb."), ruleKind{verb: verb}, doc, keys)
}

func recordRule(verb string, rule ruleKind, doc string, keys ...key) *kind {
	return ruleOf("rule "+verb, sign{key: verb}, entry(verb, shaped(shapeRecord),
		"The verb and the record."), rule, doc, keys)
}

func ruleOf(name string, s sign, verb key, rule ruleKind, doc string, keys []key) *kind {
	all := append([]key{required(verb)}, keys...)
	if len(rule.results) > 0 {
		into := intoKey
		for _, r := range rule.results {
			into.required = into.required || r.required
		}
		all = append(all, into)
	}
	return &kind{name: name, doc: doc, sign: s, keys: all, rule: &rule}
}
