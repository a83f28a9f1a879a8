package render_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/google/go-cmp/cmp"
	"github.com/muesli/termenv"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/render"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

var update = flag.Bool("update", false, "write what is printed to testdata/want; read the difference before you keep it")

func page(width int, profile termenv.Profile) render.Printer {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(profile)
	return render.New(r, width)
}

func plain(width int) render.Printer { return page(width, termenv.Ascii) }

const (
	role      = "arn:aws:iam::111122223333:role/service-role/s3crr_role_for_photos-tokyo"
	sourceKey = "arn:aws:kms:ap-northeast-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)

func document(t testing.TB, text string) policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// broken is a route with one hop of each verdict, one finding of each severity and grade, and a plan of two edits.
func broken(t testing.TB) diagnose.Route {
	t.Helper()
	before := document(t, `{"Version":"2012-10-17","Statement":[{"Sid":"Other","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::photos-osaka"}]}`)
	added := document(t, `{"Version":"2012-10-17","Statement":[{"Sid":"ReplimendDecrypt","Effect":"Allow","Action":"kms:Decrypt","Resource":"`+sourceKey+`"}]}`)
	grant := document(t, `{"Version":"2012-10-17","Statement":[{"Sid":"ReplimendWrite","Effect":"Allow","Principal":{"AWS":"`+role+`"},"Action":"s3:ReplicateObject","Resource":"arn:aws:s3:::photos-osaka/*"}]}`)
	rolePolicy := snapshot.Ref{Kind: snapshot.RolePolicy, ID: role, Name: "Replimend"}
	bucketPolicy := snapshot.Ref{Kind: snapshot.DestinationBucketPolicy, ID: "photos-osaka"}
	return diagnose.Route{
		Source: "photos-tokyo", Rule: "everything", Destination: "photos-osaka", Role: role, Verdict: diagnose.Broken,
		Objects: []string{"objects encrypted with SSE-KMS under " + sourceKey + ", with an S3 Bucket Key"},
		Of: route.Route{
			SourceAccount: "111122223333", SourceRegion: "ap-northeast-1", DestinationAccount: "444455556666",
			DestinationRegion: "ap-northeast-3", ReplicaKeyText: "alias/osaka",
		},
		Hops: []diagnose.Hop{
			{Hop: route.AssumeRole, Verdict: diagnose.HopAllowed, Requests: []diagnose.Request{
				allowed("sts:AssumeRole", "role-trust "+role, "#1"),
			}},
			{Hop: route.ReadObject, Verdict: diagnose.HopAllowed, Requests: []diagnose.Request{
				allowed("s3:GetObjectVersionForReplication", "role-policy "+role+" inline/replication", "ReadSource"),
				allowed("s3:GetObjectVersionAcl", "role-policy "+role+" inline/replication", "ReadSource"),
			}},
			{Hop: route.DecryptSource, Verdict: diagnose.HopDenied, Requests: []diagnose.Request{{
				Action: "kms:Decrypt", Resource: sourceKey, Decision: "implicit_deny", Need: route.Required, Evidence: route.Documented,
				Why: diagnose.WhyOf(authz.Why{
					Document: "role-policy " + role + " inline/replication", Statement: "Decrypt", Effect: "none",
					Reason: "does not apply: condition StringLike kms:EncryptionContext:aws:s3:arn: wanted arn:aws:s3:::photos-tokyo/*, got arn:aws:s3:::photos-tokyo",
				}),
			}}},
			{Hop: route.WriteReplica, Verdict: diagnose.HopDenied, Requests: []diagnose.Request{{
				Action: "s3:ReplicateObject", Resource: "arn:aws:s3:::photos-osaka/any-object", Decision: "explicit_deny", Need: route.Required,
				Why: diagnose.WhyOf(authz.Why{Document: "destination-bucket-policy photos-osaka", Statement: "NoStrangers", Effect: "Deny", Reason: "explicit deny of s3:ReplicateObject"}),
			}}},
			{Hop: route.EncryptReplica, Verdict: diagnose.HopUnknown, Requests: []diagnose.Request{
				{
					Action: "kms:Encrypt", Resource: sourceKey, Decision: "unknown", Need: route.Required,
					Why: diagnose.WhyOf(authz.Why{Document: "resource policy", Effect: "none", Reason: "the resource policy could not be read"}),
				},
				{
					Action: "kms:GenerateDataKey", Resource: sourceKey, Decision: "implicit_deny", Need: route.Conditional, Evidence: route.Disputed,
					Why: diagnose.WhyOf(authz.Why{Document: "role-policy " + role + " inline/replication", Effect: "none", Reason: "no statement allows kms:GenerateDataKey"}),
				},
			}},
		},
		Findings: []diagnose.Finding{
			{
				Cause: "guardrails-not-read", Side: diagnose.SourceSide, Document: snapshot.Ref{Kind: snapshot.SCP, ID: "111122223333"},
				Severity: diagnose.Advice, Evidence: route.Inferred, Remedy: patch.None, Message: "the SCPs of account 111122223333 were not read",
			},
			{
				Cause: "replica-key-actions-disputed", Side: diagnose.SourceSide, Document: rolePolicy, Severity: diagnose.Warning,
				Evidence: route.Disputed, Remedy: patch.Approval, Message: "kms:GenerateDataKey may be needed",
			},
			{
				Cause: "encryption-context-mismatch", Side: diagnose.SourceSide, Document: rolePolicy, Severity: diagnose.Fault,
				Evidence: route.Documented, Remedy: patch.Automatic, Message: "statement Decrypt can never match",
			},
		},
		Plan: &patch.Plan{
			Edits: []patch.Edit{
				{
					Document: rolePolicy, Before: snapshot.None[policy.Document](), After: snapshot.Of(added), Account: "111122223333",
					Adds: []patch.Tuple{{role, "kms:Decrypt", sourceKey}}, Cures: []string{"encryption-context-mismatch"}, Class: patch.Automatic,
				},
				{
					Document: bucketPolicy, Before: snapshot.Of(before), After: snapshot.Of(before.Append(grant.Statements...)), Account: "444455556666",
					Adds: []patch.Tuple{{role, "s3:ReplicateObject", "arn:aws:s3:::photos-osaka/*"}}, Class: patch.Approval,
				},
			},
			Proof: patch.Proof{Before: "broken", After: "healthy"}, Class: patch.Approval,
		},
	}
}

func allowed(action, document, statement string) diagnose.Request {
	return diagnose.Request{
		Action: action, Resource: "arn:aws:s3:::photos-tokyo/any-object", Decision: "allowed",
		Why: diagnose.WhyOf(authz.Why{Document: document, Statement: statement, Effect: "Allow", Reason: "allow of " + action}),
	}
}

func healthy(source string) diagnose.Route {
	return diagnose.Route{
		Source: source, Rule: "r", Destination: source + "-copy", Role: role, Verdict: diagnose.Healthy,
		Hops: []diagnose.Hop{{Hop: route.AssumeRole, Verdict: diagnose.HopAllowed, Requests: []diagnose.Request{
			allowed("sts:AssumeRole", "role-trust "+role, "Trust"),
		}}},
	}
}

func of(routes ...diagnose.Route) diagnose.Diagnosis {
	return diagnose.Diagnosis{Schema: diagnose.Schema, Routes: routes}
}

// several is one route of each verdict, in an order that nobody wants to read.
func several(t testing.TB) diagnose.Diagnosis {
	verdict := func(name string, v diagnose.Verdict) diagnose.Route {
		r := healthy(name)
		r.Verdict = v
		return r
	}
	return of(
		healthy("fine"), verdict("lossy", diagnose.Degraded), verdict("unclear", diagnose.Conditional),
		verdict("unread", diagnose.Unknown), broken(t), healthy("also-fine"), verdict("beyond-cure", diagnose.Broken),
	)
}

func TestPages(t *testing.T) {
	t.Parallel()
	colours := page(100, termenv.TrueColor)
	for name, text := range map[string]string{
		"route-60":      plain(60).Diagnosis(of(broken(t))),
		"route-80":      plain(80).Diagnosis(of(broken(t))),
		"route-120":     plain(120).Diagnosis(of(broken(t))),
		"route-colours": strings.ReplaceAll(colours.Diagnosis(of(broken(t))), "\x1b", "^["),
		"healthy":       plain(80).Diagnosis(of(healthy("fine"))),
		"several":       plain(80).Diagnosis(several(t)),
		"none":          plain(80).Diagnosis(of()),
		"diffs":         plain(80).Diffs(several(t)),
		"story":         story(plain(80)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, name+".txt", text)
		})
	}
}

