package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-reception/sdk/reception"
	"github.com/go-reception/sdk/reception/driver"
)

// skewMost is how far apart clocks may be before somebody should hear of it.
const skewMost = 5 * time.Second

// servers asks the servers about themselves.
func (e *Examination) servers(ctx context.Context) []Finding {
	sent := time.Now()
	servers, err := reception.Inspect(ctx, e.Client)
	received := time.Now()
	if errors.Is(err, errors.ErrUnsupported) {
		return []Finding{{Check: "servers", State: Unknown, Detail: "this backend tells nothing about its servers"}}
	}
	if err != nil {
		return []Finding{failure("servers", err)}
	}
	var findings []Finding
	versions := map[string]bool{}
	for _, s := range servers {
		findings = append(findings, about(s))
		if s.Version != "" {
			versions[s.Version] = true
		}
	}
	if len(versions) > 1 {
		findings = append(findings, Finding{
			Check: "versions", State: Warning, Detail: fmt.Sprintf("the servers run %d versions", len(versions)),
			Fix: "finish the upgrade: mixed versions are for the time in between",
		})
	}
	return append(findings, clock(servers, sent, received))
}

// about puts what one server says into words.
func about(s driver.Server) Finding {
	if s.Err != nil {
		f := failure("server", fmt.Errorf("%s: %w", s.Address, s.Err))
		f.State = Warning // others answer, or this examination would not have begun
		if f.Fix == "" {
			f.Fix = "see to that server, or take it out of the address"
		}
		return f
	}
	detail := []string{s.Address}
	if s.Version != "" {
		detail = append(detail, "version "+s.Version)
	}
	if s.Role != "" {
		detail = append(detail, s.Role)
	}
	return Finding{Check: "server", State: OK, Detail: strings.Join(detail, ", ")}
}

// clock compares the servers' clocks with ours, for those that show one. They answered between sent and received.
func clock(servers []driver.Server, sent, received time.Time) Finding {
	const needless = "Reception compares no clocks; only their rates matter"
	var worst time.Duration
	var where string
	for _, s := range servers {
		if s.Clock.IsZero() {
			continue
		}
		if skew := skewOf(s.Clock, sent, received); where == "" || skew.Abs() > worst.Abs() {
			worst, where = skew, s.Address
		}
	}
	if where == "" {
		return Finding{Check: "clock", State: Unknown, Detail: "no server shows its clock; " + needless}
	}
	f := Finding{Check: "clock", State: OK, Detail: fmt.Sprintf("that of %s is %v off ours at the most; %s",
		where, worst.Round(time.Millisecond), needless)}
	if worst.Abs() > skewMost {
		f.State = Warning
		f.Fix = "have both machines keep the time (NTP): logs cannot be compared, and certificates may seem to be out of date"
	}
	return f
}

// skewOf returns by how much a clock is certainly off that was read between sent and received, to the second.
func skewOf(shown, sent, received time.Time) time.Duration {
	switch {
	case shown.Before(sent.Add(-time.Second)): // it may be cut to the second
		return shown.Sub(sent)
	case shown.After(received):
		return shown.Sub(received)
	}
	return 0
}
