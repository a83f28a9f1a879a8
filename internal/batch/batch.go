// Package batch is the event with which Lambda hands over messages of a queue, and its answer: which of them have to come again.
//
// The functions behind queues use it. It knows Lambda's types and what messages are called inside, and nothing of what they say.
package batch

import (
	"context"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/intake"
)

// Handler hands the messages of an event over, and returns as batch item failures those whose IDs come back. The event source mapping
// must have ReportBatchItemFailures on, or Lambda deletes them with the rest.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func Handler[M any](
	as func(events.SQSMessage) M, handle func(ctx context.Context, messages []M) (again []string),
) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	return func(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		messages := make([]M, len(event.Records))
		for i, r := range event.Records {
			messages[i] = as(r)
		}
		var response events.SQSEventResponse
		for _, id := range handle(ctx, messages) {
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: id})
		}
		return response, nil
	}
}

// Message is a message that something is taken in from.
func Message(m events.SQSMessage) intake.Message {
	return intake.Message{MessageID: m.MessageId, Body: m.Body}
}

// Delivery is a message that there is work in.
func Delivery(m events.SQSMessage) deployed.Delivery {
	received, _ := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	return deployed.Delivery{ID: m.MessageId, Body: m.Body, Received: received}
}
