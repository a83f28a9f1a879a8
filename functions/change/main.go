// Command change is the Lambda function behind the queue of what CloudTrail records, which rules of EventBridge fill. It tells who
// changed what, and has the worker look at the approved routes that a change or a denied call concerns, and at the rules of buckets
// whose replication was changed. It reads nothing but the records and repairs nothing.
//
// Malformed messages, and those of which something could not be handed over, are returned as batch item failures: the event source
// mapping must have ReportBatchItemFailures on.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/batch"
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/watcher"
)

func main() {
	f := deployed.Start(context.Background(), deployed.Environment.Change, watcher.New)
	lambda.Start(batch.Handler(batch.Message, f.Handle))
}
