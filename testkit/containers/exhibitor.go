package containers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// exhibitorPath is where Exhibitor's REST API has its list of servers.
const exhibitorPath = "/exhibitor/v1/cluster/list"

// Exhibitor is an HTTP server that answers Exhibitor's request for the list of
// ZooKeeper servers, as JSON if the client asks for that and else in its form
// encoding, and can be told to answer badly. Exhibitor itself is no longer
// maintained; what a client needs of it is one request.
type Exhibitor struct {
	server *httptest.Server
	ended  chan struct{}

	mu       sync.Mutex
	servers  []string
	port     int
	trouble  ExhibitorTrouble
	requests int
}

// ExhibitorTrouble is a way of answering badly. The zero value answers well.
type ExhibitorTrouble struct {
	Delay  time.Duration // how long an answer takes
	Hang   bool          // never answers
	Status int           // answers with this HTTP status; 0: 200
	Body   string        // answers with this text
	Size   int           // answers with a list that is that many bytes long, or a little more
}

// StartExhibitor starts an Exhibitor that lists the servers' host names with one
// port for all of them, which is all that its list can say. It ends with the test.
func StartExhibitor(tb testing.TB, port int, servers ...string) *Exhibitor {
	tb.Helper()
	e := &Exhibitor{port: port, servers: servers, ended: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+exhibitorPath, e.list)
	e.server = httptest.NewServer(mux)
	tb.Cleanup(func() {
		close(e.ended)
		e.server.Close()
	})
	return e
}

// Addr returns the address as host:port.
func (e *Exhibitor) Addr() string { return e.server.Listener.Addr().String() }

// URL returns the address as a URL.
func (e *Exhibitor) URL() string { return e.server.URL }

// SetServers changes the list.
func (e *Exhibitor) SetServers(port int, servers ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.port, e.servers = port, servers
}

// SetTrouble changes how the following requests are answered.
func (e *Exhibitor) SetTrouble(trouble ExhibitorTrouble) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trouble = trouble
}

// Requests returns how many requests for the list have arrived.
func (e *Exhibitor) Requests() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requests
}

func (e *Exhibitor) list(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.requests++
	trouble, port, servers := e.trouble, e.port, e.servers
	e.mu.Unlock()
	if !e.wait(r, trouble) {
		return
	}
	asJSON := strings.Contains(r.Header.Get("Accept"), "application/json")
	if trouble.Size > 0 {
		servers = manyServers(trouble.Size)
	}
	body := trouble.Body
	if body == "" {
		body = formatServers(asJSON, port, servers)
	}
	kind := "application/x-www-form-urlencoded"
	if asJSON {
		kind = "application/json"
	}
	w.Header().Set("Content-Type", kind)
	if trouble.Status != 0 {
		w.WriteHeader(trouble.Status)
	}
	_, _ = w.Write([]byte(body)) // a client that has gone does not matter
}

// wait takes the time that the trouble asks for. It says whether the client is
// still there to be answered.
func (e *Exhibitor) wait(r *http.Request, trouble ExhibitorTrouble) bool {
	var delay <-chan time.Time
	switch {
	case trouble.Hang: // delay stays nil
	case trouble.Delay > 0:
		timer := time.NewTimer(trouble.Delay)
		defer timer.Stop()
		delay = timer.C
	default:
		return true
	}
	select {
	case <-delay:
		return true
	case <-r.Context().Done():
	case <-e.ended:
	}
	return false
}

// formatServers writes a list in one of Exhibitor's two ways.
func formatServers(asJSON bool, port int, servers []string) string {
	if asJSON {
		if servers == nil {
			servers = []string{}
		}
		text, err := json.Marshal(map[string]any{"servers": servers, "port": port})
		if err != nil {
			panic(fmt.Sprintf("containers: strings and a number have no JSON: %v", err))
		}
		return string(text)
	}
	form := url.Values{"count": {strconv.Itoa(len(servers))}, "port": {strconv.Itoa(port)}}
	for i, server := range servers {
		form.Set(fmt.Sprintf("server%d", i), server)
	}
	return form.Encode()
}

// manyServers returns a list whose answer has at least that many bytes.
func manyServers(size int) []string {
	var servers []string
	for total := 0; total < size; {
		server := fmt.Sprintf("server-%d.example.org", len(servers))
		servers, total = append(servers, server), total+len(server)
	}
	return servers
}
