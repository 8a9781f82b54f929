package added

import (
	"errors"
	"slices"
	"testing"

	"github.com/go-reception/sdk/fake"
	"github.com/go-reception/sdk/reception/driver"
	"github.com/go-reception/sdk/testkit/conformance"
)

// register registers instances of api with this owner.
func register(t *testing.T, b driver.Backend, owner string, ids ...string) {
	t.Helper()
	session, err := b.OpenSession(t.Context(), &driver.OpenSessionRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		service := driver.Service{Name: "api", ID: id, Address: "10.0.0.1", Attributes: driver.Attributes{"zone": "a"}}
		if _, err := b.Register(t.Context(), &driver.RegisterRequest{
			Session:  session.Session,
			Instance: driver.Instance{Service: service, Owner: owner, Generation: 1},
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAddedCount(t *testing.T) {
	b := fake.NewCluster().Backend()
	for want, ids := range [][]string{{}, {"1"}, {"2"}, {"3"}} {
		register(t, b, "me", ids...)
		got, err := b.CountServices(t.Context(), &driver.CountServicesRequest{Name: "api"})
		if err != nil || got.Count != want {
			t.Errorf("%d of %d, %v", got.Count, want, err)
		}
	}
	if got, err := b.CountServices(t.Context(), &driver.CountServicesRequest{Name: "other"}); err != nil || got.Count != 0 {
		t.Errorf("%d of another service, %v", got.Count, err)
	}
}

func TestAddedUpdate(t *testing.T) {
	b := fake.NewCluster().Backend()
	register(t, b, "me", "1", "2")
	before, err := b.ListServices(t.Context(), &driver.ListServicesRequest{Name: "api"})
	if err != nil {
		t.Fatal(err)
	}
	attributes := driver.Attributes{"zone": "b"}
	update := func(id, owner string) (*driver.UpdateAttributesResponse, error) {
		return b.UpdateAttributes(t.Context(), &driver.UpdateAttributesRequest{
			Name: "api", ID: id, Owner: owner, Attributes: attributes,
		})
	}
	if _, err := update("3", "me"); !errors.Is(err, driver.ErrUnknown) {
		t.Errorf("of an absent one: %v", err)
	}
	if _, err := update("1", "you"); !errors.Is(err, driver.ErrReplaced) {
		t.Errorf("of another's: %v", err)
	}
	updated, err := update("1", "me")
	if err != nil || updated.Instance.Service.Attributes["zone"] != "b" || updated.Revision <= before.Revision {
		t.Fatalf("%+v, %v", updated, err)
	}
	attributes["zone"] = "c" // the request is the caller's again
	after, err := b.ListServices(t.Context(), &driver.ListServicesRequest{Name: "api"})
	if err != nil || len(after.Instances) != 2 || after.Instances[0].Service.ID != "1" ||
		after.Instances[0].Created != before.Instances[0].Created ||
		after.Instances[0].Service.Attributes["zone"] != "b" || after.Instances[1].Service.Attributes["zone"] != "a" {
		t.Errorf("not in place: %+v, %v", after, err)
	}
	if before.Instances[0].Service.Attributes["zone"] != "a" {
		t.Error("what was read before has changed")
	}
}

func TestAddedRecord(t *testing.T) {
	ctx := t.Context()
	cluster := fake.NewCluster()
	ours, theirs := cluster.Backend(), cluster.Backend()
	stream, err := theirs.OpenWatchSettings(ctx, &driver.WatchSettingsRequest{Group: "limits"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if first, err := stream.Next(ctx); err != nil || !first.Reset || len(first.Changes) != 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	put := func(group, key, value string) {
		t.Helper()
		values := driver.Attributes{"value": value}
		setting := driver.Setting{Group: group, Key: key, Values: values}
		if _, err := ours.PutSetting(ctx, &driver.PutSettingRequest{Setting: setting}); err != nil {
			t.Fatal(err)
		}
		values["value"] = "changed after the call"
	}
	put("limits", "b", "1")
	put("other", "x", "1")
	put("limits", "a", "1")
	put("limits", "b", "2")

	got, err := theirs.GetSetting(ctx, &driver.GetSettingRequest{Group: "limits", Key: "b"})
	if err != nil || got.Setting.Values["value"] != "2" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := theirs.GetSetting(ctx, &driver.GetSettingRequest{Group: "limits", Key: "x"}); !errors.Is(err, driver.ErrUnknown) {
		t.Errorf("of an absent one: %v", err)
	}
	list, err := theirs.ListSettings(ctx, &driver.ListSettingsRequest{Group: "limits"})
	if err != nil || len(list.Settings) != 2 || list.Settings[0].Key != "b" || list.Settings[1].Key != "a" {
		t.Errorf("%+v, %v", list, err)
	}

	// The batches may be any, the changes not.
	var changes []string
	for len(changes) < 3 {
		batch, err := stream.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range batch.Changes {
			changes = append(changes, c.Record.Key+c.Record.Values["value"])
		}
	}
	if !slices.Equal(changes, []string{"b1", "a1", "b2"}) {
		t.Errorf("the stream has shown %v", changes)
	}
	if err := ours.Close(); err != nil {
		t.Fatal(err)
	}
	if list, err := theirs.ListSettings(ctx, &driver.ListSettingsRequest{Group: "limits"}); err != nil || len(list.Settings) != 2 {
		t.Errorf("permanent records have gone with a client: %+v, %v", list, err)
	}
}

func TestAddedFaultsAndHistory(t *testing.T) {
	ctx := t.Context()
	cluster := fake.NewCluster(fake.WithHistory(10))
	b := cluster.Backend()
	for _, fault := range []fake.Fault{
		{Operation: "CountServices", Err: driver.ErrPermission},
		{Operation: "PutSetting", Stage: fake.After, LoseReply: true},
		{Operation: "RenameSetting", Stage: fake.Between, LoseReply: true},
		{Operation: "WatchSettings", Stage: fake.Next, Err: driver.ErrUnavailable},
	} {
		if _, err := b.Inject(fault); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.CountServices(ctx, &driver.CountServicesRequest{Name: "api"}); !errors.Is(err, driver.ErrPermission) {
		t.Errorf("refused: %v", err)
	}
	old := driver.Setting{Group: "limits", Key: "old"}
	if _, err := b.PutSetting(ctx, &driver.PutSettingRequest{Setting: old}); !errors.Is(err, driver.ErrOutcomeUnknown) {
		t.Errorf("lost: %v", err)
	}
	renamed := driver.Setting{Group: "limits", Key: "new"}
	if _, err := b.RenameSetting(ctx, &driver.RenameSettingRequest{Setting: renamed, Key: "old"}); !errors.Is(err, driver.ErrOutcomeUnknown) {
		t.Errorf("cut between the steps: %v", err)
	}
	list, err := b.ListSettings(ctx, &driver.ListSettingsRequest{Group: "limits"})
	if err != nil || len(list.Settings) != 2 {
		t.Errorf("the first step alone has left %+v, %v", list, err)
	}
	stream, err := b.OpenWatchSettings(ctx, &driver.WatchSettingsRequest{Group: "limits"})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if batch, err := stream.Next(ctx); !errors.Is(err, driver.ErrUnavailable) {
		t.Errorf("%+v, %v", batch, err)
	}

	var calls []string
	for _, e := range cluster.History() {
		calls = append(calls, e.Operation.Name)
	}
	want := []string{"CountServices", "PutSetting", "RenameSetting", "ListSettings", "WatchSettings", "WatchSettings"}
	if !slices.Equal(calls, want) {
		t.Errorf("the history has %v", calls)
	}
}

func TestAddedConformance(t *testing.T) {
	ctx := t.Context()
	var coverage conformance.Coverage
	missing := func(what string) bool { return slices.Contains(coverage.Missing(), what) }
	unknown, replaced := ": "+driver.ErrUnknown.Error(), ": "+driver.ErrReplaced.Error()
	for _, what := range []string{
		"CountServices", "UpdateAttributes", "UpdateAttributes" + unknown, "UpdateAttributes" + replaced, "PutSetting",
		"GetSetting", "GetSetting" + unknown, "ListSettings", "RenameSetting", "RenameSetting" + unknown, "WatchSettings",
	} {
		if !missing(what) {
			t.Errorf("%s does not count as uncovered", what)
		}
	}
	b := coverage.Intercept(fake.NewCluster().Backend())
	if _, err := b.CountServices(ctx, &driver.CountServicesRequest{Name: "api"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.UpdateAttributes(ctx, &driver.UpdateAttributesRequest{}); !errors.Is(err, driver.ErrUnknown) {
		t.Fatal(err)
	}
	if missing("CountServices") || missing("UpdateAttributes"+unknown) {
		t.Error("what was seen counts as uncovered")
	}
	if !missing("UpdateAttributes") || !missing("UpdateAttributes"+replaced) {
		t.Error("what was not seen counts as covered")
	}
}
