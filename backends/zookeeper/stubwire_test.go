package zookeeper

import (
	"encoding/binary"
	"io"
	"net"

	"github.com/go-zookeeper/zk"
)

// A reader takes a message of ZooKeeper's apart.
type reader struct{ rest []byte }

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		n = len(r.rest)
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) int() int32 {
	if len(r.rest) < 4 {
		return 0
	}
	return int32(binary.BigEndian.Uint32(r.take(4)))
}

func (r *reader) long() int64 {
	if len(r.rest) < 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(r.take(8)))
}

func (r *reader) bool() bool {
	b := r.take(1)
	return len(b) == 1 && b[0] != 0
}

func (r *reader) buffer() []byte {
	n := r.int()
	if n <= 0 {
		return nil
	}
	return append([]byte(nil), r.take(int(n))...)
}

func (r *reader) string() string { return string(r.buffer()) }

// acl skips a list of rights.
func (r *reader) acl() {
	for range r.int() {
		r.int()
		_, _ = r.string(), r.string()
	}
}

// A writer puts a message together.
type writer struct{ out []byte }

func (w *writer) int(v int32) *writer {
	w.out = binary.BigEndian.AppendUint32(w.out, uint32(v))
	return w
}

func (w *writer) long(v int64) *writer {
	w.out = binary.BigEndian.AppendUint64(w.out, uint64(v))
	return w
}

func (w *writer) bool(v bool) *writer {
	b := byte(0)
	if v {
		b = 1
	}
	w.out = append(w.out, b)
	return w
}

func (w *writer) buffer(v []byte) *writer {
	w.int(int32(len(v)))
	w.out = append(w.out, v...)
	return w
}

func (w *writer) string(v string) *writer { return w.buffer([]byte(v)) }

func (w *writer) stat(s *zk.Stat) *writer {
	w.long(s.Czxid).long(s.Mzxid).long(s.Ctime).long(s.Mtime).int(s.Version).int(s.Cversion).int(s.Aversion)
	return w.long(s.EphemeralOwner).int(s.DataLength).int(s.NumChildren).long(s.Pzxid)
}

// receive reads a message.
func receive(conn net.Conn) (*reader, error) {
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint32(length[:]))
	_, err := io.ReadFull(conn, message)
	return &reader{message}, err
}

// send writes a message.
func send(conn net.Conn, w *writer) error {
	_, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(w.out))), w.out...))
	return err
}
