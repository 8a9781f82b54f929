package clitest

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// workerVar makes this binary a job: the file to which it writes, every few milliseconds, the token of its term and the time.
const workerVar = "RECEPTION_CLITEST_WORKER"

// works does the job, if this process is for that. It heeds nothing but SIGKILL.
func works() bool {
	path := os.Getenv(workerVar)
	if path == "" {
		return false
	}
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Println(err)
		return true
	}
	for token := os.Getenv("RECEPTION_TOKEN"); ; time.Sleep(5 * time.Millisecond) {
		if _, err := fmt.Fprintln(file, token, time.Now().UnixNano()); err != nil {
			fmt.Println(err)
			return true
		}
	}
}
