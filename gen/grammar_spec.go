package gen

// Words of the spec that code refers to.
const (
	wordOK         = "ok"
	wordStream     = "stream"
	wordUnary      = "unary"
	wordPermanent  = "permanent"
	wordSession    = "session"
	wordReadonly   = "readonly"
	wordIdempotent = "idempotent"
	wordBlocking   = "blocking"
	baseString     = "string"
	baseInt        = "int"
	formatHost     = "host"
	formatUTF8     = "utf8"
)

func docOf(what string) key {
	return required(entry("doc", shaped(shapeDoc), "What "+what+
		", as a Go doc comment says it, name first. A blank line begins a new paragraph."))
}

func nameOf(s shape, doc string) key { return required(entry("name", shaped(s), doc)) }

var packagesKey = entry("packages", list(word(packageReception, packageDriver)),
	"Where the Go type is emitted: package reception, package driver, or a type of its own in each.")

var saysKey = entry("says", text(),
	"The constraint in words, as an error says it after the field's name: `must be …`. Required with a constraint.")

var mapEntryKind = &kind{
	name: "map",
	doc:  "The types of a map's keys and values: `string`, `int` or a scalar of the spec.",
	keys: []key{
		required(entry("key", shaped(shapeTypeName), "The type of the keys, string-based.")),
		required(entry("value", shaped(shapeTypeName), "The type of the values, a scalar.")),
	},
}

var scalarKind = &kind{
	name: "scalar type",
	doc: "A scalar. With `named` it is a Go type of its own; without, it is only a constraint: Go code sees the base" +
		" type, " +
		"and the Client checks the constraint.",
	sign: sign{key: "base"},
	keys: []key{
		nameOf(shapeExported, "The type's name."),
		docOf("it is"),
		required(entry("base", word(baseString, baseInt), "The Go type below it.")),
		entry("named", shaped(shapeFlag), "It is a Go type of its own. Goes with `packages`."),
		packagesKey,
		only(entry("length", shaped(shapeBounds), "`[min, max]` of its bytes."), condition{"base", baseString}),
		only(entry("pattern", text(),
			"The regular expression, anchored with `^` and `$`, that it matches."), condition{"base", baseString}),
		only(entry("format", word(formatHost, formatUTF8),
			"`host`: a host name or an IP address that others can reach; `utf8`: valid UTF-8."),
			condition{"base", baseString}),
		only(entry("range", shaped(shapeBounds), "`[min, max]` of its values."), condition{"base", baseInt}),
		saysKey,
	},
	needs: []need{{"named", "packages"}, {"packages", "named"}},
}

var mapKind = &kind{
	name: "map type",
	doc:  "A map from scalars to scalars.",
	sign: sign{key: "map"},
	keys: []key{
		nameOf(shapeExported, "The type's name."),
		docOf("it is"),
		required(packagesKey),
		required(entry("map", object(mapEntryKind), "The types of its keys and values.")),
		entry("length", shaped(shapeBounds), "`[min, max]` of its entries."),
		saysKey,
	},
}

var structFieldKind = &kind{
	name: "field",
	id:   "struct-field",
	doc:  "A field of a struct type.",
	keys: []key{
		nameOf(shapeExported, "The field's name."),
		required(entry("type", shaped(shapeType), "Its type, as Go writes it.")),
		docOf("it is"),
		entry("json", shaped(shapeTag), "Its name in JSON; `-` leaves it out."),
		entry("optional", shaped(shapeFlag), "An empty value passes, although its type's constraint refuses it."),
	},
}

var structKind = &kind{
	name: "struct type",
	doc:  "A struct.",
	sign: sign{key: "fields"},
	keys: []key{
		nameOf(shapeExported, "The type's name."),
		docOf("it is"),
		required(packagesKey),
		required(entry("fields", objects(structFieldKind), "Its fields.")),
	},
}

var errorKind = &kind{
	name: "error",
	doc:  "A sentinel error.",
	keys: []key{
		nameOf(shapeExported, "The error's name; in Go it has `Err` in front."),
		docOf("it says"),
		required(entry("origin",
			word(string(OriginAny), string(OriginOperation), string(OriginClient), string(OriginAdapter)),
			"Who raises it: `any` operation, an `operation` that declares it, the `client` above the SPI, one "+
				"`adapter`.")),
		required(only(entry("adapter", shaped(shapeLower),
			"The adapter that raises it."), condition{"origin", string(OriginAdapter)})),
		required(entry("message", text(), "What it prints: lower case, no full stop.")),
	},
}

