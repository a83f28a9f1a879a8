package deployed

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/replimend/replimend/internal/incident"
)

// namespace is that of every figure in CloudWatch.
const namespace = "Replimend"

// metric is one figure in CloudWatch, without dimensions: what differs from route to route is in the log, under the incident's ID.
type metric struct {
	name string
	unit string // in CloudWatch's words, such as Count or Seconds
}

// The figures. The page docs/metrics.md says what each means.
var (
	failuresReported  = metric{"FailuresReported", "Count"}
	malformedMessages = metric{"MalformedMessages", "Count"}
	incidentsOpened   = metric{"IncidentsOpened", "Count"}
	timeToCure        = metric{"TimeToCure", "Seconds"}
	timeToResolve     = metric{"TimeToResolve", "Seconds"}
	refusals          = metric{"Refusals", "Count"}
	manual            = metric{"Manual", "Count"}
	awaitingApproval  = metric{"AwaitingApproval", "Count"}
	escalations       = metric{"Escalations", "Count"}
	documentsUndone   = metric{"DocumentsUndone", "Count"}
	routesSwept       = metric{"RoutesSwept", "Count"}
	routesHealthy     = metric{"RoutesHealthy", "Count"}
	blindRoutes       = metric{"BlindRoutes", "Count"}
	unapprovedRoutes  = metric{"UnapprovedRoutes", "Count"}
	goneRoutes        = metric{"GoneRoutes", "Count"}
	unreadableBuckets = metric{"UnreadableBuckets", "Count"}
	noticesSent       = metric{"NoticesSent", "Count"}
	noticesHeld       = metric{"NoticesHeld", "Count"}
	noticesFailed     = metric{"NoticesFailed", "Count"}
)

// figure is one value of one metric.
type figure struct {
	metric
	value float64
}

// MeasureBatch gives the figures of a batch, on one line however many events it has: how many versions failed, how many messages are
// malformed, and how many incidents were opened.
func MeasureBatch(ctx context.Context, log *slog.Logger, now time.Time, failed, malformed, opened int) {
	emit(ctx, log, now,
		figure{failuresReported, float64(failed)}, figure{malformedMessages, float64(malformed)}, figure{incidentsOpened, float64(opened)})
}

// MeasureOpened gives the figure of one incident that a look opened.
func MeasureOpened(ctx context.Context, log *slog.Logger, now time.Time) {
	emit(ctx, log, now, figure{incidentsOpened, 1})
}

// outcomes is what an incident counts as when it comes to an outcome.
var outcomes = map[incident.Outcome]metric{
	incident.Refused: refusals, incident.Manual: manual, incident.AwaitingApproval: awaitingApproval, incident.Escalated: escalations,
}

// MeasureLook gives the figures of what one look made of an incident; none where it is as it was. Times are from the first failure.
func MeasureLook(ctx context.Context, log *slog.Logger, now time.Time, before, after incident.Incident) {
	var figures []figure
	first := cmp.Or(after.Failures.First, after.Opened)
	if undone := undone(after) - undone(before); undone > 0 {
		figures = append(figures, figure{documentsUndone, float64(undone)})
	}
	if after.Patched.After(before.Patched) {
		figures = append(figures, figure{timeToCure, after.Patched.Sub(first).Seconds()})
	}
	if before.Outcome != after.Outcome {
		if m, ok := outcomes[after.Outcome]; ok {
			figures = append(figures, figure{m, 1})
		}
		if after.Outcome == incident.Resolved {
			figures = append(figures, figure{timeToResolve, now.Sub(first).Seconds()})
		}
	}
	if len(figures) > 0 {
		emit(ctx, log, now, figures...)
	}
}

// undone is how many documents of an incident were put back.
func undone(i incident.Incident) int {
	n := 0
	for _, c := range i.Changes {
		if c.State == incident.Undone {
			n++
		}
	}
	return n
}

// Tally is what a sweep counts in some buckets.
type Tally struct {
	Routes, Healthy, Unapproved, Unreadable int
	Blind, Gone                             int // of those that are approved
}

// Add adds what was counted in other buckets.
func (t *Tally) Add(u Tally) {
	t.Routes, t.Healthy, t.Blind = t.Routes+u.Routes, t.Healthy+u.Healthy, t.Blind+u.Blind
	t.Unapproved, t.Unreadable, t.Gone = t.Unapproved+u.Unapproved, t.Unreadable+u.Unreadable, t.Gone+u.Gone
}

// MeasureSweep gives the figures of what one message of a sweep looked at.
func MeasureSweep(ctx context.Context, log *slog.Logger, now time.Time, t Tally) {
	emit(ctx, log, now,
		figure{routesSwept, float64(t.Routes)}, figure{routesHealthy, float64(t.Healthy)}, figure{blindRoutes, float64(t.Blind)},
		figure{unapprovedRoutes, float64(t.Unapproved)}, figure{goneRoutes, float64(t.Gone)}, figure{unreadableBuckets, float64(t.Unreadable)})
}

// MeasureNotices gives the figures of one notice: how many targets were told, are to be told later, and could not be told.
func MeasureNotices(ctx context.Context, log *slog.Logger, now time.Time, sent, held, failed int) {
	emit(ctx, log, now, figure{noticesSent, float64(sent)}, figure{noticesHeld, float64(held)}, figure{noticesFailed, float64(failed)})
}

// emit logs figures in CloudWatch's embedded metric format, from which Lambda's log makes metrics without a call. The other members of
// the line are the log's own, and stay searchable beside them.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func emit(ctx context.Context, log *slog.Logger, now time.Time, figures ...figure) {
	type definition struct{ Name, Unit string }
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []definition
	}
	metrics := make([]definition, len(figures))
	attributes := make([]slog.Attr, 0, len(figures)+1)
	for i, f := range figures {
		metrics[i] = definition{f.name, f.unit}
		attributes = append(attributes, slog.Float64(f.name, f.value))
	}
	attributes = append(attributes, slog.Any("_aws", struct {
		Timestamp         int64 // in milliseconds
		CloudWatchMetrics []directive
	}{now.UnixMilli(), []directive{{namespace, [][]string{{}}, metrics}}}))
	log.LogAttrs(ctx, slog.LevelInfo, "figures", attributes...)
}
