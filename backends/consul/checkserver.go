package consul

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// checkTimeLimit is how long one exchange with the check server may take, each way. Consul's requests have no body.
const checkTimeLimit = 5 * time.Second

// resolveLimit is how long it may take to find out whether a host is this machine.
const resolveLimit = 2 * time.Second

// healthPath is below what Consul asks for the health of a session.
const healthPath = "/health/"

// A checkServer answers Consul's questions for the health of this process: for each session that is open it is well.
type checkServer struct {
	address string        // host:port, as Consul reaches it
	hide    time.Duration // how long Consul may be silent before one of its questions must have been lost
	miss    time.Duration // how long it may be silent before that is to be told
	log     reception.Logger
	server  *http.Server
	served  chan struct{} // closed when the server has returned

	mu       sync.Mutex
	expected map[driver.SessionID]*asks
	doubted  bool // Consul could not reach this process when it was last heard of
	answers  int  // how often it has
}

// An asks notes whether Consul asks for one session.
type asks struct {
	server  *checkServer
	session driver.SessionID
	hiding  *time.Timer // fires when a question must have been lost, so that Consul's check has failed
	missing *time.Timer // fires when Consul has not asked for so long that it is to be told of

	// Guarded by the server's mu:
	hidden bool // hiding has fired
	back   bool // Consul has asked again after that
	missed bool // missing has fired
}

// newCheckServer begins to listen where Consul is to ask.
func newCheckServer(s *settings) (*checkServer, error) {
	bind := s.listen
	if bind == "" {
		bind = bindAddress(s)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", net.JoinHostPort(bind, strconv.Itoa(s.port)))
	if err != nil {
		return nil, fmt.Errorf("the health check cannot be answered: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the health check cannot be answered: %w", err), listener.Close())
	}
	if s.advertisedPort > 0 {
		port = strconv.Itoa(s.advertisedPort)
	}
	c := &checkServer{
		address: net.JoinHostPort(s.host, port), hide: s.checkInterval * 7 / 4, miss: s.deregister, log: s.logger,
		served: make(chan struct{}), expected: make(map[driver.SessionID]*asks),
	}
	c.server = &http.Server{
		Handler: c, ReadHeaderTimeout: checkTimeLimit, ReadTimeout: checkTimeLimit, WriteTimeout: checkTimeLimit,
		IdleTimeout: 2 * s.checkInterval, MaxHeaderBytes: 16 << 10,
	}
	s.logger.Printf("reception: consul: health checks are answered on %s and asked for at %s", listener.Addr(), c.address)
	go func() {
		defer close(c.served)
		if err := c.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.logger.Printf("reception: consul: health checks are answered no more: %v", err)
		}
	}()
	return c, nil
}

// bindAddress returns where to listen: on the address that Consul is told if it is this machine's. A host that is not,
// because a translation of addresses lies in between, leaves nothing else than to listen everywhere.
func bindAddress(s *settings) string {
	ctx, cancel := context.WithTimeout(context.Background(), resolveLimit)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", s.host)
	if err == nil {
		own, err := net.InterfaceAddrs()
		for _, address := range own {
			prefix, parseErr := netip.ParsePrefix(address.String())
			for _, ip := range found {
				if err == nil && parseErr == nil && prefix.Addr().Unmap() == ip.Unmap().WithZone("") {
					return s.host
				}
			}
		}
	}
	s.logger.Printf("reception: consul: %s is no address of this machine, so health checks are answered on all of them; "+
		"WithListenHost says where else", s.host)
	return ""
}

// url is what Consul is to ask for a session.
func (c *checkServer) url(session driver.SessionID) string {
	return "http://" + c.address + healthPath + string(session)
}

// expect has the server answer for a session, until it is stopped.
func (c *checkServer) expect(session driver.SessionID) *asks {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &asks{server: c, session: session}
	note := func(fired *bool) func() {
		return func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			*fired, c.doubted = true, true
		}
	}
	a.hiding = time.AfterFunc(c.hide, note(&a.hidden))
	a.missing = time.AfterFunc(c.miss, note(&a.missed))
	c.expected[session] = a
	return a
}

// stop has the server answer no more.
func (a *asks) stop() {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	a.hiding.Stop()
	a.missing.Stop()
	delete(a.server.expected, a.session)
}

// failed says whether the session is gone as far as Consul's questions tell, and why: because there were none for so long
// that it is to be told of, or so long that readers have lost what lived on the session, before they came again.
func (a *asks) failed() error {
	a.server.mu.Lock()
	defer a.server.mu.Unlock()
	switch {
	case a.missed:
		return fmt.Errorf("%w for %v", driver.ErrNoConsulHealthCheck, a.server.miss)
	case a.back:
		return fmt.Errorf("consul had not asked for the health of this process for %v", a.server.hide)
	default:
		return nil
	}
}

// trusted says whether Consul can be taken to reach this process.
func (c *checkServer) trusted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.doubted
}

// distrust notes that Consul cannot reach this process, until it does. That is what a look at Consul has shown that was
// begun when so many questions had been answered; if there are more by now, it has shown what was before them.
func (c *checkServer) distrust(answers int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers == answers {
		c.doubted = true
	}
}

// answered returns how many questions were answered so far.
func (c *checkServer) answered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers
}

// ServeHTTP implements [http.Handler].
func (c *checkServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	code, body := http.StatusOK, `{"alive": true}`
	if !c.asked(r.URL.Path) {
		code, body = http.StatusNotFound, `{"alive": false}`
	}
	c.log.Printf("reception: consul: health check from %s: %s %.100q %d", r.RemoteAddr, r.Method, r.URL.Path, code)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(body)) // who has asked may have gone
}

// asked notes that Consul has asked, and reports whether it is for a session that is open.
func (c *checkServer) asked(path string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(path) <= len(healthPath) || path[:len(healthPath)] != healthPath {
		return false
	}
	a := c.expected[driver.SessionID(path[len(healthPath):])]
	if a == nil {
		return false
	}
	c.doubted = false
	c.answers++
	a.back = a.hidden
	a.hiding.Reset(c.hide)
	a.missing.Reset(c.miss)
	return true
}

// close ends the server and its connections.
func (c *checkServer) close() error {
	err := c.server.Close()
	<-c.served
	return err
}