var dataFieldKind = &kind{
	name: "field",
	id:   "data-field",
	doc: "A field of a record, a request or a response. Records and requests hold data: scalars, slices of them, " +
		"types and records of the spec.",
	keys: []key{
		nameOf(shapeExported, "The field's name."),
		required(entry("type", shaped(shapeType), "Its type, as Go writes it.")),
		docOf("it is"),
	},
}

var recordKind = &kind{
	name: "record",
	doc:  "A kind of thing that backends store. Its roles are paths into its fields.",
	keys: []key{
		nameOf(shapeLower, "The record's name, as rules write it; in Go it begins with a capital."),
		docOf("it is"),
		required(entry("scope", pathTo(wantString), "What lists and watches select by.")),
		required(entry("key", pathTo(wantString), "What identifies a record within its scope.")),
		required(entry("order", pathTo(wantUint64),
			"Set by the backend at creation, growing. The smallest of a scope is at its head.")),
		required(entry("lifetime", word(wordSession, wordPermanent),
			"Whether it vanishes with the session that it lives on, or stays until it is deleted.")),
		required(only(entry("session", pathTo(wantString),
			"The session that it lives on, set by the backend."), condition{"lifetime", wordSession})),
		entry("owner", pathTo(wantString), "Whose it is: what conditions compare and a takeover displaces."),
		entry("generation", pathTo(wantUint64), "The owner's count of its writes, so that a late one does no harm."),
		required(entry("fields", objects(dataFieldKind), "Its fields.")),
	},
	needs: []need{{"generation", "owner"}},
}

var operationKind = &kind{
	name: "operation",
	doc:  "One method of the SPI. It touches nothing but what its rules name.",
	keys: []key{
		nameOf(shapeExported, "The operation's name; the method of a stream has `Open` in front."),
		docOf("it does"),
		fallback(entry("kind", word(wordUnary, wordStream),
			"`unary` (the default): one request, one response; `stream`: it ends with a watch."), wordUnary),
		required(entry("atomic", shaped(shapeBool),
			"`true`: others see all of it or nothing, up to a wait; `false`: anything may happen between two of "+
				"its rules.")),
		entry("traits", list(word(wordReadonly, wordIdempotent, wordBlocking)),
			"`readonly`: it writes nothing; `idempotent`: repeating it does no harm; `blocking`: it waits. The "+
				"first and the last say what the rules say."),
		entry("in", objects(dataFieldKind), "The fields of its request, each used by a rule."),
		only(entry("out", objects(dataFieldKind),
			"The fields of its response, each set by exactly one rule."), condition{"kind", wordUnary}),
		entry("errors", list(shaped(shapeError)),
			"The errors of origin `operation` that its rules raise: all of them and no others."),
		required(entry("rules", objects(ruleKinds...), "What it does, step by step.")),
	},
}

var parameterKind = &kind{
	name: "parameter",
	doc:  "A parameter of a method.",
	keys: []key{
		nameOf(shapeLower, "The parameter's name."),
		required(entry("type", shaped(shapeType), "Its type, as Go writes it; `...T` for the last one.")),
		entry("require", list(shaped(shapeField)), "Optional fields of the struct that must not be empty here."),
		entry("only", list(shaped(shapeField)), "The only fields of the struct that are checked here."),
	},
}

var methodKind = &kind{
	name: "method",
	doc:  "A method of an interface.",
	keys: []key{
		nameOf(shapeExported, "The method's name."),
		docOf("it does"),
		entry("in", objects(parameterKind), "Its parameters."),
		entry("out", list(shaped(shapeType)), "The types of its results."),
		entry("errors", list(shaped(shapeError)), "The errors that it returns."),
	},
}

var interfaceKind = &kind{
	name: "interface",
	doc:  "A public interface of package reception.",
	keys: []key{
		nameOf(shapeExported, "The interface's name."),
		docOf("it is"),
		required(entry("methods", objects(methodKind), "Its methods.")),
	},
}

var specKind = &kind{
	name: "spec",
	doc:  "What an SDK for service discovery and election does, and what is generated from it.",
	keys: []key{
		entry("types", objects(scalarKind, mapKind, structKind),
			"The types that both sides speak of, with their constraints."),
		required(entry("errors", objects(errorKind), "The sentinel errors.")),
		entry("records", objects(recordKind), "What backends store."),
		required(entry("operations", objects(operationKind),
			"The operations of the SPI, in the order in which they are presented.")),
		entry("interfaces", objects(interfaceKind), "The public interfaces."),
	},
}
