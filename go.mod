module github.com/go-reception/sdk

go 1.26
