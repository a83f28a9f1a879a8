// Package notifytest is one message of each kind that people are told, for the tests of whoever says them: the view in every language, and
// what each tool is sent. The messages are made as package remedy makes them, so that what they hold was cleaned and bounded.
//
// Only tests import it.
package notifytest

import (
	"slices"
	"time"

	"github.com/replimend/replimend/internal/incident"
)

// The accounts of the messages.
const (
	Source      = "111122223333"
	Destination = "444455556666"
)

// ID is the incident that the messages are about.
const ID = "inc-0123456789abcdef0123"

const (
	plan    = "sha256:3f9a1c0d5b7e2486a1f0c3d2e4b5968778695a4b3c2d1e0f9a8b7c6d5e4f3021"
	key     = "arn:aws:kms:ap-northeast-3:" + Destination + ":key/0d5c6a1e-7b2f-4c3d-9e8a-1f2b3c4d5e6f"
	role    = "arn:aws:iam::" + Source + ":role/replication"
	breaker = "arn:aws:sts::" + Destination + ":assumed-role/KeyAdmin/jane"
)

var (
	opened = time.Date(2026, 11, 28, 3, 5, 0, 0, time.UTC)
	now    = time.Date(2026, 11, 28, 9, 17, 0, 0, time.UTC)
	route  = incident.Route{Source: "invoices", Rule: "to-dr", Destination: "invoices-dr"}
)

const diff = `--- replica-key-policy ` + key + `
+++ replica-key-policy ` + key + `
@@ -12,6 +12,20 @@
       "Action": "kms:*",
       "Resource": "*"
+    },
+    {
+      "Sid": "ReplimendReplicaEncrypt",
+      "Effect": "Allow",
+      "Principal": {
+        "AWS": "` + role + `"
+      },
+      "Action": "kms:Encrypt",
+      "Resource": "*",
+      "Condition": {
+        "StringEquals": {
+          "kms:ViaService": "s3.ap-northeast-3.amazonaws.com"
+        }
+      }
     }
   ]
 }
`

// cause is the finding that most of the messages are about.
const (
	cause = "replica-key-policy-lacks-encrypt"
	found = cause + " (destination side): the policy of key " + key + " neither names role " + role + " nor delegates to account " + Source
)

