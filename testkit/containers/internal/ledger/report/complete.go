package report

import (
	"maps"
	"slices"
)

// Complete takes over what an older report has of the figures and backends that this one does not.
func (r *Report) Complete(older *Report) {
	for i := range r.Figures {
		f := &r.Figures[i]
		for _, before := range older.Figures {
			if before.Name == f.Name {
				f.complete(before.Results)
			}
		}
	}
	versions := maps.Clone(older.Versions)
	maps.Copy(versions, r.Versions)
	r.Versions = versions
	now := r.Started.Format(minutes)
	r.Started, r.Seconds, r.Rounds = older.Started, older.Seconds, older.Rounds
	r.Commit, r.Machine = older.Commit, older.Machine
	r.Amended = append(slices.Clone(older.Amended), now)
	r.Judge()
}

// complete puts results of before in their places, where there are no newer ones.
func (f *Figure) complete(before []Result) {
	newer := map[string]bool{}
	for _, r := range f.Results {
		newer[r.Backend] = true
	}
	var all []Result
	taken := map[string]bool{}
	for _, r := range before {
		if !newer[r.Backend] {
			all = append(all, r)
			continue
		}
		if taken[r.Backend] {
			continue
		}
		taken[r.Backend] = true
		for _, now := range f.Results {
			if now.Backend == r.Backend {
				all = append(all, now)
			}
		}
	}
	for _, now := range f.Results {
		if !taken[now.Backend] {
			all = append(all, now)
		}
	}
	f.Results = all
}
