package gen

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// digestLength is how many hexadecimal digits of the hash make a digest.
const digestLength = 12

// digest identifies what a sound spec says. Comments, layout, the order of a mapping's keys and stated defaults make no
// difference; the order of lists does.
func digest(root *mapping) string {
	var content strings.Builder
	writeMapping(&content, root)
	hash := sha256.Sum256([]byte(content.String()))
	return hex.EncodeToString(hash[:])[:digestLength]
}

func writeMapping(w *strings.Builder, m *mapping) {
	for _, name := range keys(m.entries) {
		k := m.kind.find(name)
		if k.fallback != "" && m.text(name) == k.fallback {
			continue
		}
		fmt.Fprintf(w, "%q:", name)
		writeDatum(w, m.entries[name])
	}
	w.WriteString("}")
}

// writeDatum writes a value so that no other one is written the same way.
func writeDatum(w *strings.Builder, d *datum) {
	switch {
	case d.mapping != nil:
		writeMapping(w, d.mapping)
	case d.items != nil:
		for _, item := range d.items {
			writeDatum(w, item)
		}
		w.WriteString("]")
	case d.pairs != nil:
		byKey := func(a, b pair) int { return strings.Compare(a.key.text, b.key.text) }
		pairs := slices.SortedFunc(slices.Values(d.pairs), byKey)
		for _, p := range pairs {
			fmt.Fprintf(w, "%q=%q,", p.key.text, p.value.text)
		}
		w.WriteString(")")
	case d.bounds != nil:
		fmt.Fprintf(w, "%d-%d,", d.bounds.Min, d.bounds.Max)
	default:
		fmt.Fprintf(w, "%q,", d.text)
	}
}
