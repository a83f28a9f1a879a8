package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/jsii-runtime-go"

	"github.com/replimend/replimend/internal/grants"
)

// The figures of the functions that somebody has to look at, in their namespace: routes that were not mended because a rule spoke
// against it, and routes that nobody would hear of if they failed.
const (
	namespace  = "Replimend"
	refusals   = "Refusals"
	blindRoute = "BlindRoutes"
)

// How late a message may be. Work waits for up to 15 minutes on purpose, and a message that failed comes again after its queue's
// visibility timeout: twice of it means that it failed twice.
const latest = 15 * time.Minute

// alarm is one alarm: something counted more than it may.
type alarm struct {
	name, description string
	metrics           []metric // whose sum is compared
	above             float64
	period            time.Duration
}

type metric struct {
	namespace, name, statistic string
	dimension, value           string // none where dimension is ""
}

func (h *hub) alarms() []alarm {
	var out []alarm
	queue := func(q grants.Queue, name, statistic string) []metric {
		return []metric{{"AWS/SQS", name, statistic, "QueueName", string(q)}}
	}
	for _, s := range h.shapes() {
		f := string(s.function)
		out = append(out, alarm{
			name: f + "-fails", description: "The function " + f + " failed or was throttled. Its log has why.",
			metrics: []metric{{"AWS/Lambda", "Errors", "Sum", "FunctionName", f}, {"AWS/Lambda", "Throttles", "Sum", "FunctionName", f}},
			period:  5 * time.Minute,
		})
		if s.queue == "" {
			continue
		}
		out = append(out, alarm{
			name:        string(s.queue.Dead()),
			description: fmt.Sprintf("Messages came %d times and were not dealt with. The log of %s has why; then redrive them.", receives, f),
			metrics:     queue(s.queue.Dead(), "ApproximateNumberOfMessagesVisible", "Maximum"), period: 5 * time.Minute,
		}, alarm{
			name: string(s.queue) + "-late", description: "Messages wait longer than they should. Is " + f + " throttled, or failing?",
			metrics: queue(s.queue, "ApproximateAgeOfOldestMessage", "Maximum"), period: 5 * time.Minute,
			above: max(latest, 2*s.visibility()).Seconds(),
		})
	}
	return append(
		out,
		alarm{
			name: "replimend-refusals", description: "A route is broken and was not mended, because a rule speaks against it. The notice says which.",
			metrics: []metric{{namespace, refusals, "Sum", "", ""}}, period: 15 * time.Minute,
		},
		alarm{
			name: "replimend-blind-routes", description: "Nobody would hear of it if these routes failed: see replimend enroll.",
			metrics: []metric{{namespace, blindRoute, "Maximum", "", ""}}, period: 15 * time.Minute,
		},
	)
}

// newAlarms makes the alarms. What is not reported is not wrong: queues and functions that nobody uses report nothing.
func (h *hub) newAlarms() {
	for _, a := range h.alarms() {
		props := &awscloudwatch.CfnAlarmProps{
			AlarmName: jsii.String(a.name), AlarmDescription: jsii.String(a.description),
			ComparisonOperator: jsii.String("GreaterThanThreshold"), Threshold: jsii.Number(a.above), EvaluationPeriods: jsii.Number(1),
			TreatMissingData: jsii.String("notBreaching"),
		}
		if topic := h.set.Hub.AlarmTopic; !topic.IsZero() {
			props.AlarmActions = &[]any{topic.String()}
			props.OkActions = &[]any{topic.String()}
		}
		if len(a.metrics) == 1 {
			m := a.metrics[0]
			props.Namespace, props.MetricName = jsii.String(m.namespace), jsii.String(m.name)
			props.Statistic, props.Period = jsii.String(m.statistic), jsii.Number(a.period.Seconds())
			if d := m.dimensions(); len(d) > 0 {
				props.Dimensions = d
			}
		} else {
			props.Metrics = a.sum()
		}
		awscloudwatch.NewCfnAlarm(h.stack, jsii.String(logical(a.name, "Alarm")), props)
	}
}

