package containers

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"

	"github.com/google/uuid"
	"github.com/testcontainers/testcontainers-go"
)

const (
	consulPort    = "8500/tcp"
	consulTLSPort = "8501/tcp"
)

// ConsulContainer is a running Consul agent.
type ConsulContainer struct {
	testcontainers.Container
	settings *settings
}

// RunConsul starts a Consul agent that is the only server of its data centre,
// and returns when it has a leader and has announced itself in the catalog. An
// empty image means the one that [ChooseImage] chooses. On error the container is
// returned too if there is one, so that it can be terminated.
func RunConsul(ctx context.Context, image string, opts ...testcontainers.ContainerCustomizer) (*ConsulContainer, error) {
	s, users, err := readOptions(BackendConsul, opts)
	if err != nil {
		return nil, err
	}
	own, err := consulRequest(s)
	if err != nil {
		return nil, err
	}
	started, err := run(ctx, image, s, own, users)
	if started == nil {
		return nil, err
	}
	return &ConsulContainer{Container: started, settings: s}, err
}

// ClientEndpoint returns the agent's address, as host:port. With TLS it speaks HTTPS there.
func (c *ConsulContainer) ClientEndpoint(ctx context.Context) (string, error) {
	return c.PortEndpoint(ctx, consulPortOf(c.settings), "")
}

// TLS returns what a client needs if the agent speaks TLS, else nil.
func (c *ConsulContainer) TLS() (*tls.Config, error) { return c.settings.clientTLS() }

func consulPortOf(s *settings) string {
	if s.authority != nil {
		return consulTLSPort
	}
	return consulPort
}

// consulRequest returns the customizers that make a request for a Consul agent.
func consulRequest(s *settings) ([]testcontainers.ContainerCustomizer, error) {
	config, err := json.Marshal(consulConfig(s))
	if err != nil {
		return nil, fmt.Errorf("consul's configuration: %w", err)
	}
	customizers := []testcontainers.ContainerCustomizer{
		testcontainers.WithExposedPorts(consulPortOf(s)),
		testcontainers.WithCmd("agent"),
		testcontainers.WithEnv(map[string]string{"CONSUL_LOCAL_CONFIG": string(config)}),
	}
	if s.authority != nil {
		files, err := s.tlsFiles()
		if err != nil {
			return nil, err
		}
		customizers = append(customizers, testcontainers.WithFiles(files...))
	}
	synced, err := consulProbe(s)
	return append(customizers, s.wait(consulPortOf(s), synced)), err
}

// consulConfig returns the agent's configuration.
func consulConfig(s *settings) map[string]any {
	config := map[string]any{
		"server": true, "bootstrap_expect": 1,
		"node_name": nodeName(0), "bind_addr": "127.0.0.1", "client_addr": "0.0.0.0",
		"performance": map[string]any{"raft_multiplier": 1},
		"connect":     map[string]any{"enabled": false}, "disable_update_check": true,
		"leave_on_terminate": false, "skip_leave_on_interrupt": true,
	}
	ports := map[string]any{"dns": -1, "grpc": -1, "grpc_tls": -1}
	config["ports"] = ports
	if p := s.place; p != nil {
		config["node_name"], config["bind_addr"], config["retry_join"] = nodeName(p.index), p.ip(), p.servers()
		config["retry_interval"] = "1s"
		// The same after a wipe, or the others take the node for an impostor.
		config["node_id"] = uuid.NewSHA1(uuid.NameSpaceOID, []byte(p.network+nodeName(p.index))).String()
		config["bootstrap_expect"] = p.voters
		if p.index >= p.voters {
			delete(config, "bootstrap_expect")
			config["server"] = false
		}
	}
	if s.token != "" {
		config["acl"] = map[string]any{
			"enabled": true, "default_policy": "deny", "enable_token_persistence": true,
			"tokens": map[string]any{"initial_management": s.token, "agent": s.token},
		}
	}
	if s.authority != nil {
		ports["http"], ports["https"] = -1, 8501
		config["tls"] = map[string]any{
			"defaults": map[string]any{"ca_file": authorityFile, "cert_file": certFile, "key_file": keyFile},
			"https":    map[string]any{"verify_incoming": true},
		}
	}
	maps.Copy(config, s.extra)
	return config
}

// consulProbe asks whether there is a leader and whether the agent has announced
// itself: only then do registrations show in the catalog.
func consulProbe(s *settings) (probe, error) {
	config, err := s.clientTLS()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, addr string) error {
		get := func(path string, out any) error {
			return callJSON(ctx, config, http.MethodGet, s.scheme()+"://"+addr+path, consulHeader(s), nil, out)
		}
		var leader string
		if err := get("/v1/status/leader", &leader); err != nil {
			return err
		}
		if leader == "" {
			return errors.New("consul has no leader")
		}
		var self struct{ Config struct{ NodeName string } }
		if err := get("/v1/agent/self", &self); err != nil {
			return err
		}
		var checks []struct{ CheckID, Status string }
		name := self.Config.NodeName
		if err := get("/v1/health/node/"+url.PathEscape(name)+"?consistent", &checks); err != nil {
			return err
		}
		for _, check := range checks {
			if check.CheckID == "serfHealth" && check.Status == "passing" {
				return nil
			}
		}
		return fmt.Errorf("consul's agent %s is not in the catalog yet", name)
	}, nil
}

func consulHeader(s *settings) http.Header {
	if s.token == "" {
		return nil
	}
	return http.Header{"X-Consul-Token": {s.token}}
}
