package reception

import "maps"

// An ElectorOption configures an Elector made by [NewElector].
type ElectorOption func(*elector)

// WithServiceID sets the ID of the candidate. The default is a random UUID.
func WithServiceID(id string) ElectorOption {
	return func(e *elector) { e.candidate.ID = id }
}

// WithHostAndPort sets where the candidate is reached. The default is to say nothing about that.
func WithHostAndPort(host string, port int) ElectorOption {
	return func(e *elector) { e.candidate.Address, e.candidate.Port = host, port }
}

// WithAttributes sets what the candidate says about itself. The attributes are copied.
func WithAttributes(attributes Attributes) ElectorOption {
	attributes = maps.Clone(attributes)
	return func(e *elector) { e.candidate.Attributes = attributes }
}

// WithDisconnectionCallback has onDisconnect called, on a goroutine of its own, once for each term that was lost, with
// the reason. A term is not lost if it was given up: by Cancel, by its Resign or by the Client's Close. A panic in it is
// logged, by slog.Default where the Client has no logger, or that of [NewNilLogger].
func WithDisconnectionCallback(onDisconnect func(error)) ElectorOption {
	return func(e *elector) { e.onDisconnect = onDisconnect }
}
