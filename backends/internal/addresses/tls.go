package addresses

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/go-reception/sdk/reception"
)

// TLS are the parameters that concern TLS: tls=true, or any of ca, cert, key and server-name.
type TLS struct {
	on                        bool
	ca, cert, key, serverName string
}

// ReadTLS reads the parameters. What is wrong with one is in [reception.Parameters.Err].
func ReadTLS(p *reception.Parameters) TLS {
	return TLS{
		on: p.Bool("tls", false), ca: p.String("ca", ""), cert: p.String("cert", ""), key: p.String("key", ""),
		serverName: p.String("server-name", ""),
	}
}

// Load reads the files that the parameters name. It returns nil where TLS is not asked for.
func (t TLS) Load() (*tls.Config, error) {
	if t.ca+t.cert+t.key+t.serverName == "" && !t.on {
		return nil, nil
	}
	if (t.cert == "") != (t.key == "") {
		return nil, errors.New(`parameters "cert" and "key" belong together`)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.serverName}
	if t.ca != "" {
		pem, err := os.ReadFile(t.ca)
		if err != nil {
			return nil, fmt.Errorf(`parameter "ca": %w`, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf(`parameter "ca": there is no certificate in %s`, t.ca)
		}
	}
	if t.cert != "" {
		pair, err := tls.LoadX509KeyPair(t.cert, t.key)
		if err != nil {
			return nil, fmt.Errorf(`parameters "cert" and "key": %w`, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}
