package cli

import (
	"encoding/json"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/tools/reception/internal/terminal"
)

// A serviceView is an instance as programs read it.
type serviceView struct {
	Name       string               `json:"name"`
	ID         string               `json:"id"`
	Address    string               `json:"address,omitempty"`
	Port       int                  `json:"port"`
	Attributes reception.Attributes `json:"attributes"`
}

// viewOf returns the view of one instance.
func viewOf(s *reception.Service) serviceView {
	v := serviceView{Name: s.Name, ID: s.ID, Address: s.Address, Port: s.Port, Attributes: s.Attributes}
	if v.Attributes == nil {
		v.Attributes = reception.Attributes{}
	}
	return v
}

// viewsOf returns the views of some, never nil, because programs want a list.
func viewsOf(services []*reception.Service) []serviceView {
	views := make([]serviceView, 0, len(services))
	for _, s := range services {
		views = append(views, viewOf(s))
	}
	return views
}

// A leaderView is who leads an election, as programs read it.
type leaderView struct {
	Election string       `json:"election"`
	Leader   *serviceView `json:"leader"` // null: nobody
	Token    uint64       `json:"token,omitempty"`
	Error    string       `json:"error,omitempty"`
}

// leaderOf returns the view of a leader, who may be nobody.
func leaderOf(election string, leader *reception.Leader) leaderView {
	v := leaderView{Election: election}
	if leader != nil {
		service := viewOf(leader.Service)
		v.Leader, v.Token = &service, leader.Token
	}
	return v
}

// document writes what a program reads as a whole.
func (a *app) document(v any) error {
	encoder := json.NewEncoder(a.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// line writes what a program reads line by line.
func (a *app) line(v any) error { return json.NewEncoder(a.out).Encode(v) }

// instances returns a table of instances of one name.
func instances(services []*reception.Service) *terminal.Table {
	t := &terminal.Table{Header: []string{"ID", "ADDRESS", "ATTRIBUTES"}}
	for _, s := range services {
		t.Row(terminal.Cells(s.ID, place(s), facts(s))...)
	}
	return t
}

// place returns where an instance is.
func place(s *reception.Service) string {
	switch {
	case s.Address == "":
		return "-"
	case s.Port == 0:
		return s.Address
	}
	return net.JoinHostPort(s.Address, strconv.Itoa(s.Port))
}

// facts returns the attributes in the order of their keys.
func facts(s *reception.Service) string {
	pairs := make([]string, 0, len(s.Attributes))
	for _, key := range slices.Sorted(maps.Keys(s.Attributes)) {
		pairs = append(pairs, key+"="+s.Attributes[key])
	}
	return strings.Join(pairs, " ")
}

// identity returns the name and the ID of an instance.
func identity(s *reception.Service) string { return s.Name + "/" + s.ID }

// plural counts things.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}
