package zookeeper

import (
	"reflect"
	"time"

	"github.com/go-zookeeper/zk"
)

// negotiated returns the timeout that the servers have granted the session of conn; 0 if that cannot be told. They may
// grant less than was asked for, and horizons are counted from what they have granted; but the vendor's client keeps it
// to itself.
//
// It must be called while the vendor's client reports a session, which is after it has written this and before it does
// so again.
func negotiated(conn *zk.Conn) time.Duration {
	field := reflect.ValueOf(conn).Elem().FieldByName("sessionTimeoutMs")
	if !field.IsValid() || !field.CanInt() {
		return 0
	}
	return time.Duration(field.Int()) * time.Millisecond
}
