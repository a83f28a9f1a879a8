// Command notify is the Lambda function that tells people. Each message of its queue is what there is to tell, which it says to each target
// of the settings in the target's language and form, and puts on the event bus. What is not to be said yet it sends itself again with a
// delay.
//
// Messages that could not be told to somebody are returned as batch item failures, and nobody who was told hears them again: the event
// source mapping must have ReportBatchItemFailures on. The visibility timeout of the queue has to be longer than the timeout.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/batch"
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/herald"
)

func main() {
	f := deployed.Start(context.Background(), deployed.Environment.Herald, herald.New)
	lambda.Start(batch.Handler(batch.Delivery, f.Handle))
}
