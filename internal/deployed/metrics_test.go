package deployed

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/incident"
)

// all is every figure.
var all = []metric{
	failuresReported, malformedMessages, incidentsOpened, timeToCure, timeToResolve, refusals, manual, awaitingApproval, escalations,
	documentsUndone, routesSwept, routesHealthy, blindRoutes, unapprovedRoutes, goneRoutes, unreadableBuckets,
	noticesSent, noticesHeld, noticesFailed,
}

// units are the ones of CloudWatch that are used here.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
var units = []string{"Count", "Seconds"}

// figures reads the figures of each line of a log, and holds each line that has some to the specification of the format.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func figures(t *testing.T, log string) []map[string]float64 {
	t.Helper()
	var out []map[string]float64
	for line := range strings.Lines(log) {
		var root map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &root); err != nil {
			t.Fatalf("not a line of JSON: %v: %s", err, line)
		}
		text, ok := root["_aws"]
		if !ok {
			continue
		}
		var metadata struct {
			Timestamp         *int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&metadata); err != nil {
			t.Fatalf("_aws: %v: %s", err, text)
		}
		// The schema wants a time in milliseconds since 1970, and directives with a namespace of 1 to 1024 characters, at
		// least one set of at most 30 dimensions, and at most 100 metrics, each of them a number at the root.
		if metadata.Timestamp == nil || *metadata.Timestamp < 1e12 || len(metadata.CloudWatchMetrics) != 1 {
			t.Fatalf("_aws: %s", text)
		}
		d := metadata.CloudWatchMetrics[0]
		if d.Namespace != "Replimend" || len(d.Dimensions) != 1 || len(d.Dimensions[0]) != 0 || len(d.Metrics) == 0 || len(d.Metrics) > 100 {
			t.Errorf("_aws: %s", text)
		}
		values := map[string]float64{}
		for _, m := range d.Metrics {
			var value float64
			if err := json.Unmarshal(root[m.Name], &value); err != nil || !slices.Contains(all, metric{m.Name, m.Unit}) {
				t.Errorf("metric %+v has the value %s: %v", m, root[m.Name], err)
			}
			values[m.Name] = value
		}
		out = append(out, values)
	}
	return out
}

func TestFiguresOfALook(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)
	first := incident.Failures{First: at.Add(-time.Minute)}
	open := incident.Incident{ID: "inc-1", Outcome: incident.Open, Opened: at, Failures: first}
	become := func(o incident.Outcome, edit func(*incident.Incident)) incident.Incident {
		i := open
		i.Outcome = o
		if edit != nil {
			edit(&i)
		}
		return i
	}
	applied := become(incident.Applied, func(i *incident.Incident) {
		i.Patched, i.Changes = at.Add(2*time.Second), []incident.Change{{State: incident.Written}, {State: incident.Written}}
	})
	resolved, undone := applied, applied
	resolved.Outcome, undone.Outcome = incident.Resolved, incident.Escalated
	undone.Changes = []incident.Change{{State: incident.Undone}, {State: incident.Undone}}
	for name, tt := range map[string]struct {
		before, after incident.Incident
		want          map[string]float64 // nil: no line
	}{
		"nothing new":  {applied, applied, nil},
		"healthy":      {open, become(incident.Healthy, nil), nil},
		"applied":      {open, applied, map[string]float64{"TimeToCure": 62}},
		"resolved":     {applied, resolved, map[string]float64{"TimeToResolve": 3660}},
		"undone":       {applied, undone, map[string]float64{"Escalations": 1, "DocumentsUndone": 2}},
		"refused":      {open, become(incident.Refused, nil), map[string]float64{"Refusals": 1}},
		"manual":       {open, become(incident.Manual, nil), map[string]float64{"Manual": 1}},
		"asked":        {open, become(incident.AwaitingApproval, nil), map[string]float64{"AwaitingApproval": 1}},
		"asked before": {become(incident.AwaitingApproval, nil), become(incident.AwaitingApproval, nil), nil},
	} {
		var log bytes.Buffer
		MeasureLook(t.Context(), slog.New(slog.NewJSONHandler(&log, nil)).With("incident", "inc-1"), at.Add(time.Hour), tt.before, tt.after)
		got := figures(t, log.String())
		if tt.want == nil && len(got) == 0 {
			continue
		}
		if len(got) != 1 || !maps.Equal(got[0], tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
		if !strings.Contains(log.String(), `"incident":"inc-1"`) {
			t.Errorf("%s: the line does not name the incident: %s", name, &log)
		}
	}
}

// TestFiguresAreExplained: the page has a row for each figure with its unit, and no other, in that order.
func TestFiguresAreExplained(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []metric
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\w+) \\| \\S").FindAllStringSubmatch(string(page), -1) {
		got = append(got, metric{row[1], row[2]})
	}
	if !slices.Equal(got, all) {
		t.Errorf("the page has %v, want %v", got, all)
	}
	for _, m := range all {
		if !slices.Contains(units, m.unit) {
			t.Errorf("%s: CloudWatch has no unit %q", m.name, m.unit)
		}
	}
}
