package signal_test

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/signal"
)

// sample is a signal with every field set.
var sample = signal.Signal{
	Kind: signal.Failed, Region: "eu-west-1", Bucket: "source-bucket", Owner: "111122223333", Rule: "all",
	Destination: "arn:aws:s3:::destination-bucket", Key: "image 1.png", VersionID: "v1", Size: 1, Operation: "OBJECT_PUT",
	Reason: "AssumeRoleNotPermitted", EventTime: time.Date(2024, 9, 5, 21, 4, 32, 527e6, time.UTC),
	RequestTime: time.Date(2024, 9, 5, 21, 3, 59, 168e6, time.UTC),
}

// official prints signals as S3's documentation does its sample, member by member.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
func official(signals ...signal.Signal) string {
	records := make([]string, len(signals))
	for i, s := range signals {
		tail := ""
		if !s.RequestTime.IsZero() {
			tail += `,"requestTime":` + quoted(s.RequestTime.Format(time.RFC3339Nano))
		}
		if s.Reason != "" {
			tail += `,"failureReason":` + quoted(s.Reason)
		}
		records[i] = fmt.Sprintf(`{"eventVersion":"2.2","eventSource":"aws:s3","awsRegion":%s,"eventTime":%s,`+
			`"eventName":"Replication:%s","userIdentity":{"principalId":"s3.amazonaws.com"},`+
			`"requestParameters":{"sourceIPAddress":"s3.amazonaws.com"},"responseElements":{"x-amz-request-id":"123bf045",`+
			`"x-amz-id-2":"12VAWNDI"},"s3":{"s3SchemaVersion":"1.0","configurationId":"ReplicationEventName",`+
			`"bucket":{"name":%s,"ownerIdentity":{"principalId":%s},"arn":%s},`+
			`"object":{"key":%s,"size":%d,"eTag":"e12345ca","versionId":%s,"sequencer":"0066DA1CBF104C0D51"}},`+
			`"replicationEventData":{"replicationRuleId":%s,"destinationBucket":%s,"s3Operation":%s%s}}`,
			quoted(s.Region), quoted(s.EventTime.Format(time.RFC3339Nano)), s.Kind, quoted(s.Bucket), quoted(s.Owner), quoted("arn:aws:s3:::"+s.Bucket),
			quoted(url.QueryEscape(s.Key)), s.Size, quoted(s.VersionID), quoted(s.Rule), quoted(s.Destination),
			quoted(s.Operation), tail)
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

// inSNS puts a text into the envelope of SNS.
// https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html
func inSNS(message string) string {
	return `{"Type":"Notification","MessageId":"22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",` +
		`"TopicArn":"arn:aws:sns:eu-west-1:111122223333:replication","Subject":"Amazon S3 Notification","Message":` +
		quoted(message) + `,"Timestamp":"2024-09-05T21:04:33.100Z","SignatureVersion":"1","Signature":"EXAMPLE"}`
}

// inSQS puts texts into an event of Lambda as message bodies.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
func inSQS(bodies ...string) string {
	records := make([]string, len(bodies))
	for i, body := range bodies {
		records[i] = fmt.Sprintf(`{"messageId":"059f36b4-%d","receiptHandle":"AQEB","body":%s,"attributes":{},`+
			`"messageAttributes":{},"md5OfBody":"e4e6","eventSource":"aws:sqs",`+
			`"eventSourceARN":"arn:aws:sqs:eu-west-1:111122223333:failures","awsRegion":"eu-west-1"}`, i, quoted(body))
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

func quoted(s string) string {
	text, _ := jsontree.Str(s).MarshalJSON() // never fails
	return string(text)
}
