package zookeeper

import (
	"fmt"
	"path"

	"github.com/go-zookeeper/zk"
)

// perform carries a request out. It is called with mu held, as is all that it calls.
func (s *stub) perform(c *stubConn, op int32, r *reader) (*writer, int32) {
	switch op {
	case opAuth, opSetWatches:
		return nil, 0
	case opSync:
		c.synced = true
		return new(writer).string(r.string()), 0
	case opClose:
		s.end(c.session)
		return nil, 0
	case opMulti:
		return s.multi(c, r)
	case opExists, opGetData, opGetChildren:
		return s.read(c, op, r)
	default:
		s.zxid++
		w := new(writer)
		return w, s.write(c, op, r, w)
	}
}

func (s *stub) read(c *stubConn, op int32, r *reader) (*writer, int32) {
	p, watch := r.string(), r.bool()
	tree := s.nodes
	if s.behind != nil && !c.synced {
		tree = s.behind
	}
	n := tree[p]
	kind := ofNode
	if op == opGetChildren {
		kind = ofChildren
	}
	if n == nil {
		if watch && op == opExists {
			c.watches[watchKey{ofAbsence, p}] = true
		}
		return nil, codeNoNode
	}
	if watch {
		c.watches[watchKey{kind, p}] = true
	}
	names := childrenOf(tree, p)
	stat := n.stat
	stat.NumChildren = int32(len(names))
	w := new(writer)
	switch op {
	case opGetData:
		w.buffer(n.data)
	case opGetChildren:
		w.int(int32(len(names)))
		for _, name := range names {
			w.string(name)
		}
	}
	return w.stat(&stat), 0
}

// write carries a write out, if it can be.
func (s *stub) write(c *stubConn, op int32, r *reader, w *writer) int32 {
	p := r.string()
	switch op {
	case opCreate, opCreateContainer:
		data := r.buffer()
		r.acl()
		return s.create(c, p, data, r.int(), w)
	case opDelete:
		if code := s.check(p, r.int()); code != 0 {
			return code
		}
		if len(s.children(p)) > 0 {
			return codeNotEmpty
		}
		s.delete(p)
	case opSetData:
		data := r.buffer()
		if code := s.check(p, r.int()); code != 0 {
			return code
		}
		n := s.nodes[p]
		n.data, n.stat.Mzxid = data, s.zxid
		n.stat.Version++
		w.stat(&n.stat)
		s.fire(p, zk.EventNodeDataChanged, ofNode)
	case opCheck:
		return s.check(p, r.int())
	default:
		s.t.Errorf("the stub does not know operation %d", op)
	}
	return 0
}

// check says whether there is a node of that version.
func (s *stub) check(p string, version int32) int32 {
	switch n := s.nodes[p]; {
	case n == nil:
		return codeNoNode
	case version != anyVersion && version != n.stat.Version:
		return codeBadVersion
	default:
		return 0
	}
}

func (s *stub) create(c *stubConn, p string, data []byte, flags int32, w *writer) int32 {
	parent := s.nodes[path.Dir(p)]
	if parent == nil {
		return codeNoNode
	}
	if flags&zk.FlagSequence != 0 && flags < 4 {
		p += fmt.Sprintf("%010d", parent.sequence)
	}
	if s.nodes[p] != nil {
		return codeNodeExists
	}
	parent.sequence++
	n := &stubNode{data: data, stat: zk.Stat{Czxid: s.zxid, Mzxid: s.zxid, Pzxid: s.zxid}}
	if flags&zk.FlagEphemeral != 0 && flags < 4 {
		n.stat.EphemeralOwner = c.session
	}
	s.nodes[p], parent.stat.Pzxid = n, s.zxid
	w.string(p)
	s.fire(p, zk.EventNodeCreated, ofAbsence)
	s.fire(path.Dir(p), zk.EventNodeChildrenChanged, ofChildren)
	return 0
}

func (s *stub) delete(p string) {
	delete(s.nodes, p)
	if parent := s.nodes[path.Dir(p)]; parent != nil {
		parent.stat.Pzxid = s.zxid
	}
	s.fire(p, zk.EventNodeDeleted, ofNode, ofChildren)
	s.fire(path.Dir(p), zk.EventNodeChildrenChanged, ofChildren)
}

// multi carries a transaction out: all of it or nothing.
func (s *stub) multi(c *stubConn, r *reader) (*writer, int32) {
	s.zxid++
	before := make(map[string]*stubNode, len(s.nodes))
	for p, n := range s.nodes {
		copied := *n
		before[p] = &copied
	}
	results, failed, code, parts := new(writer), -1, int32(0), 0
	for {
		part := r.int()
		done := r.bool()
		r.int()
		if done {
			break
		}
		if failed >= 0 {
			_ = r.string()
			skip(part, r)
		} else {
			header := new(writer).int(part).bool(false).int(0)
			w := new(writer)
			if code = s.write(c, part, r, w); code != 0 {
				failed = parts
			}
			results.out = append(append(results.out, header.out...), w.out...)
		}
		parts++
	}
	if failed >= 0 {
		s.nodes = before
		results = new(writer)
		for i := range parts {
			each := int32(-2)
			if i == failed {
				each = code
			} else if i < failed {
				each = 0
			}
			results.int(-1).bool(false).int(each).int(each)
		}
	}
	return results.int(-1).bool(true).int(-1), 0
}

// fire tells those who watch.
func (s *stub) fire(p string, event zk.EventType, kinds ...watchKind) {
	for c := range s.conns {
		hit := false
		for _, kind := range kinds {
			hit = hit || c.watches[watchKey{kind, p}]
			delete(c.watches, watchKey{kind, p})
		}
		if hit {
			w := new(writer).int(-1).long(s.zxid).int(0).int(int32(event)).int(3).string(p)
			c.mu.Lock()
			_ = send(c.Conn, w) // who has gone needs not be told
			c.mu.Unlock()
		}
	}
}
