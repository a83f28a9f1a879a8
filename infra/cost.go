package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A price is what one resource costs in a month in which nothing happens, in US dollars in us-east-1, without what AWS gives for free.
type price struct {
	dollars float64
	why     string // what it is for; "" where it costs nothing
}

// pollsPerMonth is how often Lambda asks an empty queue: five at a time, each for 20 seconds.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
const pollsPerMonth = 5 * 3 * 60 * 24 * 30

// sweepSeconds is what a sweep that finds nothing runs, generously.
const sweepSeconds = 5

// prices has every type of resource that a template may have: one that is not here has nobody thought about. Looked up on 2026-11-28.
// AWS's own text says the price of a key, HMAC keys included, and what is free of CloudWatch; the
// other prices stand on AWS's pages in tables that scripts fill in, so that they were read elsewhere, and notVerified says so.
//
// https://aws.amazon.com/kms/pricing/ US$ 1 a key
// https://aws.amazon.com/cloudwatch/pricing/ three dashboards and ten alarm metrics are free; https://c3x.dev/resources/aws/aws_cloudwatch_metric_alarm
// US$ 0.10 an alarm metric; that of the dashboard was found nowhere
// https://aws.amazon.com/sqs/pricing/ https://cloudburn.io/blog/amazon-sqs-pricing US$ 0.40 a million requests
// https://aws.amazon.com/lambda/pricing/ the duration and the requests of Arm: on a third party's page only
// https://aws.amazon.com/eventbridge/pricing/ https://cloudburn.io/blog/amazon-eventbridge-pricing US$ 1.00 a million invocations of Scheduler
var prices = map[string]price{
	"AWS::CloudWatch::Alarm":     {0.10, "each metric that an alarm watches"},
	"AWS::CloudWatch::Dashboard": {3.00, "the dashboard; an account has three for free"},
	"AWS::KMS::Key":              {1.00, "the key that seals approvals, only where somebody may approve"},
	"AWS::Lambda::EventSourceMapping": {
		pollsPerMonth * 0.40 / 1e6, "Lambda asking an empty queue; an account has a million requests for free",
	},
	"AWS::Scheduler::Schedule": {
		30 * 24 * 4 * (sweepSeconds*0.5*0.0000133334 + 0.20/1e6 + 1.00/1e6), "sweeps, four an hour, of 5 seconds each",
	},

	// What costs by the request, the event or the gigabyte.
	"AWS::DynamoDB::Table":        {},
	"AWS::Events::EventBus":       {},
	"AWS::Events::EventBusPolicy": {},
	"AWS::Events::Rule":           {},
	"AWS::IAM::ManagedPolicy":     {},
	"AWS::IAM::Role":              {},
	"AWS::KMS::Alias":             {},
	"AWS::Lambda::Function":       {},
	"AWS::Lambda::Permission":     {},
	"AWS::Lambda::Url":            {},
	"AWS::Logs::LogGroup":         {},
	"AWS::S3::Bucket":             {},
	"AWS::S3::BucketPolicy":       {},
	"AWS::SNS::Subscription":      {},
	"AWS::SNS::Topic":             {},
	"AWS::SNS::TopicPolicy":       {},
	"AWS::SQS::Queue":             {},
	"AWS::SQS::QueuePolicy":       {},
	"AWS::SSM::Parameter":         {},
}

// notVerified is said below the table.
const notVerified = `
US dollars in us-east-1, looked up on 2026-11-28. The price of the key is AWS's own text. Those of alarms, requests to queues, Lambda and
Scheduler are the word of third parties, and that of the dashboard is from memory: they are not verified. Not in the table, because no
template has them, are the six metrics that every sweep writes: CloudWatch charges each as a custom metric, of which ten are free.
`

// printCosts prints what the templates in a folder cost in a month in which nothing happens, as a table of Markdown.
func printCosts(w io.Writer, folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.template.json"))
	if err != nil {
		return err
	}
	count, free := map[string]int{}, 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var t struct {
			Resources map[string]struct {
				Type       string
				Properties struct {
					Metrics []struct{ MetricStat json.RawMessage }
				}
			}
		}
		if err := json.Unmarshal(data, &t); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		for id, r := range t.Resources {
			p, ok := prices[r.Type]
			if !ok {
				return fmt.Errorf("%s: nobody knows what %s costs, a %s", filepath.Base(file), id, r.Type)
			}
			if p.dollars == 0 {
				free++
				continue
			}
			watched := 0
			for _, m := range r.Properties.Metrics {
				if m.MetricStat != nil {
					watched++
				}
			}
			count[r.Type] += max(watched, 1)
		}
	}
	fmt.Fprintln(w, "| a month in which nothing happens, before what AWS gives for free | number | US$ each | US$ |")
	fmt.Fprintln(w, "|---|---:|---:|---:|")
	total := 0.0
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		p, n := prices[kind], count[kind]
		total += float64(n) * p.dollars
		fmt.Fprintf(w, "| %s: %s | %d | %.2f | %.2f |\n", strings.TrimPrefix(kind, "AWS::"), p.why, n, p.dollars, float64(n)*p.dollars)
	}
	fmt.Fprintf(w, "| everything else, paid by the request, the event or the gigabyte | %d | 0.00 | 0.00 |\n", free)
	_, err = fmt.Fprintf(w, "| **together** | | | **%.2f** |\n%s", total, notVerified)
	return err
}
