package deployed

import (
	"context"
	"log/slog"
	"time"
)

// namespace is that of every figure in CloudWatch.
const namespace = "Replimend"

// figure is one value of one metric.
type figure struct {
	name  string
	unit  string // in CloudWatch's words, such as Count or Seconds
	value float64
}

// emit logs figures in CloudWatch's embedded metric format, from which Lambda's log makes metrics without a call. The other members of
// the line are the log's own, and stay searchable beside them.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func emit(ctx context.Context, log *slog.Logger, now time.Time, figures ...figure) {
	type metric struct{ Name, Unit string }
	type directive struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []metric
	}
	metrics := make([]metric, len(figures))
	attributes := make([]slog.Attr, 0, len(figures)+1)
	for i, f := range figures {
		metrics[i] = metric{f.name, f.unit}
		attributes = append(attributes, slog.Float64(f.name, f.value))
	}
	attributes = append(attributes, slog.Any("_aws", struct {
		Timestamp         int64 // in milliseconds
		CloudWatchMetrics []directive
	}{now.UnixMilli(), []directive{{namespace, [][]string{{}}, metrics}}}))
	log.LogAttrs(ctx, slog.LevelInfo, "figures", attributes...)
}