// Messages is one message of each kind, by a name for the kind that can be a file's.
func Messages() map[string]incident.Message {
	broken := incident.Message{
		Broke: []string{found}, Causes: []string{cause}, Diff: diff,
		Accounts: []string{Source, Destination}, Labels: []string{"payments"}, At: now,
		Fields: []incident.Field{
			{Name: "route", Value: route.String()},
			{Name: "role", Value: role},
			{Name: "broken by", Value: call().String()},
			{Name: "exposure", Value: exposure().Text(now)},
			{Name: "not in it", Value: incident.NotCounted},
			{Name: "S3's reasons", Value: "DstKmsKeyInvalidState, DstPutObjectNotPermitted"},
			{Name: "first failure", Value: "2026-11-28T03:05:00Z"},
			{Name: "last failure", Value: "2026-11-28T09:16:30Z"},
			{Name: "plan", Value: plan},
			{Name: "verdict", Value: "broken, and healthy with the plan"},
		},
	}
	with := func(change func(*incident.Message)) incident.Message {
		m := broken
		change(&m)
		return m
	}
	undo := "whoever may write the replica-key-policy of " + key + " in account " + Destination + ": take out statement ReplimendReplicaEncrypt"
	written := "replica-key-policy " + key + " is written"
	why := "mode: route invoices-to-dr is in mode approve: a person must approve the plan"
	return map[string]incident.Message{
		"proposal": made(incident.AwaitingApproval, exposure(), with(func(m *incident.Message) {
			m.Headline, m.Plan = incident.HeadAwaiting, plan
			m.Why, m.Rules = []string{why}, []string{"mode"}
			m.Steps = []string{"replimend approve " + ID + " shows plan " + plan + " and asks, replimend reject " + ID + " declines it; without an answer nothing is done"}
			m.Happened = []string{"awaiting approval: nobody answered yet: a person must approve the plan"}
		})),
		"one-more-approval": made(incident.AwaitingApproval, exposure(), with(func(m *incident.Message) {
			m.Headline, m.Plan = incident.HeadOneMore, plan
			m.Why, m.Rules = []string{why}, []string{"mode"}
			m.Steps = []string{"replimend approve " + ID + " shows plan " + plan + " and asks, replimend reject " + ID + " declines it; without an answer nothing is done"}
			m.Happened = []string{"awaiting approval: arn:aws:iam::" + Source + ":role/storage-on-call approved it, and one more person has to"}
		})),
		"declined": made(incident.Declined, exposure(), with(func(m *incident.Message) {
			m.Headline = incident.HeadDeclined
			m.Happened = []string{"declined: declined by arn:aws:iam::" + Source + ":role/storage-on-call"}
		})),
		"applied": made(incident.Applied, exposure(), with(func(m *incident.Message) {
			m.Headline, m.Stands = incident.HeadApplied, plan
			m.Undo = []string{undo}
			m.Steps = []string{"replay the versions that failed, or write one object under the rule and see it replicate"}
			m.Happened = []string{written, "applied: the documents are as written, and the route is healthy by them"}
		})),
		"resolved": made(incident.Resolved, ended(), with(func(m *incident.Message) {
			m.Headline, m.Stands = incident.HeadCured, plan
			m.Undo = []string{undo}
			m.Happened = []string{written, "applied: the documents are as written, and the route is healthy by them", "resolved: S3 replicated what failed: 41233 of the versions that were looked at"}
		})),
		"refused": made(incident.Refused, exposure(), with(func(m *incident.Message) {
			m.Headline = incident.HeadRefused
			m.Why = []string{
				"removed-again: replica-key-policy " + key + " lost statements of Replimend 3 times",
				"kill-switch: the kill switch of account " + Destination + " is thrown",
			}
			m.Rules = []string{"removed-again", "kill-switch"}
			m.Code = "# replica-key-policy " + key + ", in account " + Destination + ", lacks\n{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": []\n}\n"
			m.Steps = []string{
				"what is added is taken out again: add it to the code that the documents are kept as",
				"replimend plan --live invoices --format terraform prints it for Terraform; cloudformation, cdk and awscli are other formats",
			}
			m.Happened = []string{"refused: the guard refuses the plan"}
		})),
		"manual": made(incident.Manual, exposure(), with(func(m *incident.Message) {
			m.Headline, m.Diff = incident.HeadManual, ""
			m.Broke = []string{"replica-key-not-usable (destination side): key " + key + " is pending deletion, until 2026-12-05T00:00:00Z"}
			m.Causes = []string{"replica-key-not-usable"}
			m.Fields = slices.DeleteFunc(slices.Clone(m.Fields), func(f incident.Field) bool { return f.Name == "plan" || f.Name == "verdict" })
			m.Steps = []string{"a person has to look at the causes above"}
			m.Happened = []string{"manual: the route is broken, and no edit of a policy can or may cure it"}
		})),
		"escalated": made(incident.Escalated, estimated(), with(func(m *incident.Message) {
			m.Headline = incident.HeadEscalated
			m.Steps = []string{"a person has to look at the causes above"}
			m.Happened = []string{
				written, "S3 did not replicate the canary object", "replica-key-policy " + key + " is undone",
				"escalated: the cure did not help, and what was written was undone",
			}
		})),
		"on-purpose": made(incident.Escalated, exposure(), with(func(m *incident.Message) {
			m.Headline = incident.HeadOnPurpose
			m.Why = []string{"protected-change: PutKeyPolicy of " + breaker + " at 2026-11-28T03:00:00Z is protected"}
			m.Rules = []string{"protected-change"}
			m.Steps = []string{"ask " + breaker + " whether the route may replicate; Replimend does not mend it while that change is recent"}
			m.Happened = []string{"escalated: the route was broken by somebody protected"}
		})),
		"unapproved-rule": made(incident.Refused, incident.Exposure{}, incident.Message{
			Severity: incident.Critical, Headline: incident.HeadUnapprovedRule, Causes: []string{"unapproved-route"},
			Accounts: []string{Source, "999988887777"}, At: now,
			Broke: []string{
				`rule "to-dr" has S3 copy everything that is written to bucket invoices to bucket invoices-dr`,
				"bucket invoices-dr is of account 999988887777 (not an account of the settings)",
				"the rules of the bucket were changed by PutBucketReplication of arn:aws:iam::" + Source + ":user/mallory at 2026-11-28T03:00:00Z",
			},
			Steps: []string{
				"ask whoever made the rule what it is for",
				`when nobody answers for it, delete rule "to-dr" of bucket invoices: S3 copies as long as it is there, also when who made it has lost access`,
				"when it is meant to be, pin it with replimend routes adopt invoices, and have the entry reviewed",
			},
			Happened: []string{"refused: nobody approved the rule as it is; people are warned, and nothing is done for it"},
			Fields: []incident.Field{
				{Name: "route", Value: route.String()},
				{Name: "role", Value: role},
				{Name: "replica key", Value: "arn:aws:kms:ap-northeast-3:999988887777:key/0d5c6a1e-7b2f-4c3d-9e8a-1f2b3c4d5e6f"},
			},
		}),
		"silence-ended": made(incident.Suppressed, incident.Exposure{}, incident.Message{
			Headline: incident.HeadSilenceEnded, Causes: []string{cause}, Broke: []string{found},
			Accounts: []string{Source, Destination}, Labels: []string{"payments"}, At: now,
			Steps:    []string{"replimend suppressions add silences it again; from now on it is treated like any other route"},
			Happened: []string{"the suppression has ended", "the route is broken"},
			Fields: []incident.Field{
				{Name: "route", Value: route.String()},
				{Name: "silenced by", Value: "jane"},
				{Name: "reason", Value: "migration, ticket 42"},
				{Name: "until", Value: "2026-11-28T09:00:00Z"},
				{Name: "failures reported", Value: "about 41200"},
			},
		}),
		"healthy": made(incident.Healthy, exposure(), incident.Message{
			Headline: incident.HeadHealthy, Accounts: []string{Source, Destination}, Labels: []string{"payments"}, At: now,
			Happened: []string{"healthy: nothing is wrong with the route now"},
			Fields:   []incident.Field{{Name: "route", Value: route.String()}, {Name: "role", Value: role}},
		}),
	}
}

