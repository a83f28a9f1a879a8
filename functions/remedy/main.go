// Command remedy is the Lambda function behind the worker's queue. Each message names an incident, which it takes as far as it goes:
// diagnosed, planned, written where the guard and the settings let it, and replayed. Where there is to be waited, it sends
// itself the message again with a delay. What people are told is a line of its log.
//
// Messages of incidents that somebody else has, and of those that something went wrong with, are returned as batch item failures: the
// event source mapping must have ReportBatchItemFailures on. The timeout has to be longer than what the writes of a plan need,
// and the visibility timeout of the queue longer than that.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/batch"
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/worker"
)

func main() {
	f := deployed.Start(context.Background(), deployed.Environment.Worker, worker.New)
	lambda.Start(batch.Handler(batch.Delivery, f.Handle))
}
