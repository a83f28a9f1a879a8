package incident_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
)

// TestTheSealCoversEverything: no two approvals that differ have the same message, however their texts run into each other.
func TestTheSealCoversEverything(t *testing.T) {
	t.Parallel()
	// Few and awkward texts, so that what stands at the end of one field in one approval stands at the start of the next in another.
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", ",", "1:", "\xff"}), 0, 3)
	text := rapid.Map(parts, func(parts []string) string { return strings.Join(parts, "") })
	at := rapid.Map(rapid.Int64Range(0, 1), func(n int64) time.Time { return noon.Add(time.Duration(n)) })
	draw := rapid.Custom(func(t *rapid.T) incident.Approval {
		return incident.Approval{
			Incident: text.Draw(t, "incident"), Plan: text.Draw(t, "plan"), Answer: incident.Answer(text.Draw(t, "answer")),
			Approver: text.Draw(t, "approver"), At: at.Draw(t, "at"), Expires: at.Draw(t, "expires"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		seen := map[string]incident.Approval{}
		for _, a := range rapid.SliceOfN(draw, 2, 50).Draw(t, "approvals") {
			moved := a
			if n := len(a.Plan); n > 0 {
				moved.Incident, moved.Plan = a.Incident+a.Plan[:1], a.Plan[1:]
			}
			swapped := a
			swapped.Incident, swapped.Plan = a.Incident+","+a.Plan, ""
			for _, a := range []incident.Approval{a, moved, swapped} {
				if other, ok := seen[string(a.Message())]; ok && !cmp.Equal(a, other) {
					t.Fatalf("%q is the message of both\n%+v\n%+v", a.Message(), a, other)
				}
				seen[string(a.Message())] = a
			}
		}
	})
	a := incident.Approval{At: noon}
	if abroad := (incident.Approval{At: noon.In(time.FixedZone("x", 3600))}); string(a.Message()) != string(abroad.Message()) {
		t.Error("the same time elsewhere gives another message")
	}
}

// TestWhyAnApprovalDoesNotCount: who reads the refusal must learn which it is.
func TestWhyAnApprovalDoesNotCount(t *testing.T) {
	t.Parallel()
	good := incident.Approval{Plan: "abc", Answer: incident.Approve, Approver: "arn", Expires: noon.Add(time.Hour)}
	used := good
	used.Used = noon
	for name, tt := range map[string]struct {
		approval incident.Approval
		plan     string
		now      time.Time
		want     error
	}{
		"good":         {good, "abc", noon, nil},
		"another plan": {good, "abd", noon, incident.ErrOtherPlan},
		"no plan":      {incident.Approval{Expires: noon.Add(1)}, "", noon, incident.ErrOtherPlan},
		"expired":      {good, "abc", noon.Add(time.Hour), incident.ErrExpired},
		"used":         {used, "abc", noon, incident.ErrUsed},
	} {
		if got := tt.approval.Counts(tt.plan, tt.now); got != tt.want { //nolint:errorlint // they are returned as they are
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// TestALongTimelineKeepsItsEnds: how it began and what happened last stay, and the gap says how much it stands for.
func TestALongTimelineKeepsItsEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var i incident.Incident
		n := rapid.IntRange(0, 300).Draw(t, "entries")
		for k := range n {
			i.Log(noon.Add(time.Duration(k)*time.Second), "entry %d", k)
		}
		if len(i.Timeline) > 64 {
			t.Fatalf("%d entries", len(i.Timeline))
		}
		next := 0
		for k, e := range i.Timeline {
			if e.LeftOut > 0 {
				if k != 16 || e.Text != fmt.Sprintf("%d entries left out", e.LeftOut) {
					t.Fatalf("entry %d says %q for %d", k, e.Text, e.LeftOut)
				}
				next += e.LeftOut
				continue
			}
			if e.Text != fmt.Sprintf("entry %d", next) {
				t.Fatalf("entry %d says %q", next, e.Text)
			}
			next++
		}
		if next != n {
			t.Fatalf("the timeline accounts for %d of %d entries", next, n)
		}
	})
}

// full is an incident that has everything.
func full(t *testing.T) incident.Incident {
	t.Helper()
	document, err := policy.Parse([]byte(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	i := incident.Incident{
		ID: "inc-1", Route: incident.Route{Source: "a", Rule: "r", Destination: "b"}, Revision: 3, Opened: noon,
		Failures: incident.Failures{First: noon, Last: noon.Add(time.Hour), Versions: tallyOf(version(1), version(2))},
		Causes:   []string{"role-lacks-source-decrypt"}, Plan: "abc", Approver: "arn:aws:iam::111122223333:role/admin", Patched: noon.Add(1),
		Changes: []incident.Change{{
			Kind: "role-policy", ID: "arn:aws:iam::111122223333:role/r", Name: "Replimend", Account: "111122223333", At: noon,
			After: &document, State: incident.Written,
		}},
		Job: incident.Job{ID: "job", State: incident.JobRunning, Total: 2},
	}
	i.Become(incident.Applied, noon, "because")
	return i
}

func TestIncidentsAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]incident.Incident{"full": full(t), "empty": {}} {
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), `{"schema":"replimend/incident/v1",`) {
			t.Errorf("%s: %.80s", name, text)
		}
		var got incident.Incident
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		other := strings.Replace(string(text), "incident/v1", "incident/v2", 1)
		if err := json.Unmarshal([]byte(other), &got); err == nil {
			t.Errorf("%s: read an incident of a version that is not known", name)
		}
	}
}

