// Command sweep is the Lambda function that looks at what no event tells of. A schedule has it send itself one message for each account
// and Region of the members, hand lost work to the worker, and tell of suppressions that have ended; each message has it look at every
// route of the buckets there. It repairs nothing. What begins a sweep is said by sweeper.Scheduled.
//
// Malformed messages are returned as batch item failures, and so are those that something went wrong with: the event source mapping
// must have ReportBatchItemFailures on, and a batch size of 1, so that each message has all the time that there is. The visibility
// timeout of its queue has to be longer than the timeout of the function.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/batch"
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/sweeper"
)

func main() {
	f := function{deployed.Start(context.Background(), deployed.Environment.Sweeper, sweeper.New)}
	lambda.Start(f.handle)
}

type function struct{ sweeper *sweeper.Sweeper }

func (f function) handle(ctx context.Context, event json.RawMessage) (response events.SQSEventResponse, err error) {
	scheduled, err := sweeper.Scheduled(event)
	if err != nil {
		return response, err
	}
	if scheduled {
		return response, f.sweeper.Begin(ctx)
	}
	var messages events.SQSEvent
	if err := json.Unmarshal(event, &messages); err != nil {
		return response, fmt.Errorf("read event: %w", err)
	}
	return batch.Handler(batch.Delivery, f.sweeper.Handle)(ctx, messages)
}
