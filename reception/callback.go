package reception

import (
	"log/slog"
	"runtime/debug"
)

// safely calls a function of the user's. What must not happen: it panics on a goroutine that nobody but the Client can
// recover, and takes the process down together with every heartbeat in it. So a panic ends the call and nothing else.
func (c *client) safely(name string, f func()) { safely(c.log, name, f) }

// safely is the same with a logger. A panic is never silent: where the user wants no log, it goes to slog's default.
func safely(log Logger, name string, f func()) {
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		if _, silent := log.(nilLogger); silent {
			log = NewSlogLogger(slog.Default())
		}
		log.Printf("reception: panic in %s: %v\n%s", name, reason, debug.Stack())
	}()
	f()
}
