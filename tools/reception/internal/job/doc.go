// Package job runs a command as one thing that can be stopped: the process, and all that it starts in its process group.
//
// # The keeper
//
// Between whoever runs a job and the job stands a keeper, which is the same executable started again. It holds the read
// end of a pipe, whose write end dies with its parent, however that ends: then it kills the job's process group. It also
// waits until nothing is left of the group, so that a job whose keeper has ended has ended, too. On Linux it adopts the
// group's orphans, and the kernel kills the command if the keeper is killed.
//
// # Limits
//
// A process that leaves the group (setsid, or a shell with job control) is not stopped. Neither is a job whose parent is
// stopped (SIGSTOP), rather than killed: it goes on, and whatever it writes to has to be protected otherwise. Outside of
// Linux, a keeper that is killed takes the command along only when its parent notices, which is at once if that lives.
// A job is not in the foreground of a terminal, so it must not read from one: where the standard input is a terminal, a
// job's is empty.
//
// On Windows there is no keeper: a job is the one process, it can only be killed, and it outlives whoever runs it if that
// is killed.
package job
