package reception_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/go-reception/sdk/reception"
)

func TestMakeService(t *testing.T) {
	attributes := reception.Attributes{"zone": "a"}
	one, err := reception.MakeService("api", "10.0.0.1", 80, attributes)
	if err != nil {
		t.Fatal(err)
	}
	other, err := reception.MakeService("api", "10.0.0.1", 80, nil)
	if err != nil {
		t.Fatal(err)
	}
	if uuid.Validate(one.ID) != nil || one.ID == other.ID {
		t.Errorf("IDs are %q and %q, want two UUIDs", one.ID, other.ID)
	}
	attributes["zone"] = "changed"
	if one.Name != "api" || one.Address != "10.0.0.1" || one.Port != 80 || one.Attributes["zone"] != "a" {
		t.Errorf("got %+v", one)
	}
	for field, try := range map[string]func() (*reception.Service, error){
		"name":    func() (*reception.Service, error) { return reception.MakeService("", "10.0.0.1", 80, nil) },
		"address": func() (*reception.Service, error) { return reception.MakeService("api", "", 80, nil) },
		"port":    func() (*reception.Service, error) { return reception.MakeService("api", "10.0.0.1", -1, nil) },
		"attributes": func() (*reception.Service, error) {
			return reception.MakeService("api", "10.0.0.1", 1, reception.Attributes{"": ""})
		},
	} {
		if s, err := try(); s != nil || !errors.Is(err, reception.ErrInvalidService) {
			t.Errorf("a bad %s: %v, %v; want ErrInvalidService", field, s, err)
		}
	}
}
