package reception

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
)

// valid is a service that passes, as the test changes it.
func valid(change func(s *Service)) *Service {
	s := &Service{
		ID: "1", Name: "api", Address: "10.0.0.1", Port: 80,
		Attributes: Attributes{"zone": "a", "empty": "", "emoji": "\U0001F600"},
	}
	change(s)
	return s
}

// What is just within the limits passes.
func TestValidateAcceptsTheLimits(t *testing.T) {
	many := Attributes{}
	for i := range 60 {
		many[fmt.Sprintf("%02d", i)] = strings.Repeat("x", 500)
	}
	for name, change := range map[string]func(s *Service){
		"as it is":         func(*Service) {},
		"one letter":       func(s *Service) { s.Name, s.ID = "a", "Z" },
		"longest name":     func(s *Service) { s.Name = strings.Repeat("n", 128) },
		"all characters":   func(s *Service) { s.ID = "A.z_0-9" },
		"no port":          func(s *Service) { s.Port = 0 },
		"highest port":     func(s *Service) { s.Port = 65535 },
		"no attributes":    func(s *Service) { s.Attributes = nil },
		"many attributes":  func(s *Service) { s.Attributes = many },
		"longest key":      func(s *Service) { s.Attributes = Attributes{strings.Repeat("~", 90): ""} },
		"key with a space": func(s *Service) { s.Attributes = Attributes{" a key ": ""} },
		"control in value": func(s *Service) { s.Attributes = Attributes{"k": "a\x00\n"} },
	} {
		if err := validateRegister(valid(change)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is just outside is told so that a person can mend it.
func TestValidateNamesFieldAndRule(t *testing.T) {
	const (
		identifier = "must be 1 to 128 of A-Z a-z 0-9 . _ -, starting and ending with a letter or a digit, got "
		host       = "must be a host name or an IP address that others can reach, " +
			"not an unspecified one such as 0.0.0.0 or ::"
		value = "must be valid UTF-8 of at most 500 bytes, got "
		key   = "service.Attributes key: must be 1 to 90 printable ASCII characters, got "
	)
	many := Attributes{}
	for i := range 61 {
		many[fmt.Sprint(i)] = ""
	}
	for want, change := range map[string]func(s *Service){
		"service.ID: " + identifier + `""`:                           func(s *Service) { s.ID = "" },
		"service.ID: " + identifier + `"a b"`:                        func(s *Service) { s.ID = "a b" },
		"service.Name: " + identifier + `"a\n"`:                      func(s *Service) { s.Name = "a\n" },
		"service.Name: " + identifier + `"-a"`:                       func(s *Service) { s.Name = "-a" },
		"service.Name: " + identifier + `"a."`:                       func(s *Service) { s.Name = "a." },
		"service.Name: " + identifier + `"é"`:                        func(s *Service) { s.Name = "é" },
		"service.Name: " + identifier + shortened("n", 129):          func(s *Service) { s.Name = strings.Repeat("n", 129) },
		"service.Address: is required and " + host:                   func(s *Service) { s.Address = "" },
		"service.Address: " + host + `, got "0.0.0.0"`:               func(s *Service) { s.Address = "0.0.0.0" },
		"service.Port: must be 0 to 65535, got -1":                   func(s *Service) { s.Port = -1 },
		"service.Port: must be 0 to 65535, got 65536":                func(s *Service) { s.Port = 65536 },
		"service.Attributes: must be at most 60 entries, got 61":     func(s *Service) { s.Attributes = many },
		`service.Attributes["zone"]: ` + value + shortened("x", 501): func(s *Service) { s.Attributes["zone"] = strings.Repeat("x", 501) },
		`service.Attributes["zone"]: ` + value + `"\xff"`:            func(s *Service) { s.Attributes["zone"] = "\xff" },
		key + `""`:     func(s *Service) { s.Attributes[""] = "" },
		key + `"a\tb"`: func(s *Service) { s.Attributes["a\tb"] = "" },
		key + `"` + strings.Repeat("k", 91) + `"`:                                    func(s *Service) { s.Attributes[strings.Repeat("k", 91)] = "" },
		`service.Attributes["` + strings.Repeat("l", 90) + `"]: ` + value + `"\xff"`: func(s *Service) { s.Attributes[strings.Repeat("l", 90)] = "\xff" },
	} {
		err := validateRegister(valid(change))
		if err == nil || err.Error() != "invalid service: "+want {
			t.Errorf("got  %v\nwant invalid service: %s", err, want)
		}
		if !errors.Is(err, ErrInvalidService) {
			t.Errorf("%v is no ErrInvalidService", err)
		}
	}
}

// shortened is a long value as an error shows it.
func shortened(letter string, count int) string {
	return fmt.Sprintf("%q… (%d bytes)", strings.Repeat(letter, quotedBytes), count)
}

// Each method checks what it takes, and calls it by the name of its parameter.
func TestValidateEachMethod(t *testing.T) {
	none := func(*Service) {}
	for _, test := range []struct {
		want string
		err  error
	}{
		{"service: must not be nil", validateRegister(nil)},
		{"service: must not be nil", validateDeregister(nil)},
		{"service.Name: must be 1 to 128", validateDeregister(&Service{ID: "1"})},
		{"name: must be 1 to 128", validateListServices("")},
		{"name: must be 1 to 128", validateNewWatcher("/")},
		{"candidate: must not be nil", validateCampaign("lead", nil)},
		{"candidate.Port: must be 0", validateCampaign("lead", valid(func(s *Service) { s.Port = -1 }))},
		{"candidate.Address: must be a host", validateCampaign("lead", valid(func(s *Service) { s.Address = "::" }))},
		{"election: must be 1 to 128", validateCampaign("", valid(none))},
		{"election: must be 1 to 128", validateLeader("a ")},
		{"election: must be 1 to 128", validateNewLeaderWatcher(" a")},
	} {
		if test.err == nil || !strings.HasPrefix(test.err.Error(), "invalid service: "+test.want) {
			t.Errorf("got %v, want %s", test.err, test.want)
		}
	}
	for name, err := range map[string]error{
		"only name and ID of the service": validateDeregister(&Service{ID: "1", Name: "api", Port: -1}),
		"candidate without an address":    validateCampaign("lead", valid(func(s *Service) { s.Address = "" })),
		"list":                            validateListServices("api"),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Of several bad attributes it is always the same that is reported.
func TestValidateReportsTheFirstKey(t *testing.T) {
	bad := valid(func(s *Service) { s.Attributes = Attributes{"b": "\xff", "a": "\xff", "c": "\xff"} })
	for range 20 {
		if err := validateRegister(bad); !strings.Contains(err.Error(), `["a"]`) {
			t.Fatalf("not the first key in order: %v", err)
		}
	}
}

// A long value is shortened without making bad text of good.
func TestQuoteCutsBetweenRunes(t *testing.T) {
	for offset := range 4 {
		text := strings.Repeat("a", offset) + strings.Repeat("\U0001F600", 50)
		if got := quote(text); strings.Contains(got, `\x`) || len(got) > quotedBytes+20 {
			t.Errorf("offset %d: %s", offset, got)
		}
	}
	if got := quote(strings.Repeat("\x80", 200)); !strings.HasSuffix(got, "(200 bytes)") {
		t.Errorf("no text at all: %s", got)
	}
}

// What a backend keeps and what a user gets may be changed without harm to the other.
func TestConversionsShareNothing(t *testing.T) {
	original := valid(func(*Service) {})
	there := toDriverService(original)
	back := fromDriverService(&there)
	if back.ID != original.ID || back.Name != original.Name || back.Address != original.Address ||
		back.Port != original.Port || !maps.Equal(back.Attributes, original.Attributes) {
		t.Errorf("%+v came back as %+v", original, back)
	}
	there.Attributes["zone"] = "there"
	back.Attributes["zone"] = "back"
	if original.Attributes["zone"] != "a" || there.Attributes["zone"] != "there" {
		t.Error("the copies share their attributes")
	}
}
