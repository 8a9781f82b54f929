package containers

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
)

// etcdAPI speaks to one server through its JSON gateway: no client library is
// needed for the little that the kit asks for.
type etcdAPI struct {
	base   string
	config *tls.Config
	header http.Header
}

// newEtcdAPI returns the API of the server at addr, logged in as root if the
// server has authentication.
func newEtcdAPI(ctx context.Context, s *settings, addr string) (*etcdAPI, error) {
	config, err := s.clientTLS()
	if err != nil {
		return nil, err
	}
	api := &etcdAPI{base: s.scheme() + "://" + addr, config: config}
	if s.password == "" {
		return api, nil
	}
	var answer struct{ Token string }
	err = api.call(ctx, "/v3/auth/authenticate", map[string]any{"name": etcdRoot, "password": s.password}, &answer)
	if err != nil {
		return nil, fmt.Errorf("log in as %s: %w", etcdRoot, err)
	}
	api.header = http.Header{"Authorization": {answer.Token}}
	return api, nil
}

func (a *etcdAPI) call(ctx context.Context, path string, in, out any) error {
	return callJSON(ctx, a.config, http.MethodPost, a.base+path, a.header, in, out)
}

// enableEtcdAuth creates the user root with its role and turns authentication on.
func enableEtcdAuth(ctx context.Context, s *settings, addr string) error {
	config, err := s.clientTLS()
	if err != nil {
		return err
	}
	api := &etcdAPI{base: s.scheme() + "://" + addr, config: config}
	for _, step := range []struct {
		path string
		in   map[string]any
	}{
		{"/v3/auth/user/add", map[string]any{"name": etcdRoot, "password": s.password}},
		{"/v3/auth/role/add", map[string]any{"name": etcdRoot}},
		{"/v3/auth/user/grant", map[string]any{"user": etcdRoot, "role": etcdRoot}},
		{"/v3/auth/enable", map[string]any{}},
	} {
		if err := api.call(ctx, step.path, step.in, nil); err != nil {
			return err
		}
	}
	return nil
}

// compact drops the history up to now, if there is any. It returns the
// revision of now.
func (a *etcdAPI) compact(ctx context.Context) (int64, error) {
	var now struct {
		Header struct {
			Revision int64 `json:",string"`
		}
	}
	if err := a.call(ctx, "/v3/kv/range", map[string]any{"key": "AA=="}, &now); err != nil {
		return 0, err
	}
	revision := now.Header.Revision
	in := map[string]any{"revision": revision, "physical": true}
	err := a.call(ctx, "/v3/kv/compaction", in, nil)
	if err != nil && strings.Contains(err.Error(), "required revision has been compacted") {
		err = nil // nothing was written since the last compaction
	}
	return revision, err
}

// leads says whether the server is the leader.
func (a *etcdAPI) leads(ctx context.Context) (bool, error) {
	var status struct {
		Header struct {
			Member string `json:"member_id"`
		}
		Leader string
	}
	err := a.call(ctx, "/v3/maintenance/status", map[string]any{}, &status)
	return err == nil && status.Leader == status.Header.Member, err
}
