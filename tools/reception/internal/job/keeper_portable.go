//go:build unix && !linux

package job

import "syscall"

// adoptOrphans does nothing: init adopts them, and waits for them.
func adoptOrphans() {}

// dieWithParent does nothing: the keeper's parent notices that it was killed.
func dieWithParent(*syscall.SysProcAttr) {}
