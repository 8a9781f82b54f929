package terminal

import (
	"fmt"
	"sync"
	"time"
)

// patience is after how long people are told what is waited for.
const patience = time.Second

// Progress says on a terminal what is waited for, and for how long, once it takes more than a second. The function that
// it returns ends that and wipes it away; it may be called more than once.
func Progress(out *Output, what string) (done func()) {
	if !out.IsTerminal() {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tell(out, what, stop)
	}()
	return sync.OnceFunc(func() {
		close(stop)
		<-stopped
	})
}

// tell writes the line every second until stop is closed.
func tell(out *Output, what string, stop <-chan struct{}) {
	ticks := time.NewTicker(patience)
	defer ticks.Stop()
	for n := 1; ; n++ {
		select {
		case <-stop:
			if n > 1 {
				_, _ = fmt.Fprint(out, "\r\x1b[K") // there is nobody else to tell
			}
			return
		case <-ticks.C:
			columns, _ := out.size()
			text := cut(fmt.Sprintf("%s … %v", Printable(what), time.Duration(n)*patience), columns-1)
			_, _ = fmt.Fprint(out, "\r\x1b[K"+out.Paint(Dim, text)) // as above
		}
	}
}
