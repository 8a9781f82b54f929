package fake

// Mutants names the mutants of the specification's rules.
func Mutants() []string {
	names := make([]string, len(mutants))
	for i, mutant := range mutants {
		names[i] = mutant.name
	}
	return names
}

// NewMutant makes an empty cluster in which the rules are those of a mutant.
func NewMutant(i int, options ...ClusterOption) *Cluster {
	c := NewCluster(options...)
	mutants[i].mutate(c.rules)
	return c
}
