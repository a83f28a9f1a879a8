// Command approval is the Lambda function behind the URL where people answer. The URL must have the auth type AWS_IAM: then AWS verifies
// the signature, and says in requestContext.authorizer.iam.userArn whose it is, the ARN of a user or of a session of a role. That alone
// says who answers; without it nobody does. Whoever may invoke the function past the URL writes that member, too: lambda:InvokeFunction is
// to be given with the condition lambda:InvokedViaFunctionUrl.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
package main

import (
	"context"
	"encoding/base64"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/desk"
)

func main() {
	f := function{deployed.Start(context.Background(), deployed.Environment.Desk, desk.New)}
	lambda.Start(f.handle)
}

type function struct{ desk *desk.Desk }

func (f function) handle(ctx context.Context, event events.LambdaFunctionURLRequest) (events.LambdaFunctionURLResponse, error) {
	r := desk.Request{
		Method: event.RequestContext.HTTP.Method, Path: event.RawPath, ContentType: event.Headers["content-type"], Body: []byte(event.Body),
	}
	if a := event.RequestContext.Authorizer; a != nil && a.IAM != nil {
		r.Caller = a.IAM.UserARN
	}
	if event.IsBase64Encoded {
		// What is not base64 is not JSON either.
		r.Body, _ = base64.StdEncoding.DecodeString(event.Body)
	}
	got := f.desk.Handle(ctx, r)
	return events.LambdaFunctionURLResponse{StatusCode: got.Status, Body: string(got.Body), Headers: map[string]string{
		"content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff",
	}}, nil
}
