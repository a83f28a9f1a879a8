package iac_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/iac"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

var update = flag.Bool("update", false, "write what the formats print into testdata")

// extensions are those under which the tools of the formats find their files: see check-formats in the Makefile.
var extensions = map[string]string{"awscli": "plan.sh", "cdk": "plan.go", "cloudformation": "plan.yaml", "terraform": "plan.tf"}

func render(t testing.TB, format string, routes []iac.Route) string {
	t.Helper()
	text, err := iac.Render(format, routes)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for name, routes := range cases(t) {
		for _, format := range iac.Formats() {
			got := render(t, format, routes)
			path := filepath.Join("testdata", name, extensions[format])
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("%s: %s\nhint: go test ./internal/iac -update", path, d)
			}
		}
	}
}

// TestCommentsHideNothing: what prints as nothing is seen in a title, which has names that their authors chose.
func TestCommentsHideNothing(t *testing.T) {
	t.Parallel()
	for _, format := range iac.Formats() {
		text, err := iac.Render(format, []iac.Route{{Title: "ledger\u3164\ufe0f\u2800/"}})
		if err != nil || !strings.Contains(text, "ledger\ufffd\ufffd\ufffd/") {
			t.Errorf("%s: %q, %v", format, text, err)
		}
	}
}

// check holds a text against the plans by the parser of its format, and wants nothing in it that a terminal obeys.
func check(t testing.TB, format string, routes []iac.Route, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !strconv.IsPrint(r) }); i >= 0 {
		t.Fatalf("%s has a control character: %q", format, text[max(0, i-40):min(len(text), i+40)])
	}
	if format == "awscli" {
		checkScript(t, routes, text)
		return
	}
	o := oracles[format]
	got, err := o.read(t, text)
	if err != nil {
		t.Fatalf("read %s: %v\n%s", format, err, text)
	}
	if d := cmp.Diff(wanted(t, routes, o.anonymous...), got); d != "" {
		t.Fatalf("%s says other documents than the plan (-plan +%s):\n%s\n%s", format, format, d, text)
	}
}

func TestFormatsSayWhatThePlanSays(t *testing.T) {
	t.Parallel()
	for name, routes := range cases(t) {
		for _, format := range iac.Formats() {
			t.Run(name+"/"+format, func(t *testing.T) { check(t, format, routes, render(t, format, routes)) })
		}
	}
}

// nasty is text that means something to some format.
var nasty = rapid.Custom(func(t *rapid.T) string {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{
			"${", "%{", "$", "%", "}", "$${", "${aws:username}", "%%{", "\"", "'", "`", "\\", "\n", "\r\n", "\t", "$(id)", "\nEND_OF_JSON\n", "EOF", "# ", "//", "*/", "/*",
			"--", "-- ", "- ", ": ", "? ", "!Ref", "&a", "*a", "<<", "~", "yes", "null", "{{", "{{ resolve:", "[", "{", "\u0303", "<", ",", "@", "%", "\x00", "\x1b[2J", "\u0085",
			"\u2028", "\u202e", "😀", "é", "\ufeff", "\U0010FFFF", "file://x", "\u007f",
		}),
		rapid.String(),
	)
	return strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces"), "")
})

// plausible is a name of the characters that AWS takes.
func plausible(first, others string, most int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		pick := func(from string) string { return string(rapid.SampledFrom([]rune(from)).Draw(t, "character")) }
		out := pick(first)
		for range rapid.IntRange(2, most).Draw(t, "length") {
			out += pick(others)
		}
		return out
	})
}

const alphanumeric = "abcxyzABCXYZ0189"

