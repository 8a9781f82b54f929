package reception

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// An Address is what an [Opener] opens: the parts of a URL, except that it may name several hosts.
type Address struct {
	// Scheme chooses the backend. It is in lower case.
	Scheme string
	// User is the user's name and password, nil without any.
	User *url.Userinfo
	// Hosts are the servers in the order given, each as host or host:port; none if the address names no server.
	Hosts []string
	// Path begins with a slash, if it is not empty.
	Path string
	// Parameters are what follows the question mark.
	Parameters *Parameters
}

// String returns the address without its password and parameters, which may hold secrets.
func (a *Address) String() string {
	user := ""
	if a.User != nil {
		user = url.User(a.User.Username()).String() + "@"
	}
	path := url.URL{Path: a.Path}
	return a.Scheme + "://" + user + strings.Join(a.Hosts, ",") + path.EscapedPath()
}

// errNoAddress says what an address looks like. What was given instead is not repeated: it may hold a password.
var errNoAddress = errors.New(
	"the address must look like scheme://user:password@host:port,host:port/path?parameter=value, or be a part of that")

// parseAddress takes an address apart. Hosts are split off first, because a URL has but one.
func parseAddress(text string) (*Address, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || scheme == "" {
		return nil, errNoAddress
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	at := strings.LastIndex(authority, "@") + 1
	user, list := authority[:at], authority[at:]

	parsed, err := url.Parse(scheme + "://" + user + "host" + tail)
	if err != nil || parsed.Fragment != "" || strings.Contains(tail, "#") {
		return nil, errNoAddress
	}
	hosts, err := parseHosts(list)
	if err != nil && strings.Contains(tail, "@") {
		return nil, errNoAddress // what looks like a host is the beginning of a password with a slash in it
	}
	if err != nil {
		return nil, err
	}
	parameters, err := parseParameters(parsed.RawQuery)
	if err != nil {
		return nil, err
	}
	return &Address{
		Scheme: parsed.Scheme, User: parsed.User, Hosts: hosts, Path: parsed.Path, Parameters: parameters,
	}, nil
}

// parseHosts splits a list of hosts, none of them empty.
func parseHosts(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	hosts := strings.Split(list, ",")
	for i, host := range hosts {
		parsed, err := url.Parse("//" + host)
		if err != nil || parsed.Hostname() == "" || strings.HasSuffix(host, ":") ||
			strings.Contains(parsed.Hostname(), ":") && !strings.HasPrefix(host, "[") {
			return nil, fmt.Errorf("%q is not a host, or a host and a port", host)
		}
		if port := parsed.Port(); port != "" {
			if _, err := strconv.ParseUint(port, 10, 16); err != nil {
				return nil, fmt.Errorf("%q has no valid port", host)
			}
		}
		hosts[i] = parsed.Host
	}
	return hosts, nil
}
