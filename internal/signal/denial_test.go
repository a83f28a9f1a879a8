package signal_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/signal"
)

// TestCloudTrailCases reads the record of each file in testdata/cloudtrail, one situation each.
func TestCloudTrailCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/cloudtrail/*.txtar")
	if err != nil || len(files) < 25 {
		t.Fatalf("found %d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			event, want := readCase(t, file)
			if got := describeEvidence(signal.ParseEvidence(event)); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			// To the queue of failure events every record of CloudTrail is of no concern, or malformed.
			if signals, err := signal.Parse(event); err == nil || signals != nil {
				t.Errorf("as a failure event it gives %v, %v", signals, err)
			}
		})
	}
}

func describeEvidence(found signal.Evidence, err error) string {
	if err != nil || len(found.Denials) == 0 {
		return describe(found.Signals, err)
	}
	var b strings.Builder
	for _, d := range found.Denials {
		fmt.Fprintf(&b, "%s account=%s role=%s key=%s context=%+q policy=%q explicit=%t id=%s time=%s\n",
			d.Action, d.Account, d.Role, d.Key, d.Context, d.Policy, d.Explicit, d.EventID, d.Time.Format(time.RFC3339Nano))
	}
	return b.String()
}

func TestEvidenceHoldsSignalsAndDenials(t *testing.T) {
	t.Parallel()
	record := recorded(denied)
	found, err := signal.ParseEvidence([]byte(inSQS(official(sample), record, `{"Event":"s3:TestEvent"}`)))
	if err != nil || !slices.Equal(found.Signals, []signal.Signal{sample}) || !slices.Equal(found.Denials, []signal.Denial{denied}) {
		t.Errorf("got %+v, %v", found, err)
	}
	// Those who want signals get those alone.
	signals, err := signal.Parse([]byte(inSQS(official(sample), record)))
	if err != nil || !slices.Equal(signals, []signal.Signal{sample}) {
		t.Errorf("got %+v, %v", signals, err)
	}
	if _, err := signal.ParseMessage([]byte(record)); !errors.Is(err, signal.ErrIgnored) {
		t.Errorf("a message with a denial alone gives %v", err)
	}
}

func TestLogFileHasABound(t *testing.T) {
	t.Parallel()
	one := `{"eventSource":"iam.amazonaws.com"},`
	for n, want := range map[int]string{5000: "and 4999 more in this file", signal.MaxLogRecords + 1: "100001 records, the limit is 100000"} {
		_, err := signal.ParseEvidence([]byte(`{"Records":[` + strings.TrimSuffix(strings.Repeat(one, n), ",") + `]}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d records give %v, want %q", n, err, want)
		}
	}
}

// denied is a denial with every field set.
var denied = signal.Denial{
	Account: "111122223333", Role: "replication", Action: "kms:Decrypt", Key: "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
	Context: "arn:aws:s3:::amzn-s3-demo-source/a.txt", Policy: "identity-based policy", EventID: "0f3d9a53",
	Time: time.Date(2026, 11, 21, 21, 4, 10, 0, time.UTC),
}

// recorded prints a denial as CloudTrail does, with the members that are read.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func recorded(d signal.Denial) string {
	why := ""
	switch {
	case d.Explicit:
		why = "with an explicit deny in a " + d.Policy
	case d.Policy != "":
		why = "because no " + d.Policy + " allows the " + d.Action + " action"
	}
	return recordWith(d, why)
}

func recordWith(d signal.Denial, message string) string {
	_, name, _ := strings.Cut(d.Action, ":")
	context := ""
	if d.Context != "" {
		context = `,"encryptionContext":{"aws:s3:arn":` + quoted(d.Context) + `}`
	}
	return fmt.Sprintf(`{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","arn":%s},"eventTime":%s,`+
		`"eventSource":"kms.amazonaws.com","eventName":%s,"errorCode":"AccessDenied","errorMessage":%s,`+
		`"requestParameters":{"keyId":%s%s},"eventID":%s,"resources":[{"ARN":%s}]}`,
		quoted("arn:aws:sts::"+d.Account+":assumed-role/"+d.Role+"/s3-replication"), quoted(d.Time.Format(time.RFC3339Nano)), quoted(name),
		quoted(message), quoted(d.Key), context, quoted(d.EventID), quoted(d.Key))
}

// FuzzParseEvidence holds ParseEvidence to its contract: an error comes alone and is fit to print; denials have the forms that
// they promise, and printed as CloudTrail's own record they are read as the same.
func FuzzParseEvidence(f *testing.F) {
	files, err := filepath.Glob("testdata/cloudtrail/*.txtar")
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
			if text := err.Error(); len(found.Signals)+len(found.Denials)+len(found.Changes) > 0 || len(text) > 600 || !printableASCII(text) {
				t.Fatalf("%d signals and %d denials came with %q", len(found.Signals), len(found.Denials), text)
			}
			return
		}
		if n := len(found.Signals) + len(found.Denials) + len(found.Changes); n == 0 || n > signal.MaxRecords {
			t.Fatalf("%d pieces of evidence without an error", n)
		}
		signals, err := signal.Parse(raw)
		if !slices.Equal(signals, found.Signals) || (err == nil) != (len(found.Signals) > 0) {
			t.Fatalf("as evidence %v, as signals %v, %v", found.Signals, signals, err)
		}
		for _, d := range found.Denials {
			key, keyErr := policy.ParseARN(d.Key)
			if keyErr != nil || key.HasWildcard() || d.Role == "" || strings.ContainsAny(d.Account+d.Role+d.Action, "*?/") || d.Time.IsZero() {
				t.Fatalf("not in form: %+v", d)
			}
			if again, err := signal.ParseEvidence([]byte(recorded(d))); err != nil || !slices.Equal(again.Denials, []signal.Denial{d}) {
				t.Fatalf("%+v is read again as %+v, %v", d, again, err)
			}
		}
	})
}

// FuzzDenialText: the text of an error is a hint of one kind of policy out of a closed set, and moves nothing else.
func FuzzDenialText(f *testing.F) {
	f.Add("User: arn:aws:sts::111122223333:assumed-role/replication/s3-replication is not authorized to perform: kms:Decrypt on " +
		"resource: arn:aws:kms:us-east-1:111122223333:key/1234 because no identity-based policy allows the kms:Decrypt action")
	f.Add("with an explicit deny in a resource-based policy")
	f.Add("because no session policy allows x with an explicit deny in a service control policy")
	f.Add("because no \u202eidentity-based policy allows")
	kinds := []string{
		"", "identity-based policy", "resource-based policy", "permissions boundary", "service control policy", "resource control policy",
		"session policy", "VPC endpoint policy",
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, err := signal.ParseEvidence([]byte(recordWith(denied, text)))
		if err != nil {
			if utf8.ValidString(text) && len(text) < signal.MaxMessage/8 {
				t.Fatalf("the text refuses the record: %v", err)
			}
			return
		}
		got := found.Denials[0]
		if !slices.Contains(kinds, got.Policy) || got.Explicit && got.Policy == "" || !strings.Contains(text, got.Policy) {
			t.Fatalf("%q blames %q, explicitly %t", text, got.Policy, got.Explicit)
		}
		got.Policy, got.Explicit = denied.Policy, denied.Explicit
		if got != denied {
			t.Fatalf("%q made it %+v", text, got)
		}
	})
}