func (m metric) dimensions() []any {
	if m.dimension == "" {
		return nil
	}
	return []any{&awscloudwatch.CfnAlarm_DimensionProperty{Name: jsii.String(m.dimension), Value: jsii.String(m.value)}}
}

// sum is the metrics of an alarm and what they come to. A metric without a value counts as none.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
func (a alarm) sum() []any {
	expression := ""
	var out []any
	for i, m := range a.metrics {
		id := fmt.Sprintf("m%d", i+1)
		if i > 0 {
			expression += " + "
		}
		expression += fmt.Sprintf("FILL(%s, 0)", id)
		out = append(out, &awscloudwatch.CfnAlarm_MetricDataQueryProperty{
			Id: jsii.String(id), ReturnData: false,
			MetricStat: &awscloudwatch.CfnAlarm_MetricStatProperty{
				Stat: jsii.String(m.statistic), Period: jsii.Number(a.period.Seconds()),
				Metric: &awscloudwatch.CfnAlarm_MetricProperty{
					Namespace: jsii.String(m.namespace), MetricName: jsii.String(m.name), Dimensions: m.dimensions(),
				},
			},
		})
	}
	return append(out, &awscloudwatch.CfnAlarm_MetricDataQueryProperty{
		Id: jsii.String("sum"), Expression: jsii.String(expression), Label: jsii.String(a.name), ReturnData: true,
	})
}

// newDashboard makes the dashboard: is replication healthy, and what did we change?
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
func (h *hub) newDashboard() error {
	type widget struct {
		Type       string         `json:"type"`
		X          int            `json:"x"`
		Y          int            `json:"y"`
		Width      int            `json:"width"`
		Height     int            `json:"height"`
		Properties map[string]any `json:"properties"`
	}
	region := h.names.Region
	query := func(y int, title, text string) widget {
		return widget{"log", 0, y, 24, 7, map[string]any{
			"title": title, "region": region, "view": "table",
			"query": fmt.Sprintf("SOURCE '%s' | %s", grants.LogGroup(grants.Remedy), text),
		}}
	}
	graph := func(x int, title, statistic string, metrics [][]string) widget {
		return widget{"metric", x, 14, 12, 6, map[string]any{
			"title": title, "region": region, "stat": statistic, "period": 300, "metrics": metrics,
		}}
	}
	var alarms []string
	for _, a := range h.alarms() {
		alarms = append(alarms, "arn:"+h.names.Partition+":cloudwatch:"+region+":"+h.names.Account+":alarm:"+a.name)
	}
	var waiting [][]string
	for _, s := range h.shapes() {
		if s.queue != "" {
			waiting = append(waiting, []string{"AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", string(s.queue)})
		}
	}
	body, err := json.Marshal(map[string]any{"widgets": []widget{
		query(0, "Is replication healthy? Each route that was looked at, and what came of it",
			`filter msg = "looked at" | stats latest(outcome) as outcome, latest(@timestamp) as at by route, incident | sort at desc | limit 100`),
		query(7, "What did we change? What people were told, the latest first",
			`filter msg = "notice" | fields @timestamp, notice.Incident, notice.Outcome, notice.Title | sort @timestamp desc | limit 100`),
		graph(0, "What somebody has to look at", "Maximum", [][]string{{namespace, refusals}, {namespace, blindRoute}}),
		graph(12, "Seconds that the oldest message waits", "Maximum", waiting),
		{"alarm", 0, 20, 24, 6, map[string]any{"title": "Alarms", "alarms": alarms}},
	}})
	if err != nil {
		return err
	}
	awscloudwatch.NewCfnDashboard(h.stack, jsii.String("Dashboard"), &awscloudwatch.CfnDashboardProps{
		DashboardName: jsii.String(dashboard), DashboardBody: jsii.String(string(body)),
	})
	return nil
}
