// Command page is the Lambda function behind the URL of the page of incidents. The URL has the auth type NONE: browsers sign nothing. Who
// somebody is, is known by the link that they have, or because they signed in at the provider of the settings; what the event says of a
// caller is not looked at. Whoever may invoke the function past the URL can do no more than a browser.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/functionurl"
	"github.com/replimend/replimend/internal/site"
)

func main() {
	s := deployed.Start(context.Background(), deployed.Environment.Site, site.New)
	lambda.Start(functionurl.Handler(s.At))
}
