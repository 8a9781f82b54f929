package containers

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// list asks an Exhibitor for its list.
func list(ctx context.Context, t *testing.T, e *Exhibitor, accept string) (status int, kind, body string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL()+exhibitorPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header.Get("Content-Type"), string(text), err
}

func TestExhibitorAnswersAsJSON(t *testing.T) {
	e := StartExhibitor(t, 2181, "a", "b")
	_, kind, body, err := list(t.Context(), t, e, "application/json")
	if err != nil || kind != "application/json" {
		t.Fatalf("%s, %v", kind, err)
	}
	var got struct {
		Servers []string
		Port    int
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || !slices.Equal(got.Servers, []string{"a", "b"}) || got.Port != 2181 {
		t.Errorf("%s is %+v, %v", body, got, err)
	}
	e.SetServers(2182)
	if _, _, body, _ = list(t.Context(), t, e, "application/json"); body != `{"port":2182,"servers":[]}` {
		t.Errorf("after a change to nothing: %s", body)
	}
	if n := e.Requests(); n != 2 {
		t.Errorf("Requests() = %d, want 2", n)
	}
}

func TestExhibitorAnswersAsForm(t *testing.T) {
	e := StartExhibitor(t, 2181, "a", "b")
	_, kind, body, err := list(t.Context(), t, e, "*/*")
	if err != nil || kind != "application/x-www-form-urlencoded" {
		t.Fatalf("%s, %v", kind, err)
	}
	got, err := url.ParseQuery(body)
	if err != nil || got.Get("count") != "2" || got.Get("port") != "2181" || got.Get("server0") != "a" || got.Get("server1") != "b" {
		t.Errorf("%s, %v", body, err)
	}
}

func TestExhibitorInTrouble(t *testing.T) {
	for _, test := range []struct {
		name    string
		trouble ExhibitorTrouble
		check   func(status int, body string, took time.Duration) bool
	}{
		{"500", ExhibitorTrouble{Status: 500}, func(status int, _ string, _ time.Duration) bool { return status == 500 }},
		{"malformed", ExhibitorTrouble{Body: "{oh"}, func(_ int, body string, _ time.Duration) bool { return body == "{oh" }},
		{"huge", ExhibitorTrouble{Size: 1 << 20}, func(_ int, body string, _ time.Duration) bool { return len(body) >= 1<<20 }},
		{"slow", ExhibitorTrouble{Delay: 50 * time.Millisecond}, func(_ int, body string, took time.Duration) bool {
			return body == `{"port":1,"servers":["a"]}` && took >= 50*time.Millisecond
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := StartExhibitor(t, 1, "a")
			e.SetTrouble(test.trouble)
			begun := time.Now()
			status, _, body, err := list(t.Context(), t, e, "application/json")
			if err != nil || !test.check(status, body, time.Since(begun)) {
				t.Errorf("%d, %.100s, %v", status, body, err)
			}
		})
	}
}

func TestExhibitorThatHangs(t *testing.T) {
	e := StartExhibitor(t, 1, "a")
	e.SetTrouble(ExhibitorTrouble{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, _, err := list(ctx, t, e, "application/json"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want no answer", err)
	}
}
