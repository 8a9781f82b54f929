package kernel

import (
	"fmt"
	"testing"
)

// The ring keeps the newest entries, under whatever limit, at positions that go on.
func TestLog(t *testing.T) {
	for _, limit := range []int{1, 2, 15, 16, 17, 40, 1000} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			var l log[int]
			check := func(newest uint64, size int) {
				t.Helper()
				if l.size != size || l.end() != newest {
					t.Fatalf("%d entries up to %d, want %d up to %d", l.size, l.end(), size, newest)
				}
				for i := range size {
					if got := l.back(i).seq; got != newest-uint64(i) {
						t.Fatalf("entry %d from the end is %d, want %d", i, got, newest-uint64(i))
					}
				}
			}
			for n := uint64(1); n <= 100; n++ {
				l.add(entry[int]{seq: n}, limit)
				check(n, min(int(n), limit))
			}
			l.clear()
			l.clear()
			check(100, 0)
			for n := uint64(101); n <= 120; n++ {
				l.add(entry[int]{seq: n}, limit)
				check(n, min(int(n)-100, limit))
			}
			l.invalidate()
			if l.start != 121 || l.end() != 121 {
				t.Errorf("starts at %d and ends at %d", l.start, l.end())
			}
		})
	}
}

// Streams that ask for the same changes share a batch.
func TestLogSharesBatches(t *testing.T) {
	var l log[int]
	one, two := 1, 2
	l.add(entry[int]{seq: 11, after: &one}, 10)
	l.add(entry[int]{seq: 12, before: &one, after: &two}, 10)
	l.add(entry[int]{seq: 13, before: &two}, 10)
	all := l.read(0, 3, 10)
	if all.Cursor != 3 || all.Reset || len(all.Changes) != 3 || !all.Changes[2].Deleted || all.Changes[2].Record != &two {
		t.Errorf("read %+v", all)
	}
	if l.read(0, 3, 10) != all {
		t.Error("read again, it is another batch")
	}
	if b := l.read(1, 2, 10); b.Cursor != 2 || len(b.Changes) != 1 || b.Changes[0].Deleted || b.Changes[0].Record != &two {
		t.Errorf("read %+v", b)
	}
}
