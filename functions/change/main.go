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

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/intake"
)

func main() {
	f := function{deployed.Start(context.Background(), deployed.Environment.Change, deployed.NewChange)}
	lambda.Start(f.handle)
}

type function struct{ change *deployed.Change }

func (f function) handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	messages := make([]intake.Message, len(event.Records))
	for i, r := range event.Records {
		messages[i] = intake.Message{MessageID: r.MessageId, Body: r.Body}
	}
	var response events.SQSEventResponse
	for _, id := range f.change.Handle(ctx, messages) {
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	return response, nil
}
