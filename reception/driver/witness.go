package driver

// A Witness is a [Backend] that knows of a moment at which the servers that decide about sessions have heard of this
// client, by something else than a renewal and with no need to settle: because they were asked when it connected, for
// example. A backend need not be one. Where a renewal has to settle, it takes that much longer without.
type Witness interface {
	// Heard returns such a moment; the zero Moment if none is known. If a renewal that is sent after this call is
	// confirmed, no server drops the session before GoodFor has passed since that moment.
	Heard() Moment
}
