package remedy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// denied is the hops of a look that are not allowed.
func denied(l *incident.Look) []string {
	var out []string
	if l != nil {
		for _, h := range l.Hops {
			if h.Verdict != "allowed" {
				out = append(out, h.Name)
			}
		}
	}
	return out
}

// TestACuredRouteKeepsWhatWasBroken: its page shows the broken link, and the route as it is.
func TestACuredRouteKeepsWhatWasBroken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	w.fail("ledger/secret-name")
	var first *incident.Look
	w.onPut = func(int, snapshot.Ref) error {
		if first == nil {
			i, err := w.notes.Get(t.Context(), w.notes.Incidents()[0].ID)
			if err != nil {
				return err
			}
			first = i.Look
		}
		return nil
	}
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.Resolved {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	if first == nil || first.Verdict != "broken" || len(denied(first)) == 0 {
		t.Errorf("before the first write %+v is kept", first)
	}
	if i.Look == nil || i.Look.Verdict != "broken" || !slices.Equal(denied(i.Look), denied(first)) {
		t.Errorf("of the broken route %+v is kept", i.Look)
	}
	if i.After == nil || i.After.Verdict != "healthy" || len(denied(i.After)) > 0 || len(i.After.Hops) == 0 || !i.Cured() {
		t.Errorf("of the cured route %+v is kept", i.After)
	}
	for _, h := range i.Look.Hops {
		if len(h.Others) == 0 && (h.By == nil || h.By.Effect != "Allow" || h.By.Statement == "") {
			t.Errorf("%s is allowed by %+v", h.Name, h.By)
		}
		for _, q := range h.Others {
			if q.Action == "" || q.Principal == "" || q.Decision == "" || len(q.By) == 0 {
				t.Errorf("%s: %+v", h.Name, q)
			}
		}
	}
	if len(i.Look.SourceKeys) == 0 || i.Look.ReplicaKey == "" || i.Look.Role == "" || i.Look.Source.Account == "" || i.Look.Destination.Account == "" {
		t.Errorf("the route is %+v", i.Look)
	}
	if i.Headline != incident.HeadCured {
		t.Errorf("headline %q", i.Headline)
	}
	text, err := json.Marshal([]*incident.Look{i.Look, i.After})
	if err != nil || strings.Contains(string(text), "secret-name") {
		t.Errorf("an object is named: %v %s", err, text)
	}
	if len(w.messages) != 1 {
		t.Errorf("%d messages", len(w.messages))
	}
}

// TestLookingAgainIsNoNews, though what was seen is kept anew.
func TestLookingAgainIsNoNews(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Observe)
	w.fail("ledger/a")
	i, err := w.handle(t.Context())
	if err != nil || i.Outcome != incident.Refused {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	if i.Headline != incident.HeadRefused || len(i.Look.Against) == 0 || i.Look.Against[0].Rule != "mode" {
		t.Errorf("headline %q, against it %+v", i.Headline, i.Look.Against)
	}
	seen := i.Look.At
	w.now = w.now.Add(time.Hour)
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	if !i.Look.At.After(seen) || i.After != nil {
		t.Errorf("looked at %s, then %s", seen, i.Look.At)
	}
	if len(w.messages) != 1 {
		t.Errorf("%d messages", len(w.messages))
	}
}

// TestWhatIsMendedByHandKeepsWhatWasBroken, too.
func TestWhatIsMendedByHandKeepsWhatWasBroken(t *testing.T) {
	t.Parallel()
	mended := newWorld(t, nil)
	mended.approve(settings.Automatic)
	mended.fail("ledger/a")
	if _, err := mended.handle(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil)
	w.approve(settings.Observe)
	w.fail("ledger/a")
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []snapshot.Ref{roleRef, keyRef} {
		if err := w.SetPolicy(ref, mended.see().Document(ref)); err != nil {
			t.Fatal(err)
		}
	}
	if i, err = w.workflow.Resume(t.Context(), i.ID); err != nil || i.Outcome != incident.Healthy {
		t.Fatalf("outcome %s, %v", i.Outcome, err)
	}
	if i.Look.Verdict != "broken" || !i.Cured() || i.After.Verdict != "healthy" {
		t.Errorf("kept: %+v, then %+v", i.Look, i.After)
	}
}

// TestAnUndoneCureIsNotShownAsOne: what stands beside the broken route is what is so.
func TestAnUndoneCureIsNotShownAsOne(t *testing.T) {
	t.Parallel()
	w := watchful(t, nil)
	i := w.cure(remedy.Known{})
	if i.Outcome != incident.Applied || !i.Cured() {
		t.Fatalf("outcome %s", i.Outcome)
	}
	i, err := w.workflow.Undo(t.Context(), i, incident.Authority{Incident: i.ID})
	if err != nil || i.Cured() || i.Stands() {
		t.Errorf("outcome %s, cured %t, %v", i.Outcome, i.Cured(), err)
	}
}

// TestOfAStrangeRouteNothingIsToldOfItsWorking: whoever made it may be waiting for somebody to mend it.
func TestOfAStrangeRouteNothingIsToldOfItsWorking(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	all, err := w.workflow.Watch(t.Context(), source, nil)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d incidents, %v", len(all), err)
	}
	i := all[0]
	if i.Headline != incident.HeadUnapprovedRule || i.Look == nil || i.Look.Verdict != "" || len(i.Look.Hops) > 0 || len(i.Look.Findings) > 0 {
		t.Errorf("headline %q, %+v", i.Headline, i.Look)
	}
	if i.Look.Destination.Bucket != destination || len(i.Look.Against) < 2 {
		t.Errorf("%+v", i.Look)
	}
}

// TestPicturesNameNoObject: who has a link sees them.
func TestPicturesNameNoObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Approve)
	// Without a grant to read, what is asked for is the object.
	if err := w.SetPolicy(snapshot.Ref{Kind: snapshot.RolePolicy, ID: role, Name: "replication"}, snapshot.None[policy.Document]()); err != nil {
		t.Fatal(err)
	}
	w.fail(objectKey)
	i, err := w.handle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(i.Look)
	if err != nil || !strings.Contains(string(text), source+"/(an object)") {
		t.Errorf("no request names an object: this tests nothing: %v\n%s", err, text)
	}
	if strings.Contains(string(text), "jane-doe") {
		t.Errorf("the key of an object stands in:\n%s", text)
	}
}
