//go:build race

package chaos_test

// The race detector makes a schedule take many times as long, and looks for something else: it finds that in a few.
const schedulesByDefault = 250
