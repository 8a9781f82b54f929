package conformance

import "slices"

// A testCase is one thing that the contract asks for.
type testCase struct {
	rule  string // the number of the rule
	name  string
	why   string // what goes wrong for users where this fails
	needs []ability
	play  func(*scene)
}

// missing names the abilities that the case needs and the cluster does not have.
func (c *testCase) missing(cluster *Cluster) []string {
	var names []string
	for _, need := range c.needs {
		if !need.of(cluster) {
			names = append(names, need.name)
		}
	}
	return names
}

// cases returns all cases, those of a rule together, in the order of the contract.
func cases() []testCase {
	return slices.Concat(
		registerCases(), updateCases(), takeoverCases(), outageCases(), repairCases(), departureCases(),
		deregisterCases(), closeCases(),
		listCases(), proofCases(), namesCases(),
		watchCases(), watchTroubleCases(), watchLifeCases(),
		overlapCases(), horizonCases(), electedCases(), queueCases(), handoverCases(), leaderCases(), electorCases(),
		limitCases(),
	)
}
