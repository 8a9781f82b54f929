package onfake_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain has many cases wait side by side: by the machine's clock they are idle most of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "64"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
