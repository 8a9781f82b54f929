package fence_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// openAccounts returns a database of one table and one row that understands the two statements of the example.
func openAccounts() *sql.DB { return sql.OpenDB(&accounts{}) }

// accounts is the database: its driver, and its only row.
type accounts struct {
	mu             sync.Mutex
	balance, token int64
}

// Connect implements [driver.Connector].
func (a *accounts) Connect(context.Context) (driver.Conn, error) { return session{a}, nil }

// Driver implements [driver.Connector].
func (a *accounts) Driver() driver.Driver { return nil }

// A session is a connection, which has no state.
type session struct{ *accounts }

// Prepare implements [driver.Conn].
func (s session) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }

// Begin implements [driver.Conn].
func (s session) Begin() (driver.Tx, error) { return nil, errors.ErrUnsupported }

// Close implements [driver.Conn].
func (s session) Close() error { return nil }

// ExecContext implements [driver.ExecerContext].
func (s session) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	update, where, found := strings.Cut(query, " WHERE ")
	if !found || where != "id = ? AND token <= ?" {
		return nil, fmt.Errorf("not understood: %s", query)
	}
	values := make([]int64, 0, len(args))
	for _, arg := range args {
		if value, is := arg.Value.(int64); is {
			values = append(values, value)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if values[len(values)-1] < s.token {
		return driver.RowsAffected(0), nil
	}
	switch update {
	case "UPDATE account SET balance = ?, token = ?":
		s.balance, s.token = values[0], values[1]
	case "UPDATE account SET token = ?":
		s.token = values[0]
	default:
		return nil, fmt.Errorf("not understood: %s", query)
	}
	return driver.RowsAffected(1), nil
}
