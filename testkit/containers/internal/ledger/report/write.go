package report

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The files of a report, besides a plot for each figure.
const (
	pageFile  = "README.md"
	dataFile  = "ledger.json"
	notesFile = "NOTES.md"
)

// WriteAll writes a report to a folder, with the notes that lie there.
func (r *Report) WriteAll(folder string) error {
	notes, err := notesOf(folder)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	files := map[string]func(io.Writer) error{
		pageFile: func(out io.Writer) error { return r.WriteMarkdown(out, notes) },
		dataFile: r.WriteJSON,
	}
	for i := range r.Figures {
		if f := &r.Figures[i]; len(f.Results) > 0 {
			files[f.Name+".svg"] = f.Plot
		}
	}
	for name, write := range files {
		var content bytes.Buffer
		if err := write(&content); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), content.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Missing returns what a report misses without a note in the folder.
func (r *Report) Missing(folder string) ([]string, error) {
	notes, err := notesOf(folder)
	return r.Unexplained(notes), err
}

// notesOf reads the notes of a folder, none if it has none.
func notesOf(folder string) (Notes, error) {
	text, err := os.ReadFile(filepath.Join(folder, notesFile))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	notes, err := ReadNotes(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", notesFile, err)
	}
	return notes, nil
}

// Load reads the report that lies in a folder.
func Load(folder string) (*Report, error) {
	file, err := os.Open(filepath.Join(folder, dataFile))
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	return ReadJSON(file)
}