func TestSuppressionsNeedAnOwnerAReasonAndAnEnd(t *testing.T) {
	t.Parallel()
	good := incident.Suppression{
		Route: incident.Route{Source: "a", Rule: "r", Destination: "b"}, Owner: "storage team", Reason: "migration", Expires: noon.Add(time.Hour),
	}
	if err := good.Check(noon); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*incident.Suppression){
		"no owner":       func(s *incident.Suppression) { s.Owner = "" },
		"no reason":      func(s *incident.Suppression) { s.Reason = "" },
		"a long reason":  func(s *incident.Suppression) { s.Reason = strings.Repeat("a", 2000) },
		"no destination": func(s *incident.Suppression) { s.Route.Destination = "" },
		"a long cause":   func(s *incident.Suppression) { s.Cause = strings.Repeat("a", 200) },
		"no end":         func(s *incident.Suppression) { s.Expires = time.Time{} },
		"over":           func(s *incident.Suppression) { s.Expires = noon },
		"too long":       func(s *incident.Suppression) { s.Expires = noon.Add(incident.MaxSuppression + 1) },
	} {
		bad := good
		change(&bad)
		if bad.Check(noon) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestRouteIsSilentWhenEveryCauseIs and not when one more joins those that somebody answers for.
func TestRouteIsSilentWhenEveryCauseIs(t *testing.T) {
	t.Parallel()
	all, a, b := incident.Suppression{Owner: "all"}, incident.Suppression{Owner: "a", Cause: "a"}, incident.Suppression{Owner: "b", Cause: "b"}
	type list = []incident.Suppression
	for name, tt := range map[string]struct {
		inForce list
		causes  []string
		want    list
	}{
		"none":                        {nil, []string{"a"}, nil},
		"every cause":                 {list{a, all}, []string{"a", "c"}, list{all}},
		"every cause, of none known":  {list{all}, nil, list{all}},
		"the cause":                   {list{a}, []string{"a"}, list{a}},
		"both causes":                 {list{a, b}, []string{"b", "a"}, list{a, b}},
		"one of two causes":           {list{a}, []string{"a", "b"}, nil},
		"another cause":               {list{a}, []string{"b"}, nil},
		"one more than the cause":     {list{a, b}, []string{"a"}, list{a}},
		"a cause, of none known":      {list{a}, nil, nil},
		"none, and there is no cause": {nil, nil, nil},
	} {
		if got := incident.Silenced(tt.inForce, tt.causes); !slices.Equal(got, tt.want) {
			t.Errorf("%s: silenced by %v, want %v", name, got, tt.want)
		}
	}
	text := incident.Suppression{Cause: "c\x1b", Owner: "o\u202e\n", Reason: strings.Repeat("r", 1000), Expires: noon}.String()
	if len(text) > 700 || strings.ContainsAny(text, "\x1b\u202e\n") || !strings.HasPrefix(text, "cause c") {
		t.Errorf("in words: %q", text)
	}
}
