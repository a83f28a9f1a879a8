package signal

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

func isS3Event(n jsontree.Node) bool { return n.Get("Records").Present() }

// readS3Event reads S3's event. What is used is checked, the rest is left alone: S3 adds members with every minor version.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
func readS3Event(root element) (contents, error) {
	records, err := root.records()
	if err != nil {
		return contents{}, err
	}
	if len(records) == 0 {
		return contents{ignored: []string{"Records is empty"}}, nil
	}
	var c contents
	for _, record := range records {
		s, why, err := readRecord(record)
		switch {
		case err != nil:
			return contents{}, err
		case why != "":
			c.ignored = append(c.ignored, why)
		default:
			c.signals = append(c.signals, s)
		}
	}
	return c, nil
}

// readRecord reads one record, or says why it is of no concern. Source and name decide that before anything else is looked at:
// what is not ours need not have the shape of ours.
func readRecord(e element) (s Signal, ignored string, err error) {
	var f fields
	source, name := e.get("eventSource"), e.get("eventName")
	if from := f.text(source, anything); f.err == nil && from != "aws:s3" {
		return Signal{}, source.path + ": " + quote(from), nil
	}
	kind, known := ParseKind(f.text(name, anything))
	if f.err == nil && !known {
		return Signal{}, name.path + ": " + quote(name.node.Text), nil
	}

	f.text(e.get("eventVersion"), schemaVersion)
	bucket, object, data := e.get("s3").get("bucket"), e.get("s3").get("object"), e.get("replicationEventData")
	s = Signal{Kind: kind, Region: f.text(e.get("awsRegion"), region)}
	s.EventTime = instant(f.text(e.get("eventTime"), timestamp))
	s.Bucket = f.text(bucket.get("name"), bucketName(s.Region == legacyRegion))
	s.Owner = f.optional(bucket.get("ownerIdentity").get("principalId"), identifier)
	s.Key, _ = url.QueryUnescape(f.text(object.get("key"), encodedKey))
	s.VersionID = f.optional(object.get("versionId"), versionID)
	s.Size = f.count(object.get("size"))
	s.Rule = f.text(data.get("replicationRuleId"), ruleID)
	s.Destination = f.text(data.get("destinationBucket"), bucketARN)
	s.Operation = f.optional(data.get("s3Operation"), identifier)
	s.RequestTime = instant(f.optional(data.get("requestTime"), timestamp))
	if kind == Failed {
		s.Reason = currentReason(f.optional(data.get("failureReason"), reason))
	}
	if f.err != nil {
		return Signal{}, "", f.err
	}
	return s, "", nil
}

func anything(string) string { return "" }

// schemaVersion compares the major version alone: minor versions add members, and the documentation's samples of replication
// events still say 2.2 where others have passed 2.6.
func schemaVersion(s string) string {
	if major, _, _ := strings.Cut(s, "."); major != "2" {
		return fmt.Sprintf("want version 2 of S3's events, found %s", quote(s))
	}
	return ""
}

func region(s string) string {
	if len(s) > 32 || !all(s, "-", lower, digit) {
		return fmt.Sprintf("%s is not a region", quote(s))
	}
	return ""
}

// instant is the time of a text that passed timestamp, or zero.
func instant(s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	// Parsing in UTC keeps the time zone of the machine out of the result.
	t, _ := time.ParseInLocation(time.RFC3339, s, time.UTC)
	return t.UTC()
}

// timestamp wants a time that prints back, which RFC 3339 can do up to the year 9999. The lower bound, before there was S3,
// keeps the zero time for "not said".
func timestamp(s string) string {
	if _, err := time.ParseInLocation(time.RFC3339, s, time.UTC); err != nil {
		return fmt.Sprintf("%s is not a time as in RFC 3339", quote(s))
	}
	if year := instant(s).Year(); year < 1970 || year > 9999 {
		return fmt.Sprintf("the year of %s is out of range", quote(s))
	}
	return ""
}

// legacyRegion is where buckets from before March 2018 may have names by an older rule.
const legacyRegion = "us-east-1"

// bucketName checks a name by the form that S3 gives to names. Reserved prefixes and suffixes concern those who create
// buckets; the names in S3's own samples have one.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func bucketName(legacy bool) check {
	return func(s string) string {
		ok := len(s) <= 63 && all(s, ".-", lower, digit) && !strings.Contains(s, "..") && all(s[len(s)-1:], "", lower, digit)
		if legacy && !ok {
			ok = len(s) <= 255 && all(s, "._-", lower, upper, digit)
		}
		_, notIP := netip.ParseAddr(s)
		if !ok || len(s) < 3 || !all(s[:1], "", lower, upper, digit) || notIP == nil {
			return fmt.Sprintf("%s is not the name of a bucket", quote(s))
		}
		return ""
	}
}

// bucketARN wants the ARN of a bucket of S3. Its region is not known, so that a name by the older rule may stand in it.
func bucketARN(s string) string {
	arn, err := policy.ParseARN(s)
	partition := arn.Partition == "aws" || strings.HasPrefix(arn.Partition, "aws-") && all(arn.Partition, "-", lower)
	if err != nil || !partition || arn.Service != "s3" || arn.Region != "" || arn.Account != "" ||
		bucketName(true)(arn.Resource) != "" {
		return fmt.Sprintf("%s is not the ARN of a bucket", quote(s))
	}
	return ""
}

// encodedKey says what is wrong with a key without saying the key. It is encoded as in HTML forms: a space is a plus.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
func encodedKey(s string) string {
	const most = 1024
	key, err := url.QueryUnescape(s)
	switch {
	case err != nil:
		return "invalid URL encoding"
	case !utf8.ValidString(key):
		return "invalid UTF-8 when decoded"
	case len(key) > most:
		return fmt.Sprintf("%d bytes when decoded, the limit is %d", len(key), most)
	}
	return ""
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
func versionID(s string) string {
	const most = 1024
	if len(s) > most {
		return fmt.Sprintf("%d bytes, the limit is %d", len(s), most)
	}
	return ""
}

// ruleID counts characters, as S3 does.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html
func ruleID(s string) string {
	const most = 255
	if n := utf8.RuneCountInString(s); n > most {
		return fmt.Sprintf("%d characters, the limit is %d", n, most)
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Sprintf("%s holds control characters", quote(s))
	}
	return ""
}

// reason checks the form alone. The list of reasons has grown with every edition of the page.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
func reason(s string) string {
	if len(s) > 128 || !all(s, "", lower, upper, digit) {
		return fmt.Sprintf("%s is not the name of a reason", quote(s))
	}
	return ""
}

// currentReason is the reason as the page spells it now. Older editions have one more Part in this one.
func currentReason(s string) string {
	if s == "DstMultipartPartUploadNotPermitted" {
		return "DstMultipartUploadNotPermitted"
	}
	return s
}

func identifier(s string) string {
	if len(s) > 128 || !all(s, "_-.:", lower, upper, digit) {
		return fmt.Sprintf("%s is not an identifier", quote(s))
	}
	return ""
}

const (
	lower = "abcdefghijklmnopqrstuvwxyz"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digit = "0123456789"
)

// all says whether every character of s stands in one of the sets.
func all(s string, sets ...string) bool {
	return strings.Trim(s, strings.Join(sets, "")) == ""
}
