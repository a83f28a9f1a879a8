// Package awsconfig is how every program reaches AWS: how often it tries, how long it waits, and what a function knows from Lambda. It is
// apart from the clients, of which each function links those that it uses and no other.
package awsconfig

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"
)

// maxAttempts is how often a call is made at most, and longestWait for how long is waited at most before another attempt. The SDK
// waits for a random time that doubles from attempt to attempt; its own limit of 20 s is too much for somebody at a terminal, and for
// a function.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
const (
	maxAttempts = 6
	longestWait = 5 * time.Second
)

// DefaultRegion is where S3, IAM and STS answer for every other Region of the partition.
const DefaultRegion = "us-east-1"

// Environment is the configuration of a function from the variables that Lambda sets, and AWS_ENDPOINT_URL. Package config of the SDK
// would find the same, and link the clients of every way to sign in that a person has: they are a tenth of a cold start. A program
// for people uses it, with HTTPClient and Retryer.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
func Environment(get func(variable string) string) (aws.Config, error) {
	id, secret := get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")
	if id == "" || secret == "" {
		return aws.Config{}, errors.New("load AWS configuration: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, as Lambda sets them")
	}
	cfg := aws.Config{
		Region: cmp.Or(get("AWS_REGION"), DefaultRegion), Credentials: credentials.NewStaticCredentialsProvider(id, secret, get("AWS_SESSION_TOKEN")),
		HTTPClient: HTTPClient(), Retryer: Retryer, Logger: logging.Nop{},
		// The defaults of package config.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		AccountIDEndpointMode: aws.AccountIDEndpointModePreferred,
	}
	if endpoint := get("AWS_ENDPOINT_URL"); endpoint != "" {
		cfg.BaseEndpoint = &endpoint
	}
	return cfg, nil
}

// Retryer makes a call six times at most.
func Retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = maxAttempts, longestWait })
}

// patience is how long one attempt of a call may take. Whoever undoes what it wrote does so without a deadline of its own.
const patience = time.Minute

// maxIdle is as many connections as a reader of accounts uses at a time.
const maxIdle = 64

// HTTPClient is the SDK's own client, which knows AWS_CA_BUNDLE. Names under localhost are this machine, whatever a resolver
// says of them: S3 Control puts the account before the host, also before that of an emulator.
// https://www.rfc-editor.org/rfc/rfc6761#section-6.3
func HTTPClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTimeout(patience).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = maxIdle // the default of 10 would close and open connections all the time
		dial := t.DialContext
		if dial == nil {
			dial = (&net.Dialer{Timeout: 30 * time.Second}).DialContext
		}
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
				address = net.JoinHostPort("localhost", port)
			}
			return dial(ctx, network, address)
		}
	})
}