// story is what a rehearsal prints beside diagnoses and plans.
func story(p render.Printer) string {
	refused := guard.Verdict{Decision: guard.Refuse, Reasons: []guard.Reason{
		{Rule: "approved-route", Decision: guard.Refuse, Text: "the route is not approved: the destination bucket belongs to account 999988887777"},
		{Rule: "mode", Decision: guard.Ask, Text: "the mode is approve"},
	}}
	message := incident.Message{
		Incident: "inc-1", Outcome: incident.Proven, Severity: incident.Info, Title: "cured: photos-tokyo → photos-osaka (rule everything)",
		Broke: []string{"role-lacks-source-decrypt (source side): no policy of role " + role + " allows kms:Decrypt on " + sourceKey},
		Diff:  "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new, in a line that is longer than the page and must stay whole, because it is a line of a diff\n",
		Undo:  []string{"whoever may write it"}, Fields: []incident.Field{{Name: "role", Value: role}},
	}
	return p.Line("object", "orders/1.json is written to photos-tokyo: replication status FAILED, and this goes on for longer than a line") +
		p.Line("guard", "") + p.Verdict(guard.Verdict{Decision: guard.Allow}) + p.Verdict(refused) + p.Message(message) +
		p.Scoreboard([]render.Score{{Name: "cross-account-kms", Passed: true, Writes: 2, Checks: 11}, {Name: "explicit-deny", Writes: 0, Checks: 3, Text: "script line 9: guard refuse: the guard says allow for []"}})
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "want", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", path, d)
	}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestColoursChangeNoWord(t *testing.T) {
	t.Parallel()
	coloured := page(100, termenv.TrueColor).Diagnosis(several(t))
	if !escapes.MatchString(coloured) {
		t.Fatal("the coloured page has no colour")
	}
	if d := cmp.Diff(plain(100).Diagnosis(several(t)), escapes.ReplaceAllString(coloured, "")); d != "" {
		t.Errorf("(-plain +coloured without colours):\n%s", d)
	}
}

