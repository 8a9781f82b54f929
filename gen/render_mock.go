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
	Parameters string // of the mock's method
	Results    string
	Returns    []mockReturn
	Expected   string // parameters of the recorder's method
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
	free := allocator("context", "driver", "gomock", "reception", "reflect", "time")
	names := make([]string, len(parameters))
	for i := range parameters {
		names[i] = free(parameters[i].name)
		parameters[i].name = names[i]
	}
	m := mockMethod{
		Name: name, Parameters: signature(parameters), Results: results(returned),
		Mock: free("m"), Recorder: free("mr"), All: free("all"), Each: free("each"), Method: free("method"),
	}
	m.Fixed = strings.Join(names, ", ")
	if n := len(parameters) - 1; n >= 0 && strings.HasPrefix(parameters[n].goType, "...") {
		m.Fixed, m.Variadic, m.Any = strings.Join(names[:n], ", "), names[n], parameters[n].goType == "...any"
	}
	m.pass()
	for i := range parameters {
		parameters[i].goType = "any"
	}
	if m.Variadic != "" {
		parameters[len(parameters)-1].goType = "...any"
	}
	m.Expected = signature(parameters)
	if len(returned) > 0 {
		m.Result = free("ret")
	}
	for i, result := range returned {
		m.Returns = append(m.Returns, mockReturn{free(fmt.Sprint("ret", i)), result, fmt.Sprintf("%s[%d]", m.Result, i)})
	}
	return m
}

// pass sets what the mock's and the recorder's method pass on.
func (m *mockMethod) pass() {
	switch {
	case m.Variadic != "":
		m.Passed = ", " + m.All + "..."
	case m.Fixed != "":
		m.Passed = ", " + m.Fixed
	}
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
