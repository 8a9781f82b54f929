// Package house holds nothing but tests: of who may import whom in this
// repository (laws_test.go is the list), and of the few facts that several of
// its files state and that have to agree.
package house
