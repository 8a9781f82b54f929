package kernel

// A Schema says where a kind of record keeps what the kernel needs to know of it.
type Schema[R any] struct {
	// Name is the kind's name in the specification.
	Name string
	// Scope is what lists and watches select by.
	Scope func(*R) string
	// Key identifies a record within its scope. It may be the session.
	Key func(*R) string
	// Order is where the kernel writes the record's place in the order of creation.
	Order func(*R) *uint64
	// Session writes the session that the record lives on; nil for records that live for ever.
	Session func(*R, string)
	// Owner is who has written the record; nil for records that have no owner.
	Owner func(*R) string
	// Generation counts the owner's writes; nil for records that have none.
	Generation func(*R) uint64
	// Clone copies a record so that nothing is shared.
	Clone func(R) R
}

// A Mode is how a put treats a record that is there already.
type Mode int

// The modes.
const (
	// Create leaves it as it is.
	Create Mode = iota
	// InPlace overwrites it where it stands in the order.
	InPlace
	// TakeOver overwrites it in place if the owner is the same, and otherwise replaces it at the end of the order.
	TakeOver
)

// A Put is what became of a put.
type Put struct {
	// Order is the record's place in the order of creation.
	Order uint64
	// Revision is the place in the history of the write that made the record what it is.
	Revision uint64
	// Displaced is the owner whose record was replaced, if there was one, and not the same.
	Displaced string
	// Existed says that there was a record.
	Existed bool
}

// An Update is what became of an update.
type Update[R any] struct {
	// Match is Own if the record was updated.
	Match Match
	// Record is the updated one.
	Record *R
	// Revision is the write's place in the history.
	Revision uint64
}

// A Match is how a record stands to a condition.
type Match int

// The matches.
const (
	// Absent says that there is no record.
	Absent Match = iota
	// Own says that there is one, and that it meets the condition.
	Own
	// Foreign says that there is one that does not.
	Foreign
)

// A Condition says whose record is meant.
type Condition struct {
	owned      bool
	owner      string
	aged       bool
	generation uint64
}

// Anyone is the condition that every record meets.
var Anyone = Condition{}

// OwnedBy is the condition that the record is the owner's.
func OwnedBy(owner string) Condition { return Condition{owned: true, owner: owner} }

// OwnedUpTo is the condition that the record is the owner's, and of no later generation.
func OwnedUpTo(owner string, generation uint64) Condition {
	return Condition{owned: true, owner: owner, aged: true, generation: generation}
}

// match holds a record against a condition.
func (s *Schema[R]) match(record *R, c Condition) Match {
	if c.owned && s.Owner(record) != c.owner || c.aged && s.Generation(record) > c.generation {
		return Foreign
	}
	return Own
}
