// Command slack is the Lambda function behind the URL that Slack sends to what people press. The URL must have the auth type NONE, because
// Slack signs nothing that AWS knows: who they are follows from Slack's own signature, and what the event says of a caller is not looked at.
// Whoever may invoke the function past the URL can do no more than somebody who calls it.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
package main

import (
	"context"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/buttons"
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/functionurl"
)

func main() {
	b := deployed.Start(context.Background(), deployed.Environment.Buttons, buttons.New)
	lambda.Start(functionurl.Handler(func(string) http.Handler { return b }))
}
