package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
)

// TestIncidentsMeetTheSchema holds what is printed against what is promised, from the emptiest incident to the fullest.
func TestIncidentsMeetTheSchema(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	document, err := policy.Parse([]byte(`{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var versions incident.Tally
	versions.Add(incident.Object{Key: "a", VersionID: "1", Size: 3})
	least := incident.Incident{ID: "inc-1", Outcome: incident.Open}
	most := incident.Incident{
		ID: "inc-1", Route: incident.Route{Source: "a", Rule: "r", Destination: "b"}, Revision: 3, Opened: noon,
		Failures: incident.Failures{First: noon, Last: noon, Versions: versions, Reasons: []string{"SrcGetObjectNotPermitted"}}, Causes: []string{"role-lacks-source-decrypt"},
		Plan: "abc", Approver: "arn:aws:iam::111122223333:role/admin", Patched: noon,
		Changes: []incident.Change{
			{Kind: "role-policy", ID: "r", Name: "n", Account: "111122223333", At: noon, After: &document, State: incident.Written},
			{Kind: "key-policy", ID: "k", Account: "111122223333", Before: &document, State: incident.Unmade},
		},
		Job: incident.Job{ID: "job", State: incident.JobFailed, Reason: "why"}, Resolved: noon,
		Canary: &incident.Trial{
			Key: "replimend-canary/inc-1", Tags: map[string]string{"k": "v"}, Account: "111122223333", Region: "eu-west-1", VersionID: "1", At: noon,
			For: noon, State: incident.TrialLeft, Failed: 5,
		},
	}
	for range 100 {
		most.Become(incident.Applied, noon, "because")
	}
	unknown := least
	unknown.Outcome = "cured"
	approval := incident.Approval{
		Incident: "inc-1", Plan: "abc", Answer: incident.Approve, Approver: "arn", At: noon, Expires: noon.Add(1), MAC: []byte{1}, Used: noon,
	}
	for name, test := range map[string]struct {
		file  string
		value any
		valid bool
	}{
		"the least incident":       {"incident.schema.json", least, true},
		"the most incident":        {"incident.schema.json", most, true},
		"an unknown outcome":       {"incident.schema.json", unknown, false},
		"an approval":              {"approval.schema.json", approval, true},
		"an answer that is none":   {"approval.schema.json", incident.Approval{Incident: "inc-1", MAC: []byte{1}}, false},
		"an incident as a summary": {"incident.schema.json", most.Summary(), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := json.Marshal(test.value)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(t, compile(t, test.file), string(text)); (err == nil) != test.valid {
				t.Errorf("the schema says %v, want valid: %t\n%s", err, test.valid, text)
			}
		})
	}
}