// nastyRoute is a plan of one edit of each kind, whose documents say anything that the grammar lets them say.
func nastyRoute(t *rapid.T) iac.Route {
	text := func(label string) string { return nasty.Draw(t, label) }
	// A policy has no control characters but white space.
	quoted := func(label string) string {
		clean := func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' {
				return -1
			}
			return r
		}
		s, err := json.Marshal(strings.Map(clean, text(label)))
		if err != nil {
			t.Fatal(err)
		}
		return string(s)
	}
	account := rapid.SampledFrom([]string{"111122223333", "444455556666"})
	role := "arn:aws:iam::111122223333:role/" + plausible(alphanumeric+"-+=,.@_", alphanumeric+"-+=,.@_", 60).Draw(t, "role")
	bucket := plausible(alphanumeric, alphanumeric+"-._", 80).Draw(t, "bucket")
	key := account.Draw(t, "key's account")
	refs := []struct {
		ref     snapshot.Ref
		account string
	}{
		{snapshot.Ref{Kind: snapshot.RolePolicy, ID: role, Name: plausible(alphanumeric+"-", alphanumeric+"-+=,.@_", 100).Draw(t, "policy")}, "111122223333"},
		{snapshot.Ref{Kind: snapshot.RoleTrust, ID: role}, "111122223333"},
		{snapshot.Ref{Kind: snapshot.UserPolicy, ID: strings.Replace(role, ":role/", ":user/people/", 1), Name: "Replimend"}, "111122223333"},
		{snapshot.Ref{Kind: snapshot.DestinationBucketPolicy, ID: bucket}, account.Draw(t, "bucket's account")},
		{snapshot.Ref{Kind: snapshot.ReplicaKeyPolicy, ID: "arn:aws:kms:us-east-1:" + key + ":key/" + plausible(alphanumeric, alphanumeric+"-", 30).Draw(t, "key")}, key},
	}
	out := iac.Route{Title: text("title"), Plan: &patch.Plan{}}
	for _, r := range refs {
		resource := ""
		if r.ref.Kind != snapshot.RoleTrust {
			resource = `"Resource":["arn:aws:s3:::` + quoted("resource")[1:] + `],`
		}
		principal := ""
		if r.ref.Kind != snapshot.RolePolicy && r.ref.Kind != snapshot.UserPolicy {
			principal = `"Principal":{"AWS":"arn:aws:iam::111122223333:root"},`
		}
		before, err := policy.Parse([]byte(`{"Version":"2012-10-17","Id":` + quoted("id") + `,"Statement":[{"Sid":` + quoted("sid") + `,"Effect":"Deny",` +
			principal + `"Action":"s3:*",` + resource + `"Condition":{"StringLike":{` + quoted("condition key") + `:[` + quoted("value") + `,` + quoted("value") +
			`]},"Null":{"a:b":true},"NumericEquals":{"a:c":1.50}}}]}`))
		if err != nil {
			t.Fatal(err)
		}
		added, err := policy.StatementSpec{Sid: "Added", Effect: policy.Allow, Actions: []string{"s3:GetObject"}, Resources: []string{"*"}}.Build()
		if err != nil {
			t.Fatal(err)
		}
		out.Plan.Edits = append(out.Plan.Edits, patch.Edit{
			Document: r.ref, Before: snapshot.Of(before), After: snapshot.Of(before.Append(added)), Account: r.account,
			Adds: []patch.Tuple{{text("principal"), text("action"), text("added resource")}}, Cures: []string{text("cause")}, Class: patch.Automatic,
		})
	}
	return out
}

// refusals are what a format may say of a document that it cannot hold.
var refusals = map[string]string{"terraform": "would be normalised", "cloudformation": "CloudFormation would", "cdk": " would "}

func TestNoTextBecomesCode(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		routes := []iac.Route{nastyRoute(r)}
		for _, format := range iac.Formats() {
			text, err := iac.Render(format, routes)
			if err != nil {
				if !strings.Contains(err.Error(), refusals[format]) || refusals[format] == "" {
					t.Fatal(err)
				}
				continue
			}
			check(t, format, routes, text)
		}
	})
}

