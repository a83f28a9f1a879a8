package signal_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/signal"
)

// FuzzParse holds Parse to its contract: an error comes alone and is fit to print; what is accepted, printed as S3's own record,
// is accepted again as the same; and no envelope changes what is in it.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("found %d cases, %v", len(files), err)
	}
	for _, file := range files {
		event, _ := readCase(f, file)
		f.Add(event)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		signals, err := signal.Parse(raw)
		if err != nil {
			if signals != nil {
				t.Fatal("an error came with signals")
			}
			if text := err.Error(); len(text) > 600 || !printableASCII(text) {
				t.Fatalf("the error's text is not fit to print: %d bytes, %q", len(text), text)
			}
		} else {
			if len(signals) == 0 || len(signals) > signal.MaxRecords {
				t.Fatalf("%d signals without an error", len(signals))
			}
			again(t, "printed anew", signals, official(signals...))
		}

		// A body is read the same wherever it stands. Growth by escaping is left to the tests of bounds.
		if len(raw) > signal.MaxMessage/4 {
			return
		}
		body := string(raw)
		found, bodyErr := signal.ParseMessage(raw)
		if bodyErr == nil && !slices.Equal(found, signals) {
			t.Fatalf("as a message %v, as an event %v", found, signals)
		}
		if bodyErr == nil {
			again(t, "in SQS", found, inSQS(body))
			again(t, "twice in SQS", slices.Concat(found, found), inSQS(body, body))
			again(t, "beside a test message", found, inSQS(`{"Event":"s3:TestEvent"}`, body))
		}
		if bodyErr == nil && !isEnvelope(raw) {
			again(t, "in SNS", found, inSNS(body))
			again(t, "in SNS in SQS", found, inSQS(inSNS(body)))
		}
		// One bad message refuses the event. A body that is no text cannot stand in JSON, so that it is left out.
		if bodyErr != nil && !errors.Is(bodyErr, signal.ErrIgnored) && utf8.Valid(raw) {
			if got, err := signal.Parse([]byte(inSQS(official(sample), body))); err == nil || errors.Is(err, signal.ErrIgnored) {
				t.Fatalf("an event with a bad message gave %v, %v", got, err)
			}
		}
	})
}

// FuzzRecord goes the other way: whatever stands in an official record is read as it stands there or refused, never changed.
func FuzzRecord(f *testing.F) {
	s := sample
	f.Add(s.Region, s.Bucket, s.Owner, s.Rule, s.Destination, s.Key, s.VersionID, s.Size, s.Operation, s.Reason, s.EventTime.Unix())
	f.Add("cn-north-1", "a.b-c", "", "規則", "arn:aws-cn:s3:::abc", "a\x00\x1b%2B+ é", "null", int64(0), "", "", int64(0))
	f.Fuzz(func(t *testing.T, region, bucket, owner, rule, destination, key, version string, size int64, operation, reason string, at int64) {
		want := signal.Signal{
			Kind: signal.Failed, Region: region, Bucket: bucket, Owner: owner, Rule: rule, Destination: destination, Key: key,
			VersionID: version, Size: size, Operation: operation, Reason: reason,
			EventTime: time.Unix(at, 0).UTC(), RequestTime: time.Unix(at, 999).UTC(),
		}
		if reason == "DstMultipartPartUploadNotPermitted" {
			t.Skip("read as its newer spelling")
		}
		got, err := signal.Parse([]byte(official(want)))
		if err == nil && !slices.Equal(got, []signal.Signal{want}) {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func isEnvelope(raw []byte) bool {
	n, _ := jsontree.Parse(raw, signal.MaxMessage)
	return !n.Get("Records").Present()
}

func again(t *testing.T, how string, want []signal.Signal, event string) {
	t.Helper()
	if len(want) > signal.MaxRecords || len(event) > signal.MaxMessage {
		return
	}
	got, err := signal.Parse([]byte(event))
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%s: got %v, %v; want %v from %s", how, got, err, want, event)
	}
}
