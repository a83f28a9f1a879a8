// Command failure is the Lambda function behind the queue of S3's replication events. It folds each batch, opens or joins an incident
// for each route concerned, and sends the worker one message for each. It reads nothing but the events and repairs nothing.
//
// Malformed messages are returned as batch item failures, so that the queue keeps them and its redrive policy moves them to
// the dead-letter queue; so are those that could not be recorded. The event source mapping must have ReportBatchItemFailures on, or
// Lambda deletes them with the rest.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/batch"
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/receiver"
)

func main() {
	f := deployed.Start(context.Background(), deployed.Environment.Intake, receiver.New)
	lambda.Start(batch.Handler(batch.Message, f.Handle))
}
