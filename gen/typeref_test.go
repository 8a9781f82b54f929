package gen

import (
	"fmt"
	"strings"
	"testing"
)

// typesSpec has every sort of name that a type expression can use.
const typesSpec = `types:
  - {name: Limit, doc: Limit., base: int, range: [0, 9], says: must be 0 to 9}
  - {name: ID, doc: ID., packages: [driver], base: string, named: true}
  - {name: Shared, doc: Shared., packages: [reception, driver], fields: [{name: A, type: Limit, doc: A.}]}
  - {name: Inner, doc: Inner., packages: [driver], fields: [{name: A, type: Shared, doc: A.}]}
  - {name: Public, doc: Public., packages: [reception], fields: [{name: A, type: %q, doc: A.}]}
` + least + `interfaces:
  - {name: Doer, doc: Doer., methods: [{name: Do, doc: Do does., in: [{name: args, type: "...Limit"}]}]}
`

func TestTypeRefGo(t *testing.T) {
	for text, want := range map[string]struct{ reception, driver, elsewhere string }{
		"string":                     {"string", "string", "string"},
		"Limit":                      {"int", "int", "int"},
		"ID":                         {"driver.ID", "ID", "driver.ID"},
		"*Shared":                    {"*Shared", "*Shared", "*reception.Shared"},
		"[]*Inner":                   {"[]*driver.Inner", "[]*Inner", "[]*driver.Inner"},
		"map[ID]Doer":                {"map[driver.ID]Doer", "map[ID]reception.Doer", "map[driver.ID]reception.Doer"},
		"<-chan *Shared":             {"<-chan *Shared", "<-chan *Shared", "<-chan *reception.Shared"},
		"chan<- Limit":               {"chan<- int", "chan<- int", "chan<- int"},
		"chan any":                   {"chan any", "chan any", "chan any"},
		"func()":                     {"func()", "func()", "func()"},
		"func(err error, of ID) int": {"func(error, driver.ID) int", "func(error, ID) int", "func(error, driver.ID) int"},
		"func(a, b ID) (int, error)": {
			"func(driver.ID, driver.ID) (int, error)", "func(ID, ID) (int, error)", "func(driver.ID, driver.ID) (int, error)",
		},
		"func(...ID)":               {"func(...driver.ID)", "func(...ID)", "func(...driver.ID)"},
		"iter.Seq[*Shared]":         {"iter.Seq[*Shared]", "iter.Seq[*Shared]", "iter.Seq[*reception.Shared]"},
		"iter.Seq2[ID,  time.Time]": {"iter.Seq2[driver.ID, time.Time]", "iter.Seq2[ID, time.Time]", "iter.Seq2[driver.ID, time.Time]"},
		"context.CancelFunc":        {"context.CancelFunc", "context.CancelFunc", "context.CancelFunc"},
	} {
		t.Run(text, func(t *testing.T) {
			spec, err := Load("spec.yaml", fmt.Appendf(nil, typesSpec, text))
			if err != nil {
				t.Fatal(err)
			}
			ref := spec.Types[4].Fields[0].Type
			got := [3]string{ref.Go("reception"), ref.Go("driver"), ref.Go("mock")}
			if got != [3]string{want.reception, want.driver, want.elsewhere} {
				t.Errorf("got %q, want %q", got, want)
			}
			if strings.Contains(text, "Shared") && (ref.Type == spec.Types[2]) != (text == "*Shared") {
				t.Errorf("the type is %v", ref.Type)
			}
		})
	}
}

// A name that two packages have is qualified, elsewhere, by the one in which it is used.
func TestTypeRefHome(t *testing.T) {
	spec, err := Load("spec.yaml", fmt.Appendf(nil, typesSpec, "Shared"))
	if err != nil {
		t.Fatal(err)
	}
	inner, public := spec.Types[3].Fields[0].Type, spec.Types[4].Fields[0].Type
	if got := inner.Go("fake"); got != "driver.Shared" {
		t.Errorf("a driver's field: %s", got)
	}
	if got := public.Go("mock"); got != "reception.Shared" {
		t.Errorf("a public field: %s", got)
	}
	if got := spec.Interfaces[0].Methods[0].In[0].Type.Go("mock"); got != "...int" {
		t.Errorf("a variadic parameter: %s", got)
	}
	if got := spec.Types[2].Go("reception"); got != "Shared" {
		t.Errorf("a type: %s", got)
	}
}
