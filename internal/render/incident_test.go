package render_test

import (
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/render"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("CET", 3600))

func told() incident.Incident {
	return incident.Incident{
		ID: "inc-0123456789abcdef0123", Route: incident.Route{Source: "a", Rule: "r", Destination: "b"}, Outcome: incident.Applied, Opened: noon,
		Causes: []string{"role-lacks-source-decrypt"}, Breaking: &incident.Call{Event: "PutKeyPolicy", Principal: "arn:aws:iam::111122223333:role/deploy", At: noon},
		Plan: "abc", Approver: "arn:aws:iam::111122223333:user/ada", Patched: noon, Job: incident.Job{ID: "job-1", State: incident.JobComplete},
		Changes:  []incident.Change{{Kind: "role-policy", ID: "arn:aws:iam::111122223333:role/x", Account: "111122223333", State: incident.Written}},
		Timeline: []incident.Entry{{At: noon, Text: "wrote role-policy"}},
	}
}

// TestIncidentSaysWhatWasDoneOnWhoseWord also wants its facts in one column, and its times in UTC.
func TestIncidentSaysWhatWasDoneOnWhoseWord(t *testing.T) {
	t.Parallel()
	want := `inc-0123456789abcdef0123: a → b (rule r)
  outcome       applied
  opened        2026-11-22T11:00:00Z
  causes        role-lacks-source-decrypt
  broken by     PutKeyPolicy of arn:aws:iam::111122223333:role/deploy at 2026-11-22T11:00:00Z
  plan          abc
  approved by   arn:aws:iam::111122223333:user/ada
  patched       2026-11-22T11:00:00Z
  replay        job job-1, complete
  change        role-policy arn:aws:iam::111122223333:role/x in account 111122223333: written

what happened
  2026-11-22T11:00:00Z  wrote role-policy
`
	if got := plain(120).Incident(told()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestIncidentsArePrintable: names and texts of incidents come from events and policies.
func TestIncidentsArePrintable(t *testing.T) {
	t.Parallel()
	i := told()
	i.ID, i.Route, i.Causes, i.Approver = hostile, incident.Route{Source: hostile, Rule: hostile, Destination: hostile}, []string{hostile}, hostile
	i.Breaking.Event, i.Job.ID, i.Changes[0].ID, i.Timeline[0].Text = hostile, hostile, hostile, hostile
	missing := preflight.Missing{Account: hostile, Subject: hostile, What: hostile, Fix: hostile, Severity: preflight.Blocks}
	standing := render.Standing{Source: hostile, Rule: hostile, Destination: hostile, Name: "n", Mode: "approve", Against: []string{hostile}, Causes: []string{hostile}}
	for name, got := range map[string]string{
		"incident": plain(80).Incident(i), "incidents": plain(80).Incidents([]incident.Summary{i.Summary()}),
		"suppressions": plain(80).Suppressions([]incident.Suppression{{Route: i.Route, Cause: hostile, Owner: hostile, Reason: hostile}}, time.Time{}),
		"standings":    plain(80).Standings([]render.Standing{standing}), "missing": plain(80).Missing([]preflight.Missing{missing}),
	} {
		if strings.ContainsAny(got, "\x1b\x07\u202e\u200b\r\x00") || !strings.Contains(got, "owned") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestIncidentsAreALineEach(t *testing.T) {
	t.Parallel()
	if got := plain(80).Incidents(nil); got != "there are no incidents\n" {
		t.Errorf("none: %q", got)
	}
	want := `incident                  opened                outcome  route
inc-0123456789abcdef0123  2026-11-22T11:00:00Z  applied  a → b (rule r): role-lacks-source-decrypt
`
	if got := plain(120).Incidents([]incident.Summary{told().Summary()}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for line := range strings.Lines(plain(40).Incidents([]incident.Summary{told().Summary()})) {
		if n := len([]rune(strings.TrimRight(line, "\n"))); n > 100 {
			t.Errorf("a line of %d on a narrow page: %q", n, line)
		}
	}
}

// TestStandingsTellApprovedFromDiffering: a route that is not what was approved is not shown as approved, and has its reasons.
func TestStandingsTellApprovedFromDiffering(t *testing.T) {
	t.Parallel()
	if got := plain(80).Standings(nil); got != "no enabled replication rule\n" {
		t.Errorf("none: %q", got)
	}
	all := []render.Standing{
		{Source: "a", Rule: "r", Destination: "b", Name: "n", Mode: "approve", Verdict: diagnose.Healthy},
		{Source: "a", Rule: "s", Destination: "c", Name: "m", Mode: "automatic", Against: []string{"the role is another one"}, Verdict: diagnose.Broken, Causes: []string{"rule-disabled"}},
		{Source: "a", Rule: "t", Destination: "d", Against: []string{"not an approved route"}, Verdict: diagnose.Unknown},
	}
	want := `approved  verdict  route
approve   healthy  a → b (rule r)
differs   broken   a → c (rule s): rule-disabled
                   the role is another one
no        unknown  a → d (rule t)
`
	if got := plain(80).Standings(all); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for i := range all {
		all[i].Verdict = ""
	}
	if got := plain(80).Standings(all); strings.Contains(got, "verdict") {
		t.Errorf("nobody diagnosed it:\n%s", got)
	}
}

// TestMissingIsByAccount and leaves what is for copying as it is.
func TestMissingIsByAccount(t *testing.T) {
	t.Parallel()
	if got := plain(80).Missing(nil); got != "nothing is missing\n" {
		t.Errorf("nothing: %q", got)
	}
	command := "aws cloudtrail create-trail --name management-events --region us-east-1 --is-multi-region-trail --s3-bucket-name BUCKET"
	want := `not known whose
  limits    b: gone

account 111122223333
  blocks    k: no trail
            ` + command + "\n"
	got := plain(80).Missing([]preflight.Missing{
		{Subject: "b", What: "gone", Severity: preflight.Limits},
		{Account: "111122223333", Subject: "k", What: "no trail", Fix: command, Severity: preflight.Blocks},
	})
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestAskedShowsTheWhole of what somebody approves, and nothing that could steer a terminal.
func TestAskedShowsTheWhole(t *testing.T) {
	t.Parallel()
	a := incident.Asked{
		Incident: "inc-0123456789abcdef0123", Route: told().Route, Outcome: incident.AwaitingApproval, Causes: []string{"role-lacks-source-decrypt"},
		Breaking: told().Breaking, Expires: noon, Proposal: &incident.Proposal{
			Plan: "abc", At: noon, People: 2, Reasons: []string{"mode: it is approve", "class: \x1b[2Jask"}, Approvers: []string{"arn:aws:iam::111122223333:user/ada"},
			Diff: "--- a\n+++ b\n+  x\u202e\x1b[31m\n",
		},
	}
	want := `inc-0123456789abcdef0123: a → b (rule r)
  outcome       awaiting approval
  causes        role-lacks-source-decrypt
  broken by     PutKeyPolicy of arn:aws:iam::111122223333:role/deploy at 2026-11-22T11:00:00Z
  plan          abc
  asked         2026-11-22T11:00:00Z
  why           mode: it is approve
  why           class: \x1b[2Jask
  needs         2 people
  approved by   arn:aws:iam::111122223333:user/ada
  counts until  2026-11-22T11:00:00Z

what would be written
--- a
+++ b
+  x\u202e\x1b[31m
`
	if got := plain(120).Asked(a); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	taken := incident.Taken{Answer: incident.Decline, Approver: "ada\x1b", Expires: noon, Missing: "one more"}
	if got, want := plain(120).Taken(taken), `rejected as ada\x1b, until 2026-11-22T11:00:00Z`+"\none more\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