// TestNothingIsLost holds for every width: wrapping adds line breaks and spaces, and takes nothing away.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	for width := 1; width <= 200; width++ {
		text := squeeze(plain(width).Diagnosis(of(broken(t))))
		for _, whole := range []string{
			role, sourceKey, "arn:aws:s3:::photos-osaka/any-object", "wantedarn:aws:s3:::photos-tokyo/*", "gotarn:aws:s3:::photos-tokyo",
			"NoStrangers", "disputed:", "inferred:", "documented:", "objectsencryptedwithSSE-KMS", "account444455556666",
			"s3:GetObjectVersionForReplication,",
		} {
			// What is broken in one column of the table has the next column between its parts.
			if !strings.Contains(text, whole) && (width >= 110 || !strings.HasPrefix(whole, "s3:")) {
				t.Fatalf("width %d: the page has no %s:\n%s", width, whole, plain(width).Diagnosis(of(broken(t))))
			}
		}
	}
}

func TestLinesFitThePage(t *testing.T) {
	t.Parallel()
	for _, width := range []int{60, 72, 80, 100, 120, 200} {
		inDiff := false
		for line := range strings.Lines(plain(width).Diagnosis(several(t))) {
			line = strings.TrimSuffix(line, "\n")
			inDiff = strings.HasPrefix(line, "--- ") || inDiff && line != "" && !strings.HasPrefix(line, "  edit ")
			if w := lipgloss.Width(line); w > width && !inDiff {
				t.Errorf("width %d: a line has %d cells: %s", width, w, line)
			}
			if strings.HasSuffix(line, " ") && !inDiff {
				t.Errorf("width %d: a line ends in a space: %q", width, line)
			}
		}
	}
}

// hostile is what the author of a rule, a Sid or an object can write.
const hostile = "x\u3164\u115f\ufe0f\u2800\x1b[2J\x1b]0;owned\x07\r\n\u009b31m\u202egnp.exe\u2066\u200b\x00\xff\U000e0001"

