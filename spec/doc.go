// Package spec holds no code. Its folder holds what the project's code is generated from, and what is best read next
// to it:
//
//   - reception.yaml: the types, errors, records, operations and interfaces, and what the operations mean
//   - GRAMMAR.md: every key and every rule that reception.yaml may have
//   - reception.schema.json: the same for editors, which complete and check the YAML by it (generated)
//   - OPERATIONS.md: the reference page (generated)
//
// After a change to reception.yaml, go generate ./... brings everything that derives from it up to date; the compiler
// and the conformance suite then name what is left to do by hand.
package spec

//go:generate go run github.com/go-reception/sdk/tools/receptiongen
