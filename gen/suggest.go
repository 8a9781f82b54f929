package gen

import (
	"strings"
	"unicode/utf8"
)

// suggestionWork bounds the comparisons of letters that suggestions for one spec may take.
const suggestionWork = 1 << 24

// suggest returns the one of known that name was probably meant to be, or nothing.
func (p *problems) suggest(name string, known []string) string {
	best, distance := "", 1+utf8.RuneCountInString(name)/3
	for _, candidate := range known {
		if p.suggesting--; p.suggesting < 0 {
			return best
		}
		if strings.EqualFold(candidate, name) {
			return candidate
		}
		if difference := len(candidate) - len(name); max(difference, -difference) >= distance {
			continue
		}
		p.suggesting -= len(candidate) * len(name)
		if d := levenshtein(strings.ToLower(name), strings.ToLower(candidate)); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// levenshtein counts the letters to insert, delete, replace, or swap with their neighbour to get from a to b.
func levenshtein(a, b string) int {
	from, to := []rune(a), []rune(b)
	before, previous, row := make([]int, len(to)+1), make([]int, len(to)+1), make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range from {
		before, previous, row = previous, row, before
		row[0] = i + 1
		for j, s := range to {
			cost := 1
			if r == s {
				cost = 0
			}
			row[j+1] = min(previous[j+1]+1, row[j]+1, previous[j]+cost)
			if i > 0 && j > 0 && r == to[j-1] && s == from[i-1] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(to)]
}
