package addresses

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"github.com/go-reception/sdk/reception"
)

// errOpened is what the opener of these tests returns for an address with which nothing is wrong.
var errOpened = errors.New("opened")

// config is what the last address said of TLS.
var config *tls.Config

func init() {
	reception.RegisterScheme("addresses-test", func(_ context.Context, a *reception.Address) (reception.Client, error) {
		secure := ReadTLS(a.Parameters)
		if err := errors.Join(a.Parameters.Err(), RefusePath(a, "records are", "prefix=/prod")); err != nil {
			return nil, err
		}
		var err error
		if config, err = secure.Load(); err != nil {
			return nil, err
		}
		return nil, errOpened
	})
}

func TestAddresses(t *testing.T) {
	for rest, want := range map[string]string{
		"":                            "opened",
		"/":                           "opened",
		"/prod":                       `the path "/prod"; where records are kept goes into a parameter, as in ?prefix=/prod`,
		"?tls=yes":                    "must be true or false",
		"?cert=x.pem":                 "belong together",
		"?key=x.pem":                  "belong together",
		"?ca=/does/not/exist":         `parameter "ca"`,
		"?ca=/dev/null":               "there is no certificate in /dev/null",
		"?cert=/dev/null&key=/no/key": `parameters "cert" and "key"`,
	} {
		if _, err := reception.Open(t.Context(), "addresses-test://a"+rest); !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", rest, err, want)
		}
	}
}

func TestTLS(t *testing.T) {
	for rest, want := range map[string]*tls.Config{
		"":                         nil,
		"?tls=false":               nil,
		"?tls=true":                {},
		"?server-name=a.test":      {ServerName: "a.test"},
		"?tls=true&server-name=b.": {ServerName: "b."},
	} {
		_, err := reception.Open(t.Context(), "addresses-test://a"+rest)
		if !errors.Is(err, errOpened) {
			t.Errorf("%q: %v", rest, err)
			continue
		}
		if (config == nil) != (want == nil) {
			t.Errorf("%q: got %v, want %v", rest, config, want)
		} else if want != nil && (config.ServerName != want.ServerName || config.MinVersion != tls.VersionTLS12) {
			t.Errorf("%q: the server's name is %q, the least version %x", rest, config.ServerName, config.MinVersion)
		}
	}
}
