package intake_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/replimend/replimend/internal/intake"
	"github.com/replimend/replimend/internal/signal"
	"github.com/rogpeppe/go-internal/txtar"
)

// body is the event of a case of package signal.
func body(t *testing.T, name string) string {
	t.Helper()
	archive, err := txtar.ParseFile("../signal/testdata/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	return string(archive.Files[0].Data)
}

func TestReadKeepsMessagesApart(t *testing.T) {
	t.Parallel()
	got := intake.Read([]intake.Message{
		{"good", body(t, "official-failed")},
		{"malformed", body(t, "bad-beside-good")},
		{"test", body(t, "test-message")},
		{"topic", body(t, "sns")},
		{"second", body(t, "two-records")},
		{"another rule", body(t, "rule-in-other-script")},
		{"unknown", body(t, "name-of-unknown-replication-event")},
		{"empty", ""},
		{"denied call", body(t, "cloudtrail/eventbridge")},
		{"other call", body(t, "cloudtrail/allowed")},
	})
	want := intake.Batch{
		Failures: []intake.Note{
			{"malformed", `27:26: Records[1].s3.bucket.name: "B" is not the name of a bucket`},
			{"empty", "1:1: the text ends too early"},
		},
		Ignored: []intake.Note{
			{"test", `event is of no concern: Event: "s3:TestEvent"`},
			{"unknown", `event is of no concern: Records[0].eventName: "Replication:OperationPostponed"`},
			{"denied call", "event is of no concern: denied KMS calls (1) and changes (0), which report no failure of an object"},
			{"other call", `event is of no concern: errorCode: ""`},
		},
	}
	groups, reports := got.Groups, got.Reports
	got.Groups, got.Reports = nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var said []string
	for _, r := range reports {
		said = append(said, fmt.Sprintf("%s says %d", r.MessageID, len(r.Signals)))
	}
	if diff := cmp.Diff([]string{"good says 1", "topic says 1", "second says 2", "another rule says 1"}, said); diff != "" {
		t.Error(diff)
	}
	// The official record came three times over and counts once; the malformed message had a good record, which does not count.
	if len(groups) != 2 || groups[0].Failed != 2 || len(groups[0].Sample) != 2 || groups[1].Failed != 1 {
		t.Errorf("groups are %+v, want one of two failures and one of one", groups)
	}
}

func TestReadOfNothingIsNothing(t *testing.T) {
	t.Parallel()
	got := intake.Read(nil)
	if got.Groups != nil || got.Failures != nil || got.Ignored != nil || got.FailedIDs() != nil {
		t.Errorf("got %+v", got)
	}
}

func TestMessagesOfOneID(t *testing.T) {
	t.Parallel()
	got := intake.Read([]intake.Message{
		{"same", "{"}, {"same", body(t, "official-failed")}, {"other", "["}, {"same", "}"},
	})
	if diff := cmp.Diff([]string{"same", "other"}, got.FailedIDs()); diff != "" {
		t.Error(diff)
	}
	if len(got.Failures) != 3 || len(got.Groups) != 1 {
		t.Errorf("%d failures and %d groups, want 3 and 1", len(got.Failures), len(got.Groups))
	}
}

// TestReasonsAreFitForLogs: whoever sends a message must not be able to write the log, nor to fill it.
func TestReasonsAreFitForLogs(t *testing.T) {
	t.Parallel()
	hostile := strings.Repeat("\u202e\n\x1b[2J😀", 1000)
	text, err := json.Marshal(hostile)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"deep":         strings.Repeat(`{"a":`, 30_000),
		"large":        strings.Repeat(" ", signal.MaxMessage+1),
		"not UTF-8":    "\xff\xfe",
		"member name":  `{` + string(text) + `:1,` + string(text) + `:2}`,
		"event name":   `{"Records":[{"eventSource":"aws:s3","eventName":` + string(text) + `}]}`,
		"event source": `{"Records":[{"eventSource":` + string(text) + `}]}`,
		"version":      strings.Replace(body(t, "official-failed"), `"2.2"`, string(text), 1),
		"bucket":       strings.Replace(body(t, "official-failed"), `"amzn-s3-demo-bucket1"`, string(text), 1),
		"rule":         strings.Replace(body(t, "official-failed"), `"notification-test-replication-rule"`, string(text), 1),
		"reason":       strings.Replace(body(t, "official-failed"), `"AssumeRoleNotPermitted"`, string(text), 1),
		"key":          strings.Replace(body(t, "official-failed"), `"replication-object-put-test.png"`, string(text), 1),
		"SNS type":     `{"Type":` + string(text) + `}`,
		"SNS message":  `{"Type":"Notification","Message":` + string(text) + `}`,
		// Lambda's own event is not a message, which holds the 6 MB that it may have away from a single body.
		"an event of Lambda": strings.Repeat(" ", signal.MaxMessage) + body(t, "sqs"),
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := intake.Read([]intake.Message{{"id", body}})
			notes := append(got.Failures, got.Ignored...)
			if len(got.Groups) != 0 || len(notes) != 1 {
				t.Fatalf("got %+v, want one note", got)
			}
			reason := notes[0].Reason
			if len(reason) > 600 || strings.ContainsFunc(reason, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("the reason is not fit for a log: %d bytes, %q", len(reason), reason)
			}
		})
	}
}

func TestReadRecordsTakesEverything(t *testing.T) {
	t.Parallel()
	got := intake.ReadRecords([]intake.Message{
		{"event", body(t, "official-failed")},
		{"malformed", body(t, "bad-beside-good")},
		{"test", body(t, "test-message")},
		{"denied call", body(t, "cloudtrail/eventbridge")},
		{"other call", body(t, "cloudtrail/allowed")},
		{"empty", ""},
	})
	var records []string
	for _, r := range got.Records {
		records = append(records, fmt.Sprintf("%s: %d %d %d", r.MessageID, len(r.Signals), len(r.Denials), len(r.Changes)))
	}
	if diff := cmp.Diff([]string{"event: 1 0 0", "denied call: 0 1 0"}, records); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"malformed", "empty"}, got.FailedIDs()); diff != "" {
		t.Error(diff)
	}
	if len(got.Ignored) != 2 || got.Ignored[0].MessageID != "test" || got.Ignored[1].MessageID != "other call" {
		t.Errorf("ignored %v", got.Ignored)
	}
}
