package gen

import (
	"fmt"
	"slices"
	"strings"
)

// A mock is the mock of one interface, in the shape that mockgen gives it.
type mock struct {
	Name    string
	Of      string // the interface
	Methods []mockMethod
}

// A mockMethod is one method of a mock, and the one of its recorder that expects a call of it.
type mockMethod struct {
	Name       string
	parameters []parameter
	Results    string
	Returns    []mockReturn
	Fixed      string // the arguments but for the variadic one
	Variadic   string // the variadic one, empty for none
	Any        bool   // the variadic one is of any type
	Passed     string // what both methods pass on, behind a comma

	// Names that no parameter has.
	Mock, Recorder, All, Each, Method, Result string
}

// A mockReturn is one result of a mock's method.
type mockReturn struct {
	Name, Type, Value string
}

// Mocks are the mocks of the spec's interfaces.
func (p *page) Mocks() []mock {
	var all []mock
	for _, i := range p.Interfaces {
		m := mock{Name: "Mock" + i.Name, Of: "reception." + i.Name}
		for _, method := range i.Methods {
			m.Methods = append(m.Methods, newMockMethod(method.Name, p.parameters(method.In), p.goTypes(method.Out)))
		}
		all = append(all, m)
	}
	return all
}

// BackendMock is the mock of the interface that adapters implement.
func (p *page) BackendMock() mock {
	m := mock{Name: "MockBackend", Of: "driver.Backend"}
	m.Methods = append(m.Methods, newMockMethod("Name", nil, []string{"string"}))
	for _, o := range p.Operations {
		parameters := []parameter{{"ctx", "context.Context"}, {"request", "*driver." + o.Name + "Request"}}
		result := "*driver." + o.Name + "Response"
		if o.Stream {
			result = "driver." + o.Watches.GoName() + "Stream"
		}
		m.Methods = append(m.Methods, newMockMethod(o.Method(), parameters, []string{result, "error"}))
	}
	m.Methods = append(m.Methods, newMockMethod("Close", nil, []string{"error"}))
	return m
}

func newMockMethod(name string, parameters []parameter, returned []string) mockMethod {
	m := mockMethod{Name: name, Results: results(returned)}
	free := allocator("context", "driver", "gomock", "reception", "reflect", "time")
	for _, p := range parameters {
		m.parameters = append(m.parameters, parameter{free(p.name), p.goType})
	}
	m.Mock, m.Recorder, m.All, m.Each, m.Method = free("m"), free("mr"), free("all"), free("each"), free("method")
	if len(returned) > 0 {
		m.Result = free("ret")
	}
	for i, goType := range returned {
		m.Returns = append(m.Returns, mockReturn{free(fmt.Sprint("ret", i)), goType, fmt.Sprintf("%s[%d]", m.Result, i)})
	}
	m.pass()
	return m
}

// pass sets what the mock's and the recorder's method pass on.
func (m *mockMethod) pass() {
	var fixed []string
	for _, p := range m.parameters {
		if strings.HasPrefix(p.goType, "...") {
			m.Variadic, m.Any = p.name, p.goType == "...any"
			continue
		}
		fixed = append(fixed, p.name)
	}
	m.Fixed = strings.Join(fixed, ", ")
	switch {
	case m.Variadic != "":
		m.Passed = ", " + m.All + "..."
	case m.Fixed != "":
		m.Passed = ", " + m.Fixed
	}
}

// Parameters are those of the mock's method.
func (m mockMethod) Parameters() string { return signature(m.parameters) }

// Expected are the parameters of the recorder's method, each of which may be a matcher.
func (m mockMethod) Expected() string {
	expected := make([]parameter, len(m.parameters))
	for i, p := range m.parameters {
		expected[i] = parameter{p.name, "any"}
		if p.name == m.Variadic {
			expected[i].goType = "...any"
		}
	}
	return signature(expected)
}

// Returned are the results as the mock's method returns them.
func (m mockMethod) Returned() string {
	names := make([]string, len(m.Returns))
	for i, r := range m.Returns {
		names[i] = r.Name
	}
	return strings.Join(names, ", ")
}

// allocator hands out names, with a number where one was handed out before or is taken from the start.
func allocator(taken ...string) func(name string) string {
	return func(name string) string {
		free := name
		for n := 2; slices.Contains(taken, free); n++ {
			free = fmt.Sprint(name, n)
		}
		taken = append(taken, free)
		return free
	}
}
