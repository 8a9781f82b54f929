package cli

import (
	"context"
	"errors"
	"testing"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// populate registers three instances of two names, and has one of them lead.
func populate(t *testing.T, cluster *fake.Cluster) reception.Term {
	t.Helper()
	c := client(t, cluster)
	services := []*reception.Service{
		{Name: "api", ID: "a1", Address: "10.0.0.7", Port: 8080, Attributes: reception.Attributes{"zone": "a", "note": "x\x1b[31m"}},
		{Name: "api", ID: "a2", Address: "fd00::8", Port: 80},
		{Name: "web", ID: "w1", Address: "web.example"},
	}
	for _, s := range services {
		if err := c.Register(t.Context(), s, nil); err != nil {
			t.Fatal(err)
		}
	}
	term, err := c.Campaign(t.Context(), "api", services[0])
	if err != nil {
		t.Fatal(err)
	}
	return term
}

func TestTables(t *testing.T) {
	cluster, url := newCluster(t)
	populate(t, cluster)
	run(t, url, "names").want(t, 0, "api\nweb\n")
	run(t, url, "list", "api").want(t, 0, `ID  ADDRESS        ATTRIBUTES
a1  10.0.0.7:8080  note=x\x1b[31m zone=a
a2  [fd00::8]:80
`)
	run(t, url, "leader", "api").want(t, 0, `ELECTION  LEADER  ADDRESS        TOKEN  ATTRIBUTES
api       api/a1  10.0.0.7:8080  4      note=x\x1b[31m zone=a
`)
	run(t, url, "status", "-e", "reaper", "-e", "api").want(t, 0, `2 names, 3 instances
NAME    INSTANCES  LEADER  TOKEN  WHERE
api     2          api/a1  4      10.0.0.7:8080, [fd00::8]:80
web     1          -       -      web.example
reaper  -          nobody  -
`)
}

func TestDocuments(t *testing.T) {
	cluster, url := newCluster(t)
	populate(t, cluster)
	run(t, url, "names", "-o", "json").want(t, 0, "[\n  \"api\",\n  \"web\"\n]\n")
	const a1 = `"name": "api",
    "id": "a1",
    "address": "10.0.0.7",
    "port": 8080,
    "attributes": {
      "note": "x\u001b[31m",
      "zone": "a"
    }
  }`
	run(t, url, "list", "api", "-o", "json").want(t, 0, `[
  {
    `+a1+`,
  {
    "name": "api",
    "id": "a2",
    "address": "fd00::8",
    "port": 80,
    "attributes": {}
  }
]
`)
	run(t, url, "leader", "api", "-o", "json").want(t, 0, `{
  "election": "api",
  "leader": {
    `+a1+`,
  "token": 4
}
`)
	run(t, url, "status", "-e", "reaper", "-o", "json").want(t, 0, `{
  "services": [
    {
      "name": "api",
      "instances": [
        {
          "name": "api",
          "id": "a1",
          "address": "10.0.0.7",
          "port": 8080,
          "attributes": {
            "note": "x\u001b[31m",
            "zone": "a"
          }
        },
        {
          "name": "api",
          "id": "a2",
          "address": "fd00::8",
          "port": 80,
          "attributes": {}
        }
      ]
    },
    {
      "name": "web",
      "instances": [
        {
          "name": "web",
          "id": "w1",
          "address": "web.example",
          "port": 0,
          "attributes": {}
        }
      ]
    }
  ],
  "elections": [
    {
      "election": "api",
      "leader": {
        "name": "api",
        "id": "a1",
        "address": "10.0.0.7",
        "port": 8080,
        "attributes": {
          "note": "x\u001b[31m",
          "zone": "a"
        }
      },
      "token": 4
    },
    {
      "election": "reaper",
      "leader": null
    }
  ]
}
`)
}

func TestNothingIsFound(t *testing.T) {
	_, url := newCluster(t)
	run(t, url, "names").want(t, exitNothing, "", "no service has an instance")
	run(t, url, "names", "-o", "json").want(t, exitNothing, "[]\n", "no service has an instance")
	run(t, url, "list", "api").want(t, exitNothing, "", "api has no instance")
	run(t, url, "list", "api", "-o", "json").want(t, exitNothing, "[]\n", "api has no instance")
	run(t, url, "leader", "api").want(t, exitNothing, "", "nobody leads api")
	run(t, url, "leader", "api", "-o", "json").want(t, exitNothing, "{\n  \"election\": \"api\",\n  \"leader\": null\n}\n", "nobody leads api")
	run(t, url, "status").want(t, 0, "0 names, 0 instances\n")
}

func TestTroubleWithTheBackend(t *testing.T) {
	cluster, url := newCluster(t)
	for _, test := range []struct {
		name   string
		fault  fake.Fault
		status int
		said   string
	}{
		{"unavailable", fake.Fault{Err: driver.ErrUnavailable}, exitUnavailable, "ListServices api on fake: backend unavailable"},
		{"refuses", fake.Fault{Err: driver.ErrPermission}, exitFailure, "permission denied"},
		{
			"does not answer",
			fake.Fault{Hook: func(ctx context.Context, _ driver.Call) error { <-ctx.Done(); return ctx.Err() }},
			exitUnavailable, "no answer within 50ms",
		},
		{"fails oddly", fake.Fault{Err: errors.New("odd")}, exitFailure, "odd"},
	} {
		test.fault.Operation, test.fault.Times = "ListServices", fake.Always
		remove, err := cluster.Inject(test.fault)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(test.name, func(t *testing.T) {
			run(t, url, "list", "api", "--timeout", "50ms").want(t, test.status, "", test.said)
		})
		remove()
	}
	run(t, url+"?prefix=away", "names").want(t, exitUnavailable, "", "it is away")
}

func TestMistakes(t *testing.T) {
	_, url := newCluster(t)
	for _, test := range []struct {
		args []string
		said string
	}{
		{[]string{"lst"}, "Did you mean this?\n\tlist"},
		{[]string{"list"}, "reception list takes the NAME of a service, got nothing"},
		{[]string{"list", "a", "b"}, `got ["a" "b"]`},
		{[]string{"list", "no/name"}, "must be 1 to 128 of A-Z a-z 0-9"},
		{[]string{"list", "a", "--prot", "1"}, "unknown flag: --prot; the flags of reception list are --help, --output"},
		{[]string{"names", "-o", "yaml"}, "must be table or json"},
		{[]string{"names", "x"}, `unknown command "x"`},
		{[]string{"elect", "x"}, "reception elect needs a command to run after --, as in: reception elect x -- ./run.sh"},
		{[]string{"elect", "x", "--"}, "needs a command"},
		{[]string{"elect"}, "takes the name of an ELECTION, got nothing"},
		{[]string{"elect", "x", "sleep", "1"}, "a command to run goes after --, as in: reception elect x -- sleep 1"},
		{[]string{"elect", "x", "--grace", "-1s", "--", "true"}, "--grace must not be negative"},
		{[]string{"elect", "x", "--grace", "14s", "--", "true"}, "grace too long for a term: 14.2s, where 12s is the most"},
		{[]string{"register", "x"}, "needs --address"},
		{[]string{"register", "x", "--address", "0.0.0.0"}, "must be a host name or an IP address that others can reach"},
		{[]string{"register", "x", "--address", "h", "--port", "65536"}, "must be 0 to 65535"},
		{[]string{"register", "x", "--address", "h", "--attr", "zone"}, "must look like key=value"},
		{[]string{"register", "x", "--address", "h", "--attr", "a=1", "--attr", "a=2"}, `"a" is given twice`},
		{[]string{"register", "x", "--address", "h", "--"}, "needs a command to run after --"},
		{[]string{"names", "--url", "etc://x"}, `unknown scheme "etc"`},
		{[]string{"names", "--url", "nonsense"}, "must look like scheme://"},
		{[]string{"names", "--url", url + "?tll=3s"}, `unknown parameter "tll"; known parameters: prefix`},
	} {
		if o := run(t, url, test.args...); o.status != exitUsage {
			t.Errorf("%v: exit status %d, want %d: %s", test.args, o.status, exitUsage, o.err)
		} else {
			o.want(t, exitUsage, "", test.said)
		}
	}
	run(t, "", "names").want(t, exitUsage, "", "no backend: give --url, or set RECEPTION_URL, as in --url etcd://")
}
