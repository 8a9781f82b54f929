package report

import (
	"fmt"
	"strings"
)

// Notes are what people have to say about results, by "figure on backend".
type Notes map[string]string

// ReadNotes reads a file of notes: a heading of the second level, such as
//
//	## list on etcd
//
// and below it any text. What stands before the first heading is for the readers of the file.
func ReadNotes(text string) (Notes, error) {
	notes := Notes{}
	key := ""
	for number, line := range strings.Split(text, "\n") {
		heading, found := strings.CutPrefix(line, "## ")
		if !found {
			if key != "" {
				notes[key] += line + "\n"
			}
			continue
		}
		key = strings.TrimSpace(heading)
		if _, _, two := strings.Cut(key, " on "); !two {
			return nil, fmt.Errorf("line %d: a heading names a figure and a backend, as \"list on etcd\" does, and not %q",
				number+1, key)
		}
		if _, twice := notes[key]; twice {
			return nil, fmt.Errorf("line %d: there are notes on %s already", number+1, key)
		}
		notes[key] = ""
	}
	for key, note := range notes {
		notes[key] = strings.TrimSpace(note)
	}
	return notes, nil
}

// Unexplained returns the results, as "figure on backend", that miss an aim without a note that says why.
func (r *Report) Unexplained(notes Notes) []string {
	var keys []string
	seen := map[string]bool{}
	for i := range r.Figures {
		f := &r.Figures[i]
		for j := range f.Results {
			key := f.key(&f.Results[j])
			if f.Results[j].missed() && notes[key] == "" && !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// missed says whether an aim was missed.
func (r *Result) missed() bool {
	for _, v := range r.Aims {
		if !v.Met {
			return true
		}
	}
	return false
}
