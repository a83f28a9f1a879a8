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
	"strconv"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/deployed"
)

func main() {
	f := function{deployed.Start(context.Background(), deployed.Environment.Worker, deployed.NewWorker)}
	lambda.Start(f.handle)
}

type function struct{ worker *deployed.Worker }

func (f function) handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	messages := make([]deployed.Delivery, len(event.Records))
	for i, r := range event.Records {
		received, _ := strconv.Atoi(r.Attributes["ApproximateReceiveCount"])
		messages[i] = deployed.Delivery{ID: r.MessageId, Body: r.Body, Received: received}
	}
	var response events.SQSEventResponse
	for _, id := range f.worker.Handle(ctx, messages) {
		response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
	}
	return response, nil
}
