package ledger

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/go-reception/sdk/testkit/containers/internal/ledger/report"
)

// describe begins a report with where and when it is made.
func describe() *report.Report {
	r := &report.Report{
		Started: time.Now().UTC().Truncate(time.Second), Commit: commit(), Versions: map[string]string{},
		Machine: report.Machine{
			CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(), Memory: memory(),
			System: runtime.GOOS + "/" + runtime.GOARCH + " " + kernel(), Go: runtime.Version(),
		},
	}
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		_, _ = fmt.Sscan(string(text), &r.Machine.Load) // 0 where it is not told
	}
	return r
}

// field returns a value of a file of lines such as "name : value".
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if key, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func memory() string {
	var kilobytes int
	if _, err := fmt.Sscan(field("/proc/meminfo", "MemTotal"), &kilobytes); err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f GiB", float64(kilobytes)/(1<<20))
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// commit names the state of the sources, if they are under version control.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output() //nolint:noctx // it is over in a moment
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
