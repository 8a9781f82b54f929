module github.com/go-reception/sdk/testkit/containers

go 1.26.0

replace github.com/go-reception/sdk => ../..
