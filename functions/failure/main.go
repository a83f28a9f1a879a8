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

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/intake"
)

func main() {
	f := function{deployed.Start(context.Background(), deployed.Environment.Intake, deployed.NewIntake)}
	lambda.Start(f.handle)
}

type function struct{ intake *deployed.Intake }

func (f function) handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	messages := make([]intake.Message, len(event.Records))
	for i, r := range event.Records {
		messages[i] = intake.Message{MessageID: r.MessageId, Body: r.Body}
	}
	var response events.SQSEventResponse
	for _, id := range f.intake.Handle(ctx, messages) {
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	return response, nil
}
