package signal_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/signal"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestParseCases reads the event of each file in testdata, one situation each, and compares what Parse says of it.
func TestParseCases(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 100 {
		t.Fatalf("found %d cases, %v; want 100 or more", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			event, want := readCase(t, file)
			if got := describe(signal.Parse(event)); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func readCase(t testing.TB, file string) (event []byte, want string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.Files) != 2 || archive.Files[0].Name != "event.json" || archive.Files[1].Name != "want" {
		t.Fatal("want the files event.json and want, and no other")
	}
	if !strings.HasSuffix(strings.TrimSpace(string(archive.Comment)), ".") {
		t.Error("the case is not introduced by a sentence")
	}
	return archive.Files[0].Data, string(archive.Files[1].Data)
}

// describe is what a case file expects: one line for each signal, or one for the error.
func describe(signals []signal.Signal, err error) string {
	switch {
	case err != nil && signals != nil:
		return fmt.Sprintf("an error came with signals: %v\n", err)
	case errors.Is(err, signal.ErrIgnored):
		return "ignored: " + strings.TrimPrefix(err.Error(), signal.ErrIgnored.Error()+": ") + "\n"
	case err != nil:
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	for _, s := range signals {
		fmt.Fprintf(&b, "%s bucket=%s region=%s owner=%s rule=%q destination=%s key=%+q version=%q size=%d operation=%s",
			s.Kind, s.Bucket, s.Region, s.Owner, s.Rule, s.Destination, s.Key, s.VersionID, s.Size, s.Operation)
		fmt.Fprintf(&b, " reason=%s time=%s", s.Reason, s.EventTime.Format(time.RFC3339Nano))
		if !s.RequestTime.IsZero() {
			fmt.Fprintf(&b, " requested=%s", s.RequestTime.Format(time.RFC3339Nano))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestParseBounds holds what is too large for a file, or no text at all.
func TestParseBounds(t *testing.T) {
	t.Parallel()
	one := official(sample)
	many := func(n int, record string) string {
		return `{"Records":[` + strings.TrimSuffix(strings.Repeat(record+",", n), ",") + `]}`
	}
	body := func(s string) string { return `{"eventSource":"aws:sqs","body":` + quoted(s) + `}` }
	padded := func(n int) string { return one + strings.Repeat(" ", n-len(one)) }
	other := `{"eventSource":"aws:s3","eventName":"ObjectCreated:Put"}`
	tests := map[string]struct {
		in   string
		want string // in the error; "" wants signals
	}{
		"largest message":          {padded(signal.MaxMessage), ""},
		"message too large":        {padded(signal.MaxMessage + 1), "1:1: an S3 event has 262145 bytes, the limit is 262144"},
		"body too large":           {many(1, body(padded(signal.MaxMessage+1))), "1:45: Records[0].body: 1:1: the text has 262145 bytes"},
		"large event":              {many(20, body(padded(signal.MaxMessage))), ""},
		"event too large":          {strings.Repeat(" ", signal.MaxEvent+1), "the text has 6291457 bytes, the limit is 6291456"},
		"most records":             {many(signal.MaxRecords, other), "and 999 more"},
		"too many records":         {many(signal.MaxRecords+1, other), "1:12: Records: 1001 records, the limit is 1000"},
		"too many in bodies":       {many(2, body(many(600, other))), "Records[1].body: 1200 records, the limit is 1000"},
		"deep nesting":             {strings.Repeat(`{"Records":[`, 40000), "nested deeper than 64 levels"},
		"invalid UTF-8":            {strings.Replace(one, "image", "\xff", 1), "invalid UTF-8"},
		"empty":                    {"", "1:1: the text ends too early"},
		"a hostile member name":    {`{"` + strings.Repeat("\u202e\\n", 5000) + `":tru}`, "1:25005: ???"},
		"a hostile event name":     {many(1, strings.Replace(other, "ObjectCreated", strings.Repeat("\u202e", 5000), 1)), `eventName: "\u202e\u202e`},
		"longest key":              {strings.Replace(one, "image", strings.Repeat("%41", 1024-len(" 1.png")), 1), ""},
		"key too long":             {strings.Replace(one, "image", strings.Repeat("%41", 1025-len(" 1.png")), 1), "s3.object.key: 1025 bytes when decoded"},
		"longest rule":             {strings.Replace(one, `"all"`, quoted(strings.Repeat("規", 255)), 1), ""},
		"rule too long":            {strings.Replace(one, `"all"`, quoted(strings.Repeat("a", 256)), 1), "replicationRuleId: 256 characters, the limit is 255"},
		"longest region":           {strings.Replace(one, `"eu-west-1"`, quoted(strings.Repeat("a", 32)), 1), ""},
		"region too long":          {strings.Replace(one, `"eu-west-1"`, quoted(strings.Repeat("a", 33)), 1), "is not a region"},
		"longest operation":        {strings.Replace(one, `"OBJECT_PUT"`, quoted(strings.Repeat("a", 128)), 1), ""},
		"operation too long":       {strings.Replace(one, `"OBJECT_PUT"`, quoted(strings.Repeat("a", 129)), 1), "is not an identifier"},
		"longest version":          {strings.Replace(one, `"v1"`, quoted(strings.Repeat("a", 1024)), 1), ""},
		"version too long":         {strings.Replace(one, `"v1"`, quoted(strings.Repeat("a", 1025)), 1), "s3.object.versionId: 1025 bytes, the limit is 1024"},
		"longest bucket name":      {strings.Replace(one, `"source-bucket"`, quoted(strings.Repeat("a", 63)), 1), ""},
		"bucket name too long":     {strings.Replace(one, `"source-bucket"`, quoted(strings.Repeat("a", 64)), 1), "is not the name of a bucket"},
		"longest reason":           {strings.Replace(one, `"AssumeRoleNotPermitted"`, quoted(strings.Repeat("a", 128)), 1), ""},
		"reason too long":          {strings.Replace(one, `"AssumeRoleNotPermitted"`, quoted(strings.Repeat("a", 129)), 1), "is not the name of a reason"},
		"longest legacy ARN":       {strings.Replace(one, "destination-bucket", strings.Repeat("A", 255), 1), ""},
		"legacy ARN too long":      {strings.Replace(one, "destination-bucket", strings.Repeat("A", 256), 1), "is not the ARN of a bucket"},
		"an unlimited JSON number": {strings.Replace(one, `"size":1`, `"size":1`+strings.Repeat("0", 5000), 1), "s3.object.size: want a whole number"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signals, err := signal.Parse([]byte(tt.in))
			if err == nil {
				if tt.want != "" || len(signals) == 0 {
					t.Fatalf("got %d signals, want an error with %q", len(signals), tt.want)
				}
				return
			}
			if signals != nil {
				t.Error("an error came with signals")
			}
			text := err.Error()
			if tt.want == "" || !strings.Contains(text, tt.want) {
				t.Errorf("got error %.300q, want one with %q", text, tt.want)
			}
			if len(text) > 600 || !printableASCII(text) {
				t.Errorf("the error's text is not fit to print: %d bytes, %.300q", len(text), text)
			}
		})
	}
}

func printableASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
