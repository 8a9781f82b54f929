package wire

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
)

// A Protocol reads what one client sends over one connection and calls message
// for each request in it. It returns when the connection has ended, or when it
// does not understand what it reads.
type Protocol func(sent io.Reader, message func()) error

// HTTP counts the requests of HTTP/1.1.
func HTTP(sent io.Reader, message func()) error {
	in := bufio.NewReader(sent)
	for {
		request, err := http.ReadRequest(in)
		if err != nil {
			return err
		}
		message()
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return err
		}
	}
}

// GRPC counts the messages that a client sends over HTTP/2: one for a plain call,
// and one for each thing asked for on a stream that is there already, such as a
// watch. Messages of less than a frame, 16 kB, are taken for granted.
func GRPC(sent io.Reader, message func()) error {
	const (
		preface    = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
		headSize   = 9
		typeAt     = 3
		dataFrames = 0x0
	)
	in := bufio.NewReader(sent)
	begin := make([]byte, len(preface))
	if _, err := io.ReadFull(in, begin); err != nil {
		return err
	}
	if string(begin) != preface {
		return fmt.Errorf("wire: no HTTP/2 connection: %q", begin)
	}
	head := make([]byte, headSize)
	for {
		if _, err := io.ReadFull(in, head); err != nil {
			return err
		}
		length := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
		if head[typeAt] == dataFrames && length > 0 {
			message()
		}
		if _, err := io.CopyN(io.Discard, in, length); err != nil {
			return err
		}
	}
}

// ZooKeeper counts packets, each with its length before it: one for a request, a
// ping and the opening of a session.
func ZooKeeper(sent io.Reader, message func()) error {
	in := bufio.NewReader(sent)
	var head [4]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return err
		}
		message()
		if _, err := io.CopyN(io.Discard, in, int64(binary.BigEndian.Uint32(head[:]))); err != nil {
			return err
		}
	}
}
