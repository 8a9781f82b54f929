// Command consul is the entrypoint of the Consul stand-in. It does what the
// official image's shell script does: an agent gets the image's data and
// configuration folders, CONSUL_LOCAL_CONFIG becomes a configuration file, and
// CONSUL_BIND_INTERFACE and CONSUL_CLIENT_INTERFACE become addresses.
package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const consul = "/bin/consul"

func main() {
	args, err := prepare(os.Args[1:])
	if err == nil {
		err = syscall.Exec(consul, args, os.Environ())
	}
	fmt.Fprintln(os.Stderr, "docker-entrypoint:", err)
	os.Exit(1)
}

// prepare writes the configuration file and returns the server's arguments.
func prepare(args []string) ([]string, error) {
	configDir := os.Getenv("CONSUL_CONFIG_DIR")
	if config := os.Getenv("CONSUL_LOCAL_CONFIG"); config != "" {
		if err := os.WriteFile(filepath.Join(configDir, "local.json"), []byte(config), 0o644); err != nil {
			return nil, err
		}
	}
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		args = append([]string{"agent"}, args...)
	}
	if len(args) == 0 || args[0] != "agent" {
		return append([]string{"consul"}, args...), nil
	}
	server := []string{"consul", "agent", "-data-dir=" + os.Getenv("CONSUL_DATA_DIR"), "-config-dir=" + configDir}
	for option, variable := range map[string]string{"-bind=": "CONSUL_BIND_INTERFACE", "-client=": "CONSUL_CLIENT_INTERFACE"} {
		if name := os.Getenv(variable); name != "" {
			address, err := addressOf(name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", variable, err)
			}
			server = append(server, option+address)
		}
	}
	return append(server, args[1:]...), nil
}

// addressOf returns the first IPv4 address of a network interface.
func addressOf(name string) (string, error) {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return "", err
	}
	addresses, err := device.Addrs()
	if err != nil {
		return "", err
	}
	for _, address := range addresses {
		if ip, _, err := net.ParseCIDR(address.String()); err == nil && ip.To4() != nil {
			return ip.String(), nil
		}
	}
	return "", fmt.Errorf("interface %s has no IPv4 address", name)
}
