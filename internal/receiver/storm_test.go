package receiver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/intake"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/remedy"
)

// reasons are twenty of the failureReasons that S3 documents.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
var reasons = []string{
	"AssumeRoleNotPermitted", "DstBucketInvalidRegion", "DstBucketNotFound", "DstBucketObjectLockConfigMissing", "DstBucketUnversioned", "DstDelObjNotPermitted", "DstKmsKeyInvalidState",
	"DstKmsKeyNotFound", "DstMultipartCompleteNotPermitted", "DstMultipartInitNotPermitted", "DstMultipartUploadNotPermitted", "DstMultipartPartUploadNotPermitted", "DstObjectHardDeleted", "DstPutAclNotPermitted",
	"DstPutLegalHoldNotPermitted", "DstPutObjectNotPermitted", "DstPutRetentionNotPermitted", "DstPutTaggingNotPermitted", "DstVersionNotFound", "InitiateReplicationNotPermitted",
}

const stormRoutes = 200

// storm is events of failed versions, of twenty reasons on 200 routes in turn, each in a message of its own as SQS delivers them.
func storm(events int) []intake.Message {
	out := make([]intake.Message, events)
	for k := range out {
		route := k % stormRoutes
		out[k] = intake.Message{MessageID: strconv.Itoa(k), Body: fmt.Sprintf(`{"Records":[{"eventVersion":"2.2","eventSource":"aws:s3",`+
			`"awsRegion":"us-east-1","eventTime":"2026-11-28T03:00:00.000Z","eventName":"Replication:OperationFailedReplication",`+
			`"userIdentity":{"principalId":"s3.amazonaws.com"},"s3":{"s3SchemaVersion":"1.0","configurationId":"failures",`+
			`"bucket":{"name":"source-%[1]d","ownerIdentity":{"principalId":"111122223333"},"arn":"arn:aws:s3:::source-%[1]d"},`+
			`"object":{"key":"ledger/%[2]d","size":520080,"eTag":"e12345ca7e88a38428305d3ff7fcb99f","versionId":"v%[2]d","sequencer":"0066DA1CBF104C0D51"}},`+
			`"replicationEventData":{"replicationRuleId":"everything","destinationBucket":"arn:aws:s3:::destination-%[1]d",`+
			`"s3Operation":"OBJECT_PUT","requestTime":"2026-11-28T02:59:00.000Z","failureReason":"%[3]s"}}]}`, route, k, reasons[k/stormRoutes%len(reasons)])}
	}
	return out
}

// counted is a journal in memory that counts what it is told to keep. journal.Table writes at most one item for each Open, or one
// transaction where it begins an incident.
type counted struct {
	remedy.Notes
	writes int
}

func (c *counted) Open(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	c.writes++
	return c.Notes.Open(ctx, i)
}

// sendings counts what is handed over.
type sendings int

func (s *sendings) Send(context.Context, queue.Work, time.Duration) error {
	*s++
	return nil
}

// take has a Receiver take the messages in batches, and says what became of them.
func take(tb testing.TB, messages []intake.Message, size int, log io.Writer) *counted {
	tb.Helper()
	at := time.Date(2026, 11, 28, 3, 0, 1, 0, time.UTC)
	c := &counted{}
	n := Receiver{Journal: c, Work: new(sendings), Log: slog.New(slog.NewJSONHandler(log, nil)), Now: func() time.Time {
		at = at.Add(time.Millisecond)
		return at
	}}
	for batch := range slices.Chunk(messages, size) {
		if failed := n.Handle(tb.Context(), batch); len(failed) > 0 {
			tb.Fatalf("%d messages have to come again", len(failed))
		}
	}
	return c
}

// TestStorm: however many events there are, a route has one incident, and the journal is written once for each route of a batch.
// Each line of the log is JSON, and the figures add up.
func TestStorm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ events, size, writes int }{
		{4_000, 400, 10 * stormRoutes}, {8_000, 800, 10 * stormRoutes}, {8_000, 400, 20 * stormRoutes}, {8_000, 8_000, stormRoutes},
	} {
		var log bytes.Buffer
		c := take(t, storm(tt.events), tt.size, &log)
		if got := len(c.Incidents()); got != stormRoutes || c.writes != tt.writes {
			t.Errorf("%d events in batches of %d: %d incidents and %d writes, want %d and %d", tt.events, tt.size, got, c.writes, stormRoutes, tt.writes)
		}
		lines, opened, reported := 0, 0, 0
		for line := range strings.Lines(log.String()) {
			var figures struct {
				Format                            *json.RawMessage `json:"_aws"`
				IncidentsOpened, FailuresReported int
			}
			if err := json.Unmarshal([]byte(line), &figures); err != nil {
				t.Fatalf("not a line of JSON: %v: %s", err, line)
			}
			if figures.Format != nil {
				lines, opened, reported = lines+1, opened+figures.IncidentsOpened, reported+figures.FailuresReported
			}
		}
		if lines != tt.events/tt.size || opened != stormRoutes || reported != tt.events {
			t.Errorf("%d lines of figures: %d opened, %d reported", lines, opened, reported)
		}
	}
}

// BenchmarkStorm takes in 100,000 events in batches of two sizes. The journal is in memory: what is measured is the reading, folding
// and counting, and how often a table would be written.
func BenchmarkStorm(b *testing.B) {
	messages := storm(100_000)
	for _, size := range []int{10, 1_000, 10_000} {
		b.Run(fmt.Sprintf("batches-of-%d", size), func(b *testing.B) {
			var c *counted
			for b.Loop() {
				c = take(b, messages, size, io.Discard)
			}
			b.ReportMetric(float64(len(messages))*float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(len(c.Incidents())), "incidents")
			b.ReportMetric(float64(c.writes), "journal-writes")
			b.ReportMetric(peak(b), "MB-peak")
		})
	}
}

// peak is the most memory that this process had resident so far, its messages included.
func peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest + " ?")[0])
	if err != nil {
		b.Fatal(err)
	}
	return float64(kilobytes) * 1024 / 1e6
}
