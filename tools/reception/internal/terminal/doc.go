// Package terminal writes for people: tables, colours, a table that is kept up to date in place, and a word about what
// takes its time.
//
// Colours and what moves are for terminals only. NO_COLOR, set to anything, and TERM=dumb turn colours off. Whatever is
// no printable character is shown in a Go string's notation, so that nothing that somebody has registered can steer the
// terminal of who looks at it.
package terminal
