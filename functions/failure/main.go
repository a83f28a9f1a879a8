// Command failure is the Lambda function behind the queue of S3's replication events. Today it reads each batch of messages,
// folds it, and writes one line of log for each rule concerned, each message that it ignored and each that it refused. It
// hands nothing over yet: no incident is opened, nothing is repaired, and of a message that was read only the log remains.
//
// Malformed messages are returned as batch item failures, so that the queue keeps them and its redrive policy moves them to
// the dead-letter queue. The event source mapping must have ReportBatchItemFailures on, or Lambda deletes them with the rest.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/intake"
)

func main() {
	f := function{slog.New(slog.NewJSONHandler(os.Stdout, nil))}
	lambda.Start(f.handle)
}

type function struct{ log *slog.Logger }

func (f function) handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	messages := make([]intake.Message, len(event.Records))
	for i, r := range event.Records {
		messages[i] = intake.Message{MessageID: r.MessageId, Body: r.Body}
	}
	batch := intake.Read(messages)
	for _, group := range batch.Groups {
		f.log.InfoContext(ctx, "replication events", "group", group)
	}
	for _, note := range batch.Ignored {
		f.log.InfoContext(ctx, "ignored message", "message_id", note.MessageID, "reason", note.Reason)
	}
	for _, note := range batch.Failures {
		f.log.ErrorContext(ctx, "malformed message", "message_id", note.MessageID, "reason", note.Reason)
	}
	var response events.SQSEventResponse
	for _, id := range batch.FailedIDs() {
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	return response, nil
}
