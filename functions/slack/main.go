// Command slack is the Lambda function behind the URL that Slack sends to what people press. The URL has the auth type NONE: Slack signs with
// a secret of its own, and nothing is read before that is verified. Whoever may invoke the function past the URL can do no more than Slack
// without it.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/functionurl"
	"github.com/replimend/replimend/internal/slackapp"
)

func main() {
	app := deployed.Start(context.Background(), deployed.Environment.Buttons, slackapp.New)
	lambda.Start(functionurl.Handler(app.At))
}
