package gen

import "slices"

// expectMethod is the method that mocks have beside those of their interface.
const expectMethod = "EXPECT"

// takenNames are what hand-written code declares in the packages that generated code is part of. The compiler finds
// what is missing here; these are worth a message that speaks of the spec.
var takenNames = map[string][]string{
	packageDriver: {
		"Backend", "Batch", "Call", "Change", "Intercept", "Interceptor", "Operation", "Operations", "Stream",
	},
	packageReception: {
		"Address", "ElectorOption", "Error", "Event", "EventKind", "MakeService", "NewClient", "NewElector",
		"NewNilLogger", "NewSlogLogger", "Observer", "Open", "Opener", "Option", "Parameters", "RegisterScheme",
		"RunWhileLeader", "Schemes", "Watch", "WithAttributes", "WithBackoff", "WithDisconnectionCallback",
		"WithHostAndPort", "WithLogger", "WithObserver", "WithServiceID",
	},
	packageMock: {"MockBackend", "MockBackendMockRecorder", "NewMockBackend"},
	methodsOfBackend: {
		"Close", "Cut", expectMethod, "ExpireSessions", "Freeze", "Heal", "HideExpiry", "Inject", "Label", "Name",
		"SetClockRate", "Thaw",
	},
	functionsOfFake: {
		"armed", "call", "closer", "connection", "context", "driver", "errors", "exchange", "faults", "fmt", "history",
		"init", "kernel", "link", "linkState", "math", "maps", "mustBePositive", "mustNotBeNegative", "newHistory",
		"newTables", "openAddress", "open", "opened", "reception", "rules", "settings", "slices", "specRules", "stream", "sync",
		"tables", "time", "unary", "unknown",
	},
}

// Scopes of generated code beside packages driver and reception.
const (
	packageMock      = "mock"
	methodsOfBackend = "methods"
	functionsOfFake  = "fake"
	tablesOfFake     = "tables"
)

// scopeTitles are what messages call the scopes.
var scopeTitles = map[string]string{
	packageDriver: "in package driver", packageReception: "in package reception", packageMock: "in package mock",
	methodsOfBackend: "among the methods of a backend", functionsOfFake: "in package fake",
	tablesOfFake: "among the tables of the fake",
}

// A scope is a place in generated code in which a name can be declared once.
type scope struct {
	*checker
	name  string
	owner map[string]string // who declares a name
}

func (c *checker) scope(name string) scope {
	s := scope{c, name, map[string]string{}}
	for _, taken := range takenNames[name] {
		s.owner[taken] = "by hand"
	}
	return s
}

// declare notes a name that is declared already, and says whether it has. owner is what the spec calls the thing that
// the name is for.
func (s scope) declare(at Position, owner string, names ...string) (noted bool) {
	for _, name := range names {
		other, taken := s.owner[name]
		switch {
		case !taken:
			s.owner[name] = owner
		case other != owner: // the same kind of thing of the same name is noted as a duplicate
			s.add(at, "%s would be declared twice %s: %s and %s", name, scopeTitles[s.name], owner, other).
				expect("another name")
			return true
		}
	}
	return false
}

// checkClashes notes things of different names in the spec that have the same name in generated code.
func (c *checker) checkClashes() {
	driver, reception := c.scope(packageDriver), c.scope(packageReception)
	for _, t := range c.spec.Types {
		for _, s := range []scope{reception, driver} {
			if slices.Contains(t.Packages, s.name) {
				s.declare(t.Pos, "for type "+quoted(t.Name), t.Name)
			}
		}
		if t.Pattern != "" {
			reception.declare(t.Pos, "for type "+quoted(t.Name), patternName(t))
		}
		if slices.Contains(t.Packages, packageDriver) {
			c.checkClone(t.Fields)
		}
	}
	for _, e := range c.spec.Errors {
		if !reception.declare(e.Pos, "for error "+quoted(e.Name), e.Sentinel()) && e.Origin != OriginClient {
			driver.declare(e.Pos, "for error "+quoted(e.Name), e.Sentinel())
		}
	}
	tables := c.scope(tablesOfFake)
	for _, r := range c.spec.Records {
		owner := "for record " + quoted(r.Name)
		driver.declare(r.Pos, owner, r.GoName(), r.GoName()+"Stream")
		tables.declare(r.Pos, owner, lowerCamel(r.GoName(), "Rule"))
		c.checkClone(r.Fields)
	}
	c.checkOperationClashes(driver)
	c.checkInterfaceClashes(reception)
}

// checkClone notes fields that are called what a method of their struct is called.
func (c *checker) checkClone(fields []*Field) {
	for _, f := range fields {
		if f.Name == "Clone" {
			c.add(f.Pos, "field %s is called what the method that copies the struct is called", quoted(f.Name)).
				expect("another name")
		}
	}
}

func (c *checker) checkOperationClashes(driver scope) {
	methods, functions := c.scope(methodsOfBackend), c.scope(functionsOfFake)
	for _, o := range c.spec.Operations {
		if o.Name == "" {
			continue
		}
		owner := "for operation " + quoted(o.Name)
		driver.declare(o.Pos, owner, o.Name+"Request", "Op"+o.Name)
		if !o.Stream {
			driver.declare(o.Pos, owner, o.Name+"Response")
		}
		methods.declare(o.Pos, owner, o.Method())
		functions.declare(o.Pos, owner, lowerCamel(o.Name, "Rule"))
	}
}

func (c *checker) checkInterfaceClashes(reception scope) {
	mocks := c.scope(packageMock)
	for _, i := range c.spec.Interfaces {
		if i.Name == "" {
			continue
		}
		owner := "for interface " + quoted(i.Name)
		reception.declare(i.Pos, owner, i.Name)
		mocks.declare(i.Pos, owner, "Mock"+i.Name, "Mock"+i.Name+"MockRecorder", "NewMock"+i.Name)
	}
}
