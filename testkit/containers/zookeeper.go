package containers

import (
	"context"
	"crypto/sha1" // what ZooKeeper's digest scheme uses
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/testcontainers/testcontainers-go"
)

const zooKeeperPort = "2181/tcp"

// ZooKeeperContainer is a running ZooKeeper server.
type ZooKeeperContainer struct {
	testcontainers.Container
	settings *settings
}

// RunZooKeeper starts a ZooKeeper server and returns when it serves. An empty
// image means the one that [ChooseImage] chooses. On error the container is
// returned too if there is one, so that it can be terminated.
func RunZooKeeper(
	ctx context.Context, image string, opts ...testcontainers.ContainerCustomizer,
) (*ZooKeeperContainer, error) {
	s, users, err := readOptions(BackendZooKeeper, opts)
	if err != nil {
		return nil, err
	}
	started, err := run(ctx, image, s, zooKeeperRequest(s), users)
	if started == nil {
		return nil, err
	}
	return &ZooKeeperContainer{Container: started, settings: s}, err
}

// ClientEndpoint returns the server's address, as host:port.
func (c *ZooKeeperContainer) ClientEndpoint(ctx context.Context) (string, error) {
	return c.PortEndpoint(ctx, zooKeeperPort, "")
}

// zooKeeperRequest returns the customizers that make a request for a ZooKeeper server.
func zooKeeperRequest(s *settings) []testcontainers.ContainerCustomizer {
	extra := []string{
		"minSessionTimeout=" + milliseconds(s.minSession), "maxSessionTimeout=" + milliseconds(s.maxSession),
		"forceSync=no", // for the reason of etcd's --unsafe-no-fsync
	}
	if s.password != "" {
		// The server makes a system property of a key that it does not know.
		extra = append(extra, "DigestAuthenticationProvider.superDigest="+zooKeeperDigest("super", s.password))
	}
	env := map[string]string{
		"ZOO_MY_ID": "1", "ZOO_TICK_TIME": milliseconds(s.tick), "ZOO_INIT_LIMIT": "20", "ZOO_SYNC_LIMIT": "10",
		"ZOO_CFG_EXTRA": strings.Join(extra, " "), "ZOO_4LW_COMMANDS_WHITELIST": "*",
		"ZOO_ADMINSERVER_ENABLED": "false", "ZOO_MAX_CLIENT_CNXNS": "0", "ZK_SERVER_HEAP": "128",
		// A server that lives for a test is better off with a Java that starts fast.
		"JVMFLAGS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto",
	}
	if p := s.place; p != nil {
		var servers []string
		for i, ip := range p.ips {
			servers = append(servers, fmt.Sprintf("server.%d=%s:2888:3888;2181", i+1, ip))
		}
		env["ZOO_MY_ID"], env["ZOO_SERVERS"] = strconv.Itoa(p.index+1), strings.Join(servers, " ")
	}
	return []testcontainers.ContainerCustomizer{
		testcontainers.WithExposedPorts(zooKeeperPort), testcontainers.WithEnv(env),
		s.wait(zooKeeperPort, zooKeeperProbe),
	}
}

// zooKeeperDigest returns an identity as the digest scheme writes it.
func zooKeeperDigest(user, password string) string {
	sum := sha1.Sum([]byte(user + ":" + password))
	return user + ":" + base64.StdEncoding.EncodeToString(sum[:])
}

// zooKeeperProbe asks for the server's mode, which it has only while it serves:
// alone, or as part of a majority with a leader.
func zooKeeperProbe(ctx context.Context, addr string) error {
	_, err := zooKeeperMode(ctx, addr)
	return err
}

// zooKeeperMode returns standalone, leader or follower.
func zooKeeperMode(ctx context.Context, addr string) (string, error) {
	text, err := fourLetters(ctx, addr, "srvr")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		if mode, ok := strings.CutPrefix(line, "Mode: "); ok {
			return strings.TrimSpace(mode), nil
		}
	}
	return "", fmt.Errorf("zookeeper does not serve: %s", strings.TrimSpace(text))
}

// fourLetters sends one of ZooKeeper's four-letter commands.
func fourLetters(ctx context.Context, addr, command string) (string, error) {
	conn, err := dial(ctx, addr)
	if err != nil {
		return "", err
	}
	defer conn.Close() //nolint:errcheck // everything has been read
	if _, err := io.WriteString(conn, command); err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(conn, answerLimit))
	if err == nil && len(text) == 0 {
		err = errors.New("no answer")
	}
	if err != nil {
		return "", fmt.Errorf("zookeeper: %s: %w", command, err)
	}
	return string(text), nil
}

// dial connects to addr; the connection ends with ctx's deadline.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		err = conn.SetDeadline(deadline)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}
