// Command empty is a Lambda function that does nothing: what a start costs before any code of ours.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
}
