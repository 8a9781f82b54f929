package containers

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// errUnknownSession says that there is no such session.
var errUnknownSession = errors.New("the servers do not know it")

// retryPause is how long to wait between two attempts.
const retryPause = 20 * time.Millisecond

// expireSession ends a session. Its client may take it back in the moment between
// being put out of it and its end, so that takes more than one attempt at times.
func expireSession(ctx context.Context, addr string, id int64) error {
	for again := false; ; again = true {
		err := closeSession(ctx, addr, id)
		if again && errors.Is(err, errUnknownSession) {
			return nil
		}
		if !errors.Is(err, io.EOF) {
			return err
		}
		select {
		case <-time.After(retryPause): // a server that has lost the leader closes the connection at once
		case <-ctx.Done():
			return err
		}
	}
}

// closeSession takes a session over, as a client that reconnects does, and
// closes it. The server then ends it for its client, too.
func closeSession(ctx context.Context, addr string, id int64) error {
	conn, err := dial(ctx, addr)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // the server has closed it by now
	const anyTimeout = 10_000
	request := make([]byte, 0, 48)
	request = binary.BigEndian.AppendUint32(request, 0) // protocol version
	request = binary.BigEndian.AppendUint64(request, 0) // last transaction seen: none
	request = binary.BigEndian.AppendUint32(request, anyTimeout)
	request = binary.BigEndian.AppendUint64(request, uint64(id))
	request = append(binary.BigEndian.AppendUint32(request, passwordLength), sessionPassword(id)...)
	answer, err := exchange(conn, request)
	if err != nil {
		return err
	}
	const timeoutAt, idAt = 4, 8
	if len(answer) < idAt+8 {
		return fmt.Errorf("short answer % x", answer)
	}
	if binary.BigEndian.Uint32(answer[timeoutAt:]) == 0 || int64(binary.BigEndian.Uint64(answer[idAt:])) != id {
		return errUnknownSession
	}
	const transaction, closing = 1, -11
	request = binary.BigEndian.AppendUint32(nil, transaction)
	request = binary.BigEndian.AppendUint32(request, uint32(closing&0xffffffff))
	_, err = exchange(conn, request)
	return err
}

// exchange sends a message and reads the answer; each has its length before it.
func exchange(conn net.Conn, message []byte) ([]byte, error) {
	framed := append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...)
	if _, err := conn.Write(framed); err != nil {
		return nil, err
	}
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(length[:])
	if size > answerLimit {
		return nil, fmt.Errorf("an answer of %d bytes", size)
	}
	answer := make([]byte, size)
	_, err := io.ReadFull(conn, answer)
	return answer, err
}

const passwordLength = 16

// sessionPassword returns a session's password. A client only knows its own, but
// ZooKeeper derives it from the ID: with java.util.Random, whose numbers are
// laid down in its documentation, seeded with the ID and a constant.
func sessionPassword(id int64) []byte {
	const (
		secret     = 0xB3415C00
		multiplier = 0x5DEECE66D
		increment  = 0xB
		mask       = 1<<48 - 1
	)
	state := (uint64(id^secret) ^ multiplier) & mask
	password := make([]byte, 0, passwordLength)
	for len(password) < passwordLength {
		state = (state*multiplier + increment) & mask
		// The generator's upper 32 bits, lowest byte first.
		password = binary.LittleEndian.AppendUint32(password, uint32(state>>16))
	}
	return password
}
