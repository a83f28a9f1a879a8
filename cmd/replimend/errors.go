package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// adviceError is an error with what to do about it.
type adviceError struct {
	err  error
	hint string
}

func (h *adviceError) Error() string { return h.err.Error() }

func (h *adviceError) Unwrap() error { return h.err }

// hinted adds what to do about an error. What was said nearer to its cause knows more, and stays.
func hinted(err error, hint string) error {
	var said *adviceError
	if errors.As(err, &said) {
		hint = said.hint
	}
	return &adviceError{err, hint}
}

// errInterrupted is that somebody wants the run to end, where there is nothing else to say of it.
var errInterrupted = errors.New("interrupted")

// plain is the text of an error. What the SDK says of a call, with its attempts and host ids, is cut down to what AWS said, and to the
// id of the request, which AWS Support asks for.
func plain(err error) string {
	text := err.Error()
	var call *smithy.OperationError
	if !errors.As(err, &call) {
		return text
	}
	said := answer(call)
	var response *awshttp.ResponseError
	if errors.As(call, &response) && response.RequestID != "" {
		said += " (request " + response.RequestID + ")"
	}
	return strings.Replace(text, call.Error(), call.Service()+" "+call.Operation()+": "+said, 1)
}

// reason is what AWS itself said in an error; false: it said nothing.
func reason(err error) (smithy.APIError, bool) {
	var api smithy.APIError
	ok := errors.As(err, &api) && api.ErrorCode() != unnamed
	return api, ok
}

// unnamed is the SDK's code for an answer that has none, such as that of a proxy on the way.
// https://pkg.go.dev/github.com/aws/smithy-go#GenericAPIError
const unnamed = "UnknownError"

// answer is what AWS said to a call, or why it said nothing.
func answer(call *smithy.OperationError) string {
	var response *smithyhttp.ResponseError
	var sent *smithyhttp.RequestSendError
	var address *url.Error
	if api, ok := reason(call); ok {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	switch {
	case errors.Is(call, context.Canceled):
		return errInterrupted.Error()
	case errors.Is(call, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(call, &response) && response.HTTPStatusCode() > 0:
		return fmt.Sprintf("an answer with HTTP status %d and no reason", response.HTTPStatusCode())
	case errors.As(call, &sent) && errors.As(sent.Err, &address):
		return "no answer: " + address.Err.Error()
	}
	return "no answer: " + call.Err.Error()
}