// poison puts hostile text into every string that a diagnosis has.
func poison(t *testing.T) diagnose.Diagnosis {
	r := broken(t)
	r.Source, r.Rule, r.Destination, r.Role = hostile, hostile, hostile, hostile
	r.Objects = []string{hostile}
	r.Of.SourceAccount, r.Of.SourceRegion, r.Of.ReplicaKeyText = hostile, hostile, hostile
	for i := range r.Hops {
		for k := range r.Hops[i].Requests {
			q := &r.Hops[i].Requests[k]
			q.Principal, q.Action, q.Resource = hostile, hostile, hostile
			var keys authz.Context
			keys.Set(hostile, hostile)
			q.Context = diagnose.ContextOf(&keys)
			reasons := q.Why.All()
			for n := range reasons {
				w := &reasons[n]
				w.Document, w.Statement, w.Reason = "role-policy "+hostile+" "+hostile, hostile, hostile+": wanted "+hostile+", got "+hostile
			}
		}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Cause, f.Message, f.Document.ID, f.Document.Name = hostile, hostile, hostile, hostile
		f.Evidence, f.Remedy = route.Evidence(hostile), patch.Class(hostile)
	}
	for i := range r.Plan.Edits {
		e := &r.Plan.Edits[i]
		e.Document.ID, e.Document.Name, e.Account, e.Cures = hostile, hostile, hostile, []string{hostile}
		e.Adds = []patch.Tuple{{hostile, hostile, hostile}}
		e.After = snapshot.Of(document(t, `{"Statement":[{"Sid":"\u009b31m\u202eq","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`))
	}
	r.Plan.Proof.After = hostile
	return of(r, r)
}

var (
	poisonedVerdict = guard.Verdict{Decision: guard.Ask, Reasons: []guard.Reason{{Rule: hostile, Decision: guard.Ask, Text: hostile}}}
	// The message is one that NewMessage has not cleaned.
	poisonedMessage = incident.Message{
		Title: hostile, Broke: []string{hostile}, Diff: "+" + hostile, Fields: []incident.Field{{Name: hostile, Value: hostile}},
	}
)

// TestHostileNamesDoNothing is about every way out: nothing that a terminal obeys may pass, whoever wrote it.
func TestHostileNamesDoNothing(t *testing.T) {
	t.Parallel()
	d := poison(t)
	text, err := render.JSON(d)
	if err != nil {
		t.Fatal(err)
	}
	plans, err := render.JSON(render.PlansOf(d))
	if err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]string{
		"text": plain(80).Diagnosis(d), "diffs": plain(80).Diffs(d), "json": string(text), "plans": string(plans),
		"explanation": plain(80).Explanation(d.Routes[0]), "clean": render.Clean(hostile),
		"line": plain(80).Line(hostile, hostile), "verdict": plain(80).Verdict(poisonedVerdict), "message": plain(80).Message(poisonedMessage),
	} {
		for i, r := range out {
			if r != '\n' && !jsontree.Visible(r) {
				t.Errorf("%s: %U passes: %q", name, r, out[max(0, i-20):min(len(out), i+20)])
				break
			}
		}
		if name != "json" && name != "plans" && !strings.Contains(out, `\x1b[2J`) {
			t.Errorf("%s: what was written is not shown:\n%s", name, out)
		}
	}
	if strings.Contains(render.Clean(hostile), "\n") {
		t.Error("a name breaks its line")
	}
}

// TestJSONKeepsWhatItEscapes reads back what was printed.
func TestJSONKeepsWhatItEscapes(t *testing.T) {
	t.Parallel()
	want := []string{"plain", "<&>", strings.ToValidUTF8(hostile, ""), "é 漢字 🙂", "\u2028\u2029\u00a0"}
	for name, encode := range map[string]func(any) ([]byte, error){"JSON": render.JSON, "JSONLine": render.JSONLine} {
		text, err := encode(want)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if bytes.Contains(text, []byte(`\u003c`)) || !bytes.HasSuffix(text, []byte("]\n")) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestCleanLeavesReadableTextAlone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "a b", "arn:aws:s3:::photos/*", "naïve 漢字 🙂 <&>", `back\slash`} {
		if got := render.Clean(s); got != s {
			t.Errorf("Clean(%q) = %q", s, got)
		}
	}
}

func TestPlansHaveOneEntryPerRoute(t *testing.T) {
	t.Parallel()
	plans := render.PlansOf(several(t))
	if plans.Schema != render.PlanSchema || len(plans.Routes) != 7 {
		t.Fatalf("schema %s, %d routes", plans.Schema, len(plans.Routes))
	}
	for _, r := range plans.Routes {
		if (r.Plan != nil) != (r.Source == "photos-tokyo") {
			t.Errorf("%s has plan %v", r.Source, r.Plan)
		}
	}
}

// TestPageIsDeterministic would see the order of a map.
func TestPageIsDeterministic(t *testing.T) {
	t.Parallel()
	want := plain(80).Diagnosis(several(t))
	for range 50 {
		if got := plain(80).Diagnosis(several(t)); got != want {
			t.Fatal(cmp.Diff(want, got))
		}
	}
}
