package zookeeper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// DialExhibitor connects to an ensemble of ZooKeeper whose servers Exhibitor knows, and returns a Client. addr names one
// or more Exhibitors of it, separated by commas, each as host, host:port, or as a URL. All servers in the list are used.
// It is asked for in the background again and again, so that the client follows an ensemble that moves; while no
// Exhibitor answers well, the list is what it was last.
//
// It fails as [Dial] does, with reception.ErrBadResponse if there was an answer that is no list, and with
// reception.ErrEmptyServerList if there is no server in it.
func DialExhibitor(ctx context.Context, addr string, opts ...Option) (reception.Client, error) {
	return clientOf(open(ctx, "DialExhibitor", addr, opts, dialExhibitor))
}

// DialExhibitorBackend is [DialExhibitor] for those who make the Client themselves, as with [DialBackend].
func DialExhibitorBackend(ctx context.Context, addr string, opts ...Option) (driver.Backend, error) {
	return backendOf(open(ctx, "DialExhibitorBackend", addr, opts, dialExhibitor))
}

func dialExhibitor(ctx context.Context, addr string, s *settings) (*backend, error) {
	if len(s.servers) > 0 {
		return nil, errors.New("WithServers: the servers are Exhibitor's to say")
	}
	e, err := newExhibitor(append([]string{addr}, s.exhibitors...))
	if err != nil {
		return nil, err
	}
	list, err := e.ask(ctx)
	if err != nil {
		return nil, err
	}
	servers := newHosts(list)
	b, err := connect(ctx, servers, s)
	if err != nil {
		return nil, err
	}
	b.tasks.run(func() { b.followList(e, servers, list) })
	return b, nil
}

// followList keeps the list of servers up to date.
func (b *backend) followList(e *exhibitor, servers *hosts, last []string) {
	for pause(b.life, b.settings.poll) {
		list, err := e.ask(b.life)
		switch {
		case b.life.Err() != nil:
			return
		case err != nil:
			b.log.Printf("reception: zookeeper: the servers are taken to be the same as before: %v", err)
		case !slices.Equal(list, last):
			b.log.Printf("reception: zookeeper: the servers are now %s", strings.Join(list, ", "))
			servers.set(list)
			last = list
		}
	}
}

// The limits of one answer of Exhibitor.
const (
	exhibitorLimit = 3 * time.Second
	exhibitorSize  = 1 << 20
)

// exhibitorPath is where Exhibitor has its list of servers.
const exhibitorPath = "/exhibitor/v1/cluster/list"

// An exhibitor asks one or more Exhibitors for the list of servers.
type exhibitor struct {
	urls   []string
	client *http.Client
}

// newExhibitor reads lists of Exhibitors.
func newExhibitor(lists []string) (*exhibitor, error) {
	transport, is := http.DefaultTransport.(*http.Transport)
	if !is {
		transport = new(http.Transport)
	}
	transport = transport.Clone()
	transport.DisableKeepAlives = true // it is asked every now and then, and may have moved meanwhile
	e := &exhibitor{client: &http.Client{Transport: transport}}
	for _, list := range lists {
		for text := range strings.SplitSeq(list, ",") {
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			address, err := parseExhibitor(text)
			if err != nil {
				return nil, err
			}
			e.urls = append(e.urls, address)
		}
	}
	if len(e.urls) == 0 {
		return nil, errors.New("no Exhibitor is named, as in 10.0.0.1:8080")
	}
	return e, nil
}

// parseExhibitor reads host, host:port, or a URL with the scheme http or https. A path in it is what Exhibitor's own
// begins with.
func parseExhibitor(text string) (string, error) {
	full := text
	if !strings.Contains(text, "://") {
		full = "http://" + text
	}
	parsed, err := url.Parse(full)
	if err != nil || parsed.Hostname() == "" || parsed.Scheme != "http" && parsed.Scheme != "https" ||
		parsed.RawQuery != "" || parsed.Fragment != "" {
		return "", fmt.Errorf("exhibitor %q: must look like 10.0.0.1:8080, or be a URL with http or https", text)
	}
	return parsed.JoinPath(exhibitorPath).String(), nil
}

// ask asks the Exhibitors, beginning with one at random, until one has answered well.
func (e *exhibitor) ask(ctx context.Context) ([]string, error) {
	var errs []error
	for _, i := range rand.Perm(len(e.urls)) {
		servers, err := e.askOne(ctx, e.urls[i])
		if err == nil {
			return servers, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w: asking Exhibitor: %w", driver.ErrUnavailable, ctx.Err())
		}
		errs = append(errs, fmt.Errorf("%s: %w", e.urls[i], err))
	}
	return nil, errors.Join(errs...)
}

// askOne asks one Exhibitor.
func (e *exhibitor) askOne(ctx context.Context, address string) ([]string, error) {
	limited, cancel := context.WithTimeoutCause(ctx, exhibitorLimit, lateError(exhibitorLimit))
	defer cancel()
	request, err := http.NewRequestWithContext(limited, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json") // or else it is a matter of its mood
	response, err := e.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", driver.ErrUnavailable, endOf(limited, err))
	}
	defer response.Body.Close() //nolint:errcheck // all that matters was read
	body, err := io.ReadAll(io.LimitReader(response.Body, exhibitorSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", driver.ErrUnavailable, endOf(limited, err))
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: status %s", driver.ErrBadResponse, response.Status)
	case len(body) > exhibitorSize:
		return nil, fmt.Errorf("%w: more than %d bytes", driver.ErrBadResponse, exhibitorSize)
	}
	return parseList(body)
}

// endOf says what ended a request: its time, or else err.
func endOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// parseList reads Exhibitor's answer: JSON, or its form encoding. It has host names, and one port for all of them.
func parseList(body []byte) ([]string, error) {
	var list struct {
		Servers []string `json:"servers"`
		Port    int      `json:"port"`
	}
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "{") {
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return nil, fmt.Errorf("%w: %w", driver.ErrBadResponse, err)
		}
	} else {
		form, err := url.ParseQuery(text)
		count, countErr := strconv.Atoi(form.Get("count"))
		port, portErr := strconv.Atoi(form.Get("port"))
		if err := errors.Join(err, countErr, portErr); err != nil {
			return nil, fmt.Errorf("%w: it is neither JSON nor a form with count and port: %.60q", driver.ErrBadResponse, text)
		}
		list.Port = port
		for i := range min(count, len(form)) {
			list.Servers = append(list.Servers, form.Get(fmt.Sprintf("server%d", i)))
		}
	}
	if len(list.Servers) == 0 {
		return nil, driver.ErrEmptyServerList
	}
	if list.Port < 1 || list.Port > 65535 {
		return nil, fmt.Errorf("%w: the port is %d", driver.ErrBadResponse, list.Port)
	}
	servers := make([]string, 0, len(list.Servers))
	for _, host := range list.Servers {
		if host == "" || strings.ContainsAny(host, "/?#@ ") {
			return nil, fmt.Errorf("%w: a server is called %q", driver.ErrBadResponse, host)
		}
		servers = append(servers, serverAt(host, strconv.Itoa(list.Port)))
	}
	slices.Sort(servers)
	return slices.Compact(servers), nil
}
