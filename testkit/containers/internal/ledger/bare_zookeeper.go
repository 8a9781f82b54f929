package ledger

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
)

// bareZooKeeper is a party with the usual client, which knows no contexts: what it is asked to do it does.
type bareZooKeeper struct{ conn *zk.Conn }

// noLog is a logger for the client, which tells of every connection otherwise.
type noLog struct{}

func (noLog) Printf(string, ...any) {}

// openZooKeeper connects the client and waits until it has a session.
func openZooKeeper(ctx context.Context, way Way) (*zk.Conn, error) {
	const limit = 10 * time.Second
	session := make(chan struct{}, 1)
	conn, _, err := zk.Connect([]string{way.Addr}, way.TTL, zk.WithLogger(noLog{}), zk.WithLogInfo(false),
		zk.WithEventCallback(func(event zk.Event) {
			if event.State == zk.StateHasSession {
				select {
				case session <- struct{}{}:
				default:
				}
			}
		}))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-session:
		return conn, nil
	case <-ctx.Done():
		conn.Close()
		return nil, fmt.Errorf("no session: %w", ctx.Err())
	}
}

func connectZooKeeper(ctx context.Context, way Way) (*bareZooKeeper, error) {
	conn, err := openZooKeeper(ctx, way)
	if err != nil {
		return nil, err
	}
	return &bareZooKeeper{conn}, nil
}

// open lets everybody do everything.
var open = zk.WorldACL(zk.PermAll)

// create creates a node, and its parents if there are none.
func (p *bareZooKeeper) create(at, value string, flags int32) (string, error) {
	created, err := p.conn.Create(at, []byte(value), flags, open)
	if !errors.Is(err, zk.ErrNoNode) {
		return created, err
	}
	if err := createParents(p.conn, path.Dir(at)); err != nil {
		return "", err
	}
	return p.conn.Create(at, []byte(value), flags, open)
}

// createParents creates a folder and those above it.
func createParents(conn *zk.Conn, folder string) error {
	_, err := conn.Create(folder, nil, 0, open)
	if errors.Is(err, zk.ErrNoNode) {
		if err := createParents(conn, path.Dir(folder)); err != nil {
			return err
		}
		_, err = conn.Create(folder, nil, 0, open)
	}
	if errors.Is(err, zk.ErrNodeExists) {
		return nil
	}
	return err
}

func (p *bareZooKeeper) Register(_ context.Context, name, id string) error {
	_, err := p.create(zooKeeperNode(name, id), zooKeeperValue, zk.FlagEphemeral)
	return err
}

func (p *bareZooKeeper) Deregister(_ context.Context, name, id string) error {
	return p.conn.Delete(zooKeeperNode(name, id), -1)
}

func (p *bareZooKeeper) List(ctx context.Context, name string) (int, error) {
	folder := zooKeeperFolder(name)
	children, _, err := p.conn.Children(folder)
	if errors.Is(err, zk.ErrNoNode) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for _, child := range children {
		if _, _, err := p.conn.Get(folder + "/" + child); err != nil {
			return 0, err
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	return len(children), nil
}

func (p *bareZooKeeper) Watch(_ context.Context, name string) (Watch, error) {
	folder := zooKeeperFolder(name)
	return &bareZooKeeperWatch{conn: p.conn, folder: folder}, createParents(p.conn, folder)
}

func (p *bareZooKeeper) Close() error {
	p.conn.Close()
	return nil
}

// bareZooKeeperWatch reads the children that are new each time that they change.
type bareZooKeeperWatch struct {
	conn   *zk.Conn
	folder string

	changed <-chan zk.Event // nil before the first list
	values  map[string][]byte
}

func (w *bareZooKeeperWatch) Next(ctx context.Context) (int, error) {
	if w.changed != nil {
		select {
		case event := <-w.changed:
			if event.Err != nil {
				return 0, event.Err
			}
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	children, _, changed, err := w.conn.ChildrenW(w.folder)
	if err != nil {
		return 0, err
	}
	w.changed = changed
	values := make(map[string][]byte, len(children))
	for _, child := range children {
		value, known := w.values[child]
		if !known {
			if value, _, err = w.conn.Get(w.folder + "/" + child); err != nil {
				return 0, err
			}
		}
		values[child] = value
	}
	w.values = values
	return len(values), nil
}

// Campaign is the recipe of ZooKeeper's documentation.
func (p *bareZooKeeper) Campaign(ctx context.Context, election, id string) (Term, error) {
	folder := prefix + "/bare/" + election
	own, err := p.create(folder+"/n-", id, zk.FlagEphemeral|zk.FlagSequence)
	if err != nil {
		return nil, err
	}
	term := bareZooKeeperTerm{p.conn, own}
	for {
		children, _, err := p.conn.Children(folder)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(children, strings.Compare)
		at := slices.Index(children, path.Base(own))
		if at == 0 {
			return term, nil
		}
		if at < 0 {
			return nil, errors.New("the candidate's node is gone")
		}
		there, _, gone, err := p.conn.ExistsW(folder + "/" + children[at-1])
		if err != nil {
			return nil, err
		}
		if !there {
			continue
		}
		select {
		case <-gone:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), term.Resign(ctx))
		}
	}
}

// bareZooKeeperTerm is a lead.
type bareZooKeeperTerm struct {
	conn *zk.Conn
	node string
}

func (t bareZooKeeperTerm) Resign(context.Context) error { return t.conn.Delete(t.node, -1) }
