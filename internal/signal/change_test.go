package signal_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/signal"
)

// TestChangeCases reads the record of each file in testdata/change, one situation each, at least one for each name of the table.
func TestChangeCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/change/*.txtar")
	if err != nil || len(files) < 80 {
		t.Fatalf("found %d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			event, want := readCase(t, file)
			got := describeChanges(signal.ParseEvidence(event))
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if strings.Contains(got, "SECRET") {
				t.Error("the text of a policy was taken")
			}
			if signals, err := signal.Parse(event); err == nil || signals != nil {
				t.Errorf("as a failure event it gives %v, %v", signals, err)
			}
		})
	}
}

func describeChanges(found signal.Evidence, err error) string {
	if err != nil || len(found.Changes) == 0 {
		return describeEvidence(found, err)
	}
	var b strings.Builder
	for _, c := range found.Changes {
		fmt.Fprintf(&b, "%s %s account=%s region=%s", c.Source, c.Event, c.Account, c.Region)
		for _, pointer := range []struct{ name, value string }{
			{"bucket", c.Bucket}, {"role", c.Role}, {"policy", c.Policy}, {"key", c.Key}, {"alias", c.Alias}, {"target", c.Target},
		} {
			if pointer.value != "" {
				fmt.Fprintf(&b, " %s=%s", pointer.name, pointer.value)
			}
		}
		fmt.Fprintf(&b, " by=%s issuer=%s identity=%s id=%s time=%s\n", c.Principal, c.Issuer, c.SourceIdentity, c.EventID, c.At.Format(time.RFC3339Nano))
	}
	return b.String()
}

// changed is a change with every field that its kind has.
var changed = signal.Change{
	Event: "PutKeyPolicy", Source: "kms.amazonaws.com", Account: "111122223333", Region: "us-east-1",
	Principal: "arn:aws:sts::111122223333:assumed-role/Admin/jane", Issuer: "arn:aws:iam::111122223333:role/team/Admin", SourceIdentity: "jane",
	EventID: "b3e9d0d3", At: time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC),
	Key: "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
}

// recordOf prints a change as CloudTrail does, with the members that are read.
func recordOf(c signal.Change) string {
	var parameters []string
	for _, p := range []struct{ name, value string }{
		{"bucketName", c.Bucket}, {"roleName", c.Role}, {"policyArn", c.Policy}, {"keyId", c.Key}, {"aliasName", c.Alias}, {"targetId", c.Target},
	} {
		if p.value != "" {
			parameters = append(parameters, quoted(p.name)+":"+quoted(p.value))
		}
	}
	return fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"arn":%s,"sessionContext":{"sessionIssuer":{"arn":%s},"sourceIdentity":%s}},`+
		`"eventTime":%s,"eventSource":%s,"eventName":%s,"awsRegion":%s,"requestParameters":{%s},"eventID":%s,"readOnly":false,"recipientAccountId":%s}`,
		quoted(c.Principal), quoted(c.Issuer), quoted(c.SourceIdentity), quoted(c.At.Format(time.RFC3339Nano)), quoted(c.Source), quoted(c.Event),
		quoted(c.Region), strings.Join(parameters, ","), quoted(c.EventID), quoted(c.Account))
}

func TestEvidenceHoldsChangesBesideTheRest(t *testing.T) {
	t.Parallel()
	found, err := signal.ParseEvidence([]byte(inSQS(official(sample), recorded(denied), recordOf(changed))))
	if err != nil || len(found.Signals) != 1 || len(found.Denials) != 1 || !slices.Equal(found.Changes, []signal.Change{changed}) {
		t.Errorf("got %+v, %v", found, err)
	}
}

func TestOwnChangesAreRecognised(t *testing.T) {
	t.Parallel()
	pattern := func(s string) []policy.ARN {
		arn, err := policy.ParseARN(s)
		if err != nil {
			t.Fatal(err)
		}
		return []policy.ARN{arn}
	}
	own := changed
	own.Issuer, own.SourceIdentity = "arn:aws:iam::444455556666:role/replimend/replimend-resource-writer", "replimend"
	for name, tt := range map[string]struct {
		change   func(*signal.Change)
		patterns []policy.ARN
		want     bool
	}{
		"a session of its own":               {func(*signal.Change) {}, nil, true},
		"another source identity":            {func(c *signal.Change) { c.SourceIdentity = "jane" }, nil, false},
		"a role that is called so":           {func(c *signal.Change) { c.Issuer = "arn:aws:iam::444455556666:role/replimend-resource-writer" }, nil, false},
		"a path that begins alike":           {func(c *signal.Change) { c.Issuer = "arn:aws:iam::444455556666:role/replimend-x/writer" }, nil, false},
		"no role behind it":                  {func(c *signal.Change) { c.Issuer = "" }, nil, false},
		"no IAM role":                        {func(c *signal.Change) { c.Issuer = "arn:aws:sts::444455556666:role/replimend/x" }, nil, false},
		"somebody else":                      {func(c *signal.Change) { *c = changed }, nil, false},
		"a pattern that means the role":      {func(c *signal.Change) { *c = changed }, pattern("arn:aws:iam::*:role/team/*"), true},
		"a pattern that means the session":   {func(c *signal.Change) { *c = changed }, pattern("arn:aws:sts::111122223333:assumed-role/Admin/*"), true},
		"a pattern that means another role":  {func(c *signal.Change) { *c = changed }, pattern("arn:aws:iam::*:role/Admin"), false},
		"a pattern, and nobody who is known": {func(c *signal.Change) { *c = changed; c.Principal, c.Issuer = "", "" }, pattern("arn:aws:iam::*:role/*"), false},
	} {
		c := own
		tt.change(&c)
		if got := c.MadeBy(tt.patterns); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// FuzzChange holds records of changes to their contract: an error comes alone and is fit to print, pointers have their forms, and a
// change that is printed as CloudTrail's own record is read as the same.
func FuzzChange(f *testing.F) {
	files, err := filepath.Glob("testdata/change/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("found %d cases, %v", len(files), err)
	}
	for _, file := range files {
		event, _ := readCase(f, file)
		f.Add(event)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		found, err := signal.ParseEvidence(raw)
		if err != nil {
			if text := err.Error(); len(found.Changes) > 0 || len(text) > 600 || !printableASCII(text) {
				t.Fatalf("%d changes came with %q", len(found.Changes), text)
			}
			return
		}
		for _, c := range found.Changes {
			if text := c.String(); !printableASCII(text) || len(text) > 5000 || c.At.IsZero() || c.Event == "" ||
				strings.ContainsAny(c.Bucket+c.Role+c.Policy+c.Key+c.Alias+c.Principal+c.Issuer, "*? \n") {
				t.Fatalf("not in form: %+v", c)
			}
			if again, err := signal.ParseEvidence([]byte(recordOf(c))); err != nil || !slices.Equal(again.Changes, []signal.Change{c}) {
				t.Fatalf("%+v is read again as %+v, %v", c, again, err)
			}
		}
	})
}
