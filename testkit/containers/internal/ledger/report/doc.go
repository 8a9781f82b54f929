// Package report is what the ledger writes: figures as a table for people, as
// JSON for machines, and as plots; what they are held against; and the notes that
// people have added.
package report
