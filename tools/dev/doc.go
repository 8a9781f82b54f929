// Package dev holds no code. Its module pins the tools that the project is
// built and checked with, each on a "tool" line of go.mod, so that they stay
// out of the dependency graph of whoever imports the SDK.
//
// Run them with go tool, from any folder of the workspace:
//
//	go tool task                                  the tasks of Taskfile.yml
//	go tool golangci-lint run                     the linter
//	go tool benchstat old.txt new.txt             compares benchmark runs
//	go tool github.com/golang/mock/mockgen        the mockgen of github.com/golang/mock
//	go tool go.uber.org/mock/mockgen              the mockgen of go.uber.org/mock
//
// Two tools are called mockgen, which is why they need their full path.
package dev