// FuzzDocument puts any policy into every format that has a parser here.
func FuzzDocument(f *testing.F) {
	for _, routes := range cases(f) {
		for _, r := range routes {
			if r.Plan != nil {
				for _, e := range r.Plan.Edits {
					text, err := e.After.V.MarshalJSON()
					if err != nil {
						f.Fatal(err)
					}
					f.Add(text, r.Title)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, title string) {
		d, err := policy.Parse(data)
		if err != nil {
			return
		}
		routes := []iac.Route{{Title: title, Plan: &patch.Plan{Edits: []patch.Edit{{
			Document: snapshot.Ref{Kind: snapshot.SourceBucketPolicy, ID: "src"}, Account: "111122223333",
			Before: snapshot.None[policy.Document](), After: snapshot.Of(policy.New(d.Statements...)),
		}}}}}
		for _, format := range iac.Formats() {
			text, err := iac.Render(format, routes)
			if err != nil {
				continue
			}
			check(t, format, routes, text)
		}
	})
}

// edited is the first edit of the case, changed.
func edited(t *testing.T, name string, change func(e *patch.Edit)) []iac.Route {
	t.Helper()
	routes := cases(t)[name]
	change(&routes[0].Plan.Edits[0])
	return routes[:1]
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	const trust = "one-account" // its first edit is of a trust policy
	const role = "cross-account"
	id := func(s string) func(*patch.Edit) { return func(e *patch.Edit) { e.Document.ID = s } }
	statements := func(text string) func(*patch.Edit) {
		return func(e *patch.Edit) {
			e.Before = snapshot.Of(document(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":`+text+`}]}`))
			e.After = e.Before
		}
	}
	tests := map[string]struct {
		in      string
		change  func(*patch.Edit)
		formats []string
		want    string
	}{
		"no owner":                    {role, func(e *patch.Edit) { e.Account = "" }, iac.Formats(), "its owner is not known"},
		"an owner that is not":        {role, func(e *patch.Edit) { e.Account = "$(id)" }, iac.Formats(), "its owner is not known"},
		"a role of another":           {role, func(e *patch.Edit) { e.Account = "444455556666" }, iac.Formats(), "no role of account 444455556666"},
		"a role's name":               {role, id("arn:aws:iam::111122223333:role/a b"), iac.Formats(), "no role of account"},
		"a user":                      {role, id("arn:aws:iam::111122223333:user/a"), iac.Formats(), "no role of account"},
		"a role's policies of a user": {role, func(e *patch.Edit) { e.Document.Kind = snapshot.UserPolicy }, iac.Formats(), "no user of account"},
		"a user's name": {role, func(e *patch.Edit) {
			e.Document.Kind, e.Document.ID = snapshot.UserPolicy, "arn:aws:iam::111122223333:user/people/$(id)"
		}, iac.Formats(), "no user of account"},
		"a line break":    {role, id("arn:aws:iam::111122223333:role/a\nb"), iac.Formats(), "no role of account"},
		"a policy's name": {role, func(e *patch.Edit) { e.Document.Name = "a/b" }, iac.Formats(), "no inline policy can have the name"},
		"a bucket's name": {role, func(e *patch.Edit) {
			e.Document = snapshot.Ref{Kind: snapshot.SourceBucketPolicy, ID: "--bucket"}
		}, iac.Formats(), "no bucket can have that name"},
		"a key's ARN": {role, func(e *patch.Edit) {
			e.Document = snapshot.Ref{Kind: snapshot.SourceKeyPolicy, ID: "arn:aws:kms:us-east-1:111122223333:alias/x"}
		}, iac.Formats(), "no key of account"},
		"a boundary": {role, func(e *patch.Edit) { e.Document.Kind = snapshot.PermissionsBoundary }, iac.Formats(), "its kind has no code"},
		"no trust": {trust, func(e *patch.Edit) {
			e.Before, e.After = snapshot.None[policy.Document](), snapshot.Of(policy.New(e.After.V.Statements...))
		}, iac.Formats(), "there is no policy to edit"},
		"a removal":           {role, func(e *patch.Edit) { e.After = snapshot.None[policy.Document]() }, iac.Formats(), "does more than add statements"},
		"a dynamic reference": {role, statements(`{"StringLike":{"a:b":"{{resolve:secretsmanager:x}}"}}`), []string{"cdk", "cloudformation"}, "dynamic reference"},
		"a function":          {role, statements(`{"StringLike":{"Ref":"x"}}`), []string{"cdk", "cloudformation"}, "would call the function"},
		"a token":             {role, statements(`{"StringLike":{"a:b":"${Token[AWS.AccountId.1]}"}}`), []string{"cdk"}, "for a token"},
		"a combined escape":   {role, statements(`{"StringLike":{"a:b":"x\\n\u0303"}}`), []string{"terraform"}, "would be normalised"},
		"unnormal text":       {role, statements(`{"StringLike":{"a:b":"e\u0301"}}`), []string{"terraform"}, "would be normalised"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, format := range iac.Formats() {
				text, err := iac.Render(format, edited(t, test.in, test.change))
				if !slices.Contains(test.formats, format) {
					if err != nil {
						t.Errorf("%s: %v", format, err)
					}
					continue
				}
				if err == nil || !strings.Contains(err.Error(), test.want) || text != "" {
					t.Errorf("%s: text %q, err = %v, want %q", format, text, err, test.want)
				}
			}
		})
	}
	if _, err := iac.Render("pulumi", nil); err == nil {
		t.Error("an unknown format is printed")
	}
}

// TestResourceNamesAreUnique is about documents whose names differ only in what a name in code cannot have.
func TestResourceNamesAreUnique(t *testing.T) {
	t.Parallel()
	var p patch.Plan
	for _, bucket := range []string{"a-b", "a.b", "a_b", "ab-", "a--b", "ab.", "a-b-2", "A-B", "a-1b", "a1b"} {
		e := cases(t)["cross-account"][0].Plan.Edits[2]
		e.Document.ID = bucket + "x"
		p.Edits = append(p.Edits, e)
	}
	routes := []iac.Route{{Plan: &p}}
	for _, format := range iac.Formats() {
		check(t, format, routes, render(t, format, routes)) // two of one name would be one, or none
	}
	labels := map[string]bool{}
	for line := range strings.Lines(render(t, "terraform", routes)) {
		if strings.HasPrefix(line, "resource ") {
			labels[line] = true
		}
	}
	if len(labels) != len(p.Edits) {
		t.Errorf("%d names of %d resources", len(labels), len(p.Edits))
	}
}
