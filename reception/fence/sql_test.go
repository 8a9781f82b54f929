package fence_test

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/go-reception/sdk/reception/fence"
)

// setBalance writes in the name of the term that has the token. The database compares the token that it has stored and
// stores the new one in the same statement, so no transaction is needed.
func setBalance(ctx context.Context, db *sql.DB, token uint64, account string, balance int64) error {
	result, err := db.ExecContext(ctx,
		"UPDATE account SET balance = ?, token = ? WHERE id = ? AND token <= ?", balance, int64(token), account, int64(token))
	if err != nil {
		return err
	}
	changed, err := result.RowsAffected()
	if err == nil && changed == 0 {
		return fmt.Errorf("balance of %s: %w", account, fence.ErrStale) // or there is no such account
	}
	return err
}

// claim is a new leader's first act. What it reads after that, nobody else changes.
func claim(ctx context.Context, db *sql.DB, token uint64, account string) error {
	result, err := db.ExecContext(ctx, "UPDATE account SET token = ? WHERE id = ? AND token <= ?", int64(token), account, int64(token))
	if err != nil {
		return err
	}
	changed, err := result.RowsAffected()
	if err == nil && changed == 0 {
		return fmt.Errorf("claim %s: %w", account, fence.ErrStale)
	}
	return err
}

// A row keeps the token beside the value, and one statement compares and sets both.
func Example_sql() {
	ctx := context.Background()
	db := openAccounts() // a database with the one account "alice"
	defer func() { _ = db.Close() }()

	fmt.Println(claim(ctx, db, 33, "alice"), setBalance(ctx, db, 33, "alice", 90))
	fmt.Println(claim(ctx, db, 34, "alice"), setBalance(ctx, db, 34, "alice", 80))
	fmt.Println(setBalance(ctx, db, 33, "alice", 70)) // of the one who was paused
	// Output:
	// <nil> <nil>
	// <nil> <nil>
	// balance of alice: the fencing token is of an earlier term
}
