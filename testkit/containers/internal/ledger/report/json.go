package report

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the report for machines.
func (r *Report) WriteJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "\t")
	return encoder.Encode(r)
}

// ReadJSON reads what WriteJSON has written.
func ReadJSON(in io.Reader) (*Report, error) {
	r := new(Report)
	return r, json.NewDecoder(in).Decode(r)
}
