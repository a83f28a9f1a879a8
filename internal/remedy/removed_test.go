package remedy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestWhatIsTakenOutAgainIsLeftAlone: no hour is too full and no cure fails, and still the fourth one is not tried.
func TestWhatIsTakenOutAgainIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.approve(settings.Automatic)
	for n, want := range []incident.Outcome{incident.Resolved, incident.Resolved, incident.Resolved, incident.Refused} {
		w.failedBy = nil
		w.fail(objectKey)
		i, err := w.handle(t.Context())
		if err != nil || i.Outcome != want {
			t.Fatalf("time %d: outcome %s, want %s: %v %v", n+1, i.Outcome, want, i.Timeline, err)
		}
		if err := w.SetPolicy(roleRef, snapshot.None[policy.Document]()); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(2 * time.Hour)
	}
	if text := w.messages[3].Text(); !strings.Contains(text, "taken out again (times: 3, limit: 3)") || strings.Contains(text, "key-policy") {
		t.Errorf("the message does not say what was taken out:\n%s", text)
	}
}

// one is a document with a single statement.
func one(t *testing.T, statement string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(`{"Version": "2012-10-17", "Statement": [` + statement + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWhatCountsAsTakenOut(t *testing.T) {
	t.Parallel()
	const (
		decrypt = `{"Sid": "Replimend1", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "arn:aws:kms:us-east-1:111122223333:key/k", ` +
			`"Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}}`
		written, undone = incident.Written, incident.Undone
	)
	change := func(statement string, state incident.ChangeState) incident.Change {
		d := one(t, statement)
		return incident.Change{Kind: string(snapshot.RolePolicy), ID: role, Name: "Replimend", After: &d, State: state}
	}
	tests := map[string]struct {
		changes []incident.Change
		again   string // what the plan adds
		want    int
	}{
		"the same again":                    {[]incident.Change{change(decrypt, written)}, decrypt, 1},
		"two times, and something between":  {[]incident.Change{change(decrypt, written), change(strings.ReplaceAll(decrypt, "kms:", "sns:"), written), change(decrypt, written)}, decrypt, 2},
		"under another Sid, a part of it":   {[]incident.Change{change(decrypt, written)}, strings.NewReplacer("Replimend1", "Replimend2", `, "kms:Encrypt"`, "").Replace(decrypt), 1},
		"we took it out ourselves":          {[]incident.Change{change(decrypt, undone)}, decrypt, 0},
		"another action":                    {[]incident.Change{change(decrypt, written)}, strings.NewReplacer("Decrypt", "GenerateDataKey", "Encrypt", "ReEncryptTo").Replace(decrypt), 0},
		"another resource":                  {[]incident.Change{change(decrypt, written)}, strings.ReplaceAll(decrypt, "key/k", "key/l"), 0},
		"another condition":                 {[]incident.Change{change(decrypt, written)}, strings.ReplaceAll(decrypt, "s3.us-east-1", "s3.eu-west-1"), 0},
		"a change that may not be written":  {[]incident.Change{change(decrypt, incident.Intended)}, decrypt, 0},
		"somebody changed it while we were": {[]incident.Change{change(decrypt, incident.Overrun)}, decrypt, 1},
		"nothing was done before":           {nil, decrypt, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
			plan := patch.Plan{Edits: []patch.Edit{{Document: roleRef, Before: snapshot.None[policy.Document](), After: snapshot.Of(one(t, tt.again))}}}
			h := remedy.History(incident.Past{Incidents: []incident.Incident{{Changes: tt.changes}}}, plan, now)
			got := 0
			for _, r := range h.Removed {
				got += r.Times
			}
			if got != tt.want || !h.Now.Equal(now) {
				t.Errorf("taken out %d times, want %d; history %+v", got, tt.want, h)
			}
		})
	}
}
