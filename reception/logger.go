package reception

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"time"
)

// NewNilLogger returns a Logger that discards everything.
func NewNilLogger() Logger { return nilLogger{} }

type nilLogger struct{}

func (nilLogger) Printf(string, ...any) {}

// NewSlogLogger returns a Logger that hands each line to logger, as a message of level Info. It panics if logger is
// nil.
func NewSlogLogger(logger *slog.Logger) Logger {
	if logger == nil {
		panic("reception: NewSlogLogger: logger is nil; slog.Default() is the process's own")
	}
	return slogLogger{logger.Handler()}
}

type slogLogger struct{ handler slog.Handler }

// Printf formats nothing that nobody wants, and names its caller as the source of the line.
func (l slogLogger) Printf(format string, args ...any) {
	ctx := context.Background()
	if !l.handler.Enabled(ctx, slog.LevelInfo) {
		return
	}
	var caller [1]uintptr
	runtime.Callers(2, caller[:])
	record := slog.NewRecord(time.Now(), slog.LevelInfo, fmt.Sprintf(format, args...), caller[0])
	_ = l.handler.Handle(ctx, record) // as slog.Logger does: there is nobody to tell
}
