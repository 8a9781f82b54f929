package gen

import "go/ast"

// A Spec is a loaded and checked specification. Load is the only way to one, so everything below may rely on names
// being resolved and rules being sound.
type Spec struct {
	// Digest identifies the content: equal for specs that mean the same, whatever their comments and layout.
	Digest     string
	Types      []*Type
	Errors     []*Error
	Records    []*Record
	Operations []*Operation
	Interfaces []*Interface
}

// A Position is where something stands in the spec's file, counted from 1.
type Position struct{ Line, Column int }

// A Type is a scalar with constraints, a map or a struct.
type Type struct {
	Pos      Position
	Name     string
	Doc      string
	Packages []string // where it is emitted: reception, driver, both; none for a scalar that is only a constraint
	Base     string   // string or int: a scalar
	Named    bool     // a scalar that is a Go type of its own
	Map      *MapType // a map
	Fields   []*Field // a struct
	Length   *Range   // bytes of a string, entries of a map
	Range    *Range   // values of an int
	Pattern  string   // regular expression that a string must match
	Format   string   // host, utf8
	Says     string   // the constraint as an error message says it
}

// A MapType names the types of a map's keys and values.
type MapType struct{ Key, Value *Type }

// A Range has inclusive bounds.
type Range struct{ Min, Max int }

// A Field is a field of a struct, a record, a request or a response, or a parameter of an interface's method.
type Field struct {
	Pos      Position
	Name     string
	Doc      string
	Type     TypeRef
	JSON     string   // the JSON name; empty for none
	Optional bool     // an empty value passes the type's constraint
	Require  []string // parameters: optional fields of the struct that must not be empty here
	Only     []string // parameters: the only fields of the struct that are checked here
}

// A TypeRef is a Go type expression in which names of the spec may occur. Its method Go writes it as Go code.
type TypeRef struct {
	Pos    Position
	Text   string   // in gofmt's form, with the names as the spec has them
	Expr   ast.Expr // Text, parsed; an *ast.Ellipsis for a variadic parameter
	Type   *Type    // the spec's type that the expression is or points to; nil for others
	Record *Record  // the same for a record
	home   string   // the package that the reference stands in
	names  map[string]named
}

// An Error is a sentinel error.
type Error struct {
	Pos     Position
	Name    string // without Err
	Doc     string
	Origin  Origin
	Adapter string // the adapter that raises it, for OriginAdapter
	Message string
}

// An Origin says who may raise an error.
type Origin string

// The origins, in the order in which they are presented.
const (
	OriginAny       Origin = "any"       // any operation
	OriginOperation Origin = "operation" // those that declare it
	OriginClient    Origin = "client"    // the SDK, above the SPI
	OriginAdapter   Origin = "adapter"   // one adapter
)

// A Record is a kind of thing that backends store.
type Record struct {
	Pos        Position
	Name       string // lower case, as rules write it; GoName is the Go type
	Doc        string
	Scope      *Path // what lists and watches select by
	Key        *Path // what identifies a record within its scope
	Order      *Path // set by the backend at creation, growing
	Session    *Path // set by the backend; nil for permanent records
	Owner      *Path // nil where records have none
	Generation *Path // nil where records have none
	Permanent  bool
	Fields     []*Field
	source     *mapping
}

// GoName is the name of the record's Go type, in package driver.
func (r *Record) GoName() string { return upperFirst(r.Name) }

// A Path selects a field, or a field of a field, of a record or a request.
type Path struct {
	Pos    Position
	Names  []string
	Fields []*Field // resolved, one for each of Names
}

// An Operation is one method of the SPI.
type Operation struct {
	Pos        Position
	Name       string
	Doc        string
	Stream     bool
	Atomic     bool
	Readonly   bool
	Idempotent bool
	Blocking   bool
	In, Out    []*Field
	Errors     []*Error
	Rules      []*Rule
	Watches    *Record // what a stream delivers
}

// A Rule is one step of an operation's meaning. Verb says which of the attributes are set; grammar.go has the table.
type Rule struct {
	Pos        Position
	Verb       Verb
	Record     *Record // what the rule works on; nil for sessions
	Mode       Mode    // put
	Scope, Key *Path
	ID         *Path // the session that a session rule names
	TTL        *Path
	Token      *Path
	Session    *Path // put: the session to live on
	Owner      *Path
	Generation *Path
	From       *Path // put: the input that is the record
	Set        []Assignment
	Else       *Error            // raised when the rule's condition does not hold
	Missing    Outcome           // what an absent record, or session, leads to
	Absent     Outcome           // require owner: what an absent record leads to
	Exists     Outcome           // put create: what a present record leads to
	Head       bool              // watch: the head of the queue only
	Into       map[string]*Field // result of the verb -> field of the response
	source     *mapping
}

// An Outcome is what a case leads to: nothing stated, fine, or an error.
type Outcome struct {
	OK    bool
	Error *Error
}

// An Assignment gives a field of a record the value of an input.
type Assignment struct{ To, From *Path }

// A Verb is what a rule does.
type Verb string

// The verbs. Each is one method of the fake's kernel.
const (
	VerbOpen          Verb = "open session"
	VerbRenew         Verb = "renew session"
	VerbClose         Verb = "close session"
	VerbRequireLive   Verb = "require session"
	VerbRequireTerm   Verb = "require term"
	VerbRequireOwner  Verb = "require owner"
	VerbRequireAbsent Verb = "require absent"
	VerbPut           Verb = "put"
	VerbUpdate        Verb = "update"
	VerbDelete        Verb = "delete"
	VerbGet           Verb = "get"
	VerbList          Verb = "list"
	VerbNames         Verb = "names"
	VerbCount         Verb = "count"
	VerbHead          Verb = "head"
	VerbAwait         Verb = "await turn"
	VerbWatch         Verb = "watch"
)

// A Mode is how a put treats a record that is there already.
type Mode string

// The modes of put.
const (
	ModeCreate   Mode = "create"   // leaves it
	ModeInPlace  Mode = "inplace"  // overwrites it where it stands in the order
	ModeTakeOver Mode = "takeover" // its owner's: overwrites it in place; another's: replaces it, at the end of the order
)

// An Interface is one of the SDK's public interfaces.
type Interface struct {
	Pos     Position
	Name    string
	Doc     string
	Methods []*Method
}

// A Method is a method of an Interface.
type Method struct {
	Pos    Position
	Name   string
	Doc    string
	In     []*Field
	Out    []TypeRef
	Errors []*Error
}
