// Command zookeeper is the entrypoint of the ZooKeeper stand-in. It does what
// the official image's shell script does: unless they are there already, it
// writes zoo.cfg out of the ZOO_ variables and myid out of ZOO_MY_ID. Then it
// becomes the server, or the command that was given instead of it.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	err := configure()
	if err == nil {
		err = run(os.Args[1:])
	}
	fmt.Fprintln(os.Stderr, "docker-entrypoint:", err)
	os.Exit(1)
}

// settings are the configuration's keys, the variables that set them and what
// they are without.
var settings = []struct{ key, variable, fallback string }{
	{"dataDir", "ZOO_DATA_DIR", "/data"},
	{"dataLogDir", "ZOO_DATA_LOG_DIR", "/datalog"},
	{"tickTime", "ZOO_TICK_TIME", "2000"},
	{"initLimit", "ZOO_INIT_LIMIT", "5"},
	{"syncLimit", "ZOO_SYNC_LIMIT", "2"},
	{"autopurge.snapRetainCount", "ZOO_AUTOPURGE_SNAPRETAINCOUNT", "3"},
	{"autopurge.purgeInterval", "ZOO_AUTOPURGE_PURGEINTERVAL", "0"},
	{"maxClientCnxns", "ZOO_MAX_CLIENT_CNXNS", "60"},
	{"standaloneEnabled", "ZOO_STANDALONE_ENABLED", "true"},
	{"admin.enableServer", "ZOO_ADMINSERVER_ENABLED", "true"},
}

// configure writes the two files that the server reads.
func configure() error {
	id := env("ZOO_MY_ID", "1") + "\n"
	if err := writeNew(filepath.Join(env("ZOO_DATA_DIR", "/data"), "myid"), id); err != nil {
		return err
	}
	return writeNew(configFile(), config())
}

func configFile() string { return filepath.Join(env("ZOO_CONF_DIR", "/conf"), "zoo.cfg") }

// config returns the text of zoo.cfg.
func config() string {
	var text strings.Builder
	for _, setting := range settings {
		fmt.Fprintf(&text, "%s=%s\n", setting.key, env(setting.variable, setting.fallback))
	}
	for server := range strings.FieldsSeq(env("ZOO_SERVERS", "server.1=localhost:2888:3888;2181")) {
		fmt.Fprintln(&text, server)
	}
	if commands := os.Getenv("ZOO_4LW_COMMANDS_WHITELIST"); commands != "" {
		fmt.Fprintf(&text, "4lw.commands.whitelist=%s\n", commands)
	}
	for extra := range strings.FieldsSeq(os.Getenv("ZOO_CFG_EXTRA")) {
		fmt.Fprintln(&text, extra)
	}
	return text.String()
}

// run replaces this process with the command. The script that it usually names
// does not exist here: it stands for the server.
func run(command []string) error {
	if len(command) == 0 || command[0] == "zkServer.sh" {
		command = serverCommand()
	}
	program, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	return syscall.Exec(program, command, os.Environ())
}

// serverCommand is what zkServer.sh would run in the foreground.
func serverCommand() []string {
	const jars = "/usr/share/java/"
	classes := []string{filepath.Dir(configFile()), jars + "zookeeper.jar", jars + "slf4j-simple.jar", jars + "netty-all.jar"}
	command := []string{
		filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java"),
		"-cp", strings.Join(classes, ":"),
		"-Xmx" + env("ZK_SERVER_HEAP", "1000") + "m",
	}
	command = append(command, strings.Fields(os.Getenv("JVMFLAGS"))...)
	command = append(command, strings.Fields(os.Getenv("SERVER_JVMFLAGS"))...)
	return append(command, "org.apache.zookeeper.server.quorum.QuorumPeerMain", configFile())
}

// env returns a variable, or fallback if it is empty.
func env(variable, fallback string) string {
	if value := os.Getenv(variable); value != "" {
		return value
	}
	return fallback
}

// writeNew writes a file unless it is there: then the user has mounted it, or
// this is a restart.
func writeNew(path, text string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