// made is the message as people are told it. How much failed is put in, because an incident counts it version by version.
func made(o incident.Outcome, e incident.Exposure, content incident.Message) incident.Message {
	i := incident.Incident{ID: ID, Route: route, Outcome: o, Opened: opened}
	if content.Headline != incident.HeadHealthy && content.Headline != incident.HeadSilenceEnded {
		i.Breaking = call()
	}
	if content.Headline == incident.HeadSilenceEnded {
		i.Opened = time.Time{} // it is about the suppression
	}
	if content.Headline == incident.HeadUnapprovedRule {
		i.Breaking = &incident.Call{Event: "PutBucketReplication", Principal: "arn:aws:iam::" + Source + ":user/mallory", At: call().At}
	}
	m := incident.NewMessage(i, content)
	m.Exposure = e
	return m
}

func call() *incident.Call {
	return &incident.Call{Event: "PutKeyPolicy", Principal: breaker, At: time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)}
}

func exposure() incident.Exposure {
	return incident.Exposure{
		Versions: 41_233, Bytes: 2_100_000_000, Exact: true,
		Since: time.Date(2026, 11, 28, 3, 4, 41, 0, time.UTC), AsOf: time.Date(2026, 11, 28, 9, 16, 30, 0, time.UTC),
	}
}

func estimated() incident.Exposure {
	e := exposure()
	e.Exact, e.Reported = false, true
	return e
}

func ended() incident.Exposure {
	e := exposure()
	e.Until = now
	return e
}
