package signal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/policy"
)

// Denial is a KMS call that was denied to S3 in a session of a replication role, as a record of CloudTrail tells it. It names
// what failureReason hides: the action, the key and the encryption context. Every field was written by somebody else and is
// untrusted, as those of a Signal are.
type Denial struct {
	Account string // of the role
	Role    string // its name: the ARN of a session does not have the role's path
	Action  string // kms:Decrypt, an open set
	Key     string // the key's ARN
	// Context is the value of aws:s3:arn in the encryption context: the ARN of an object, or of its bucket with an S3 Bucket Key.
	// It is empty where the record does not say, which records of denied calls need not.
	Context string
	// Policy is the kind of policy that the error's text blames, one of a closed set of AWS's words such as "identity-based policy",
	// empty where it names none. Explicit says that it blames a Deny rather than silence.
	Policy   string
	Explicit bool
	EventID  string
	Time     time.Time // of the call, in UTC
}

// replicationSession is how the names of the sessions begin in which S3 replicates. AWS does not document it.
// https://hackingthe.cloud/aws/exploitation/s3-bucket-replication-exfiltration/
const replicationSession = "s3-replication"

// readDenial reads one record of CloudTrail, or says why it is of no concern. Only what marks a record as ours decides that;
// what is ours must be whole.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func readDenial(e element) (d Denial, ignored string, err error) {
	if why := noDenial(e); why != "" {
		return Denial{}, why, nil
	}
	var f fields
	f.text(e.get("eventVersion"), recordVersion)
	session, _ := policy.ParseARN(e.get("userIdentity").get("arn").node.Text)
	d = Denial{Account: session.Account, Role: roleOf(session)}
	d.Action = "kms:" + f.text(e.get("eventName"), identifier)
	d.Time = instant(f.text(e.get("eventTime"), timestamp))
	d.EventID = f.optional(e.get("eventID"), identifier)
	parameters := e.get("requestParameters")
	d.Context = f.optional(parameters.get("encryptionContext").get("aws:s3:arn"), contextARN)
	d.Key = keyOf(e)
	d.Policy, d.Explicit = blamed(e.get("errorMessage").node.Text)
	switch {
	case f.err != nil:
		return Denial{}, "", f.err
	case d.Key == "":
		return Denial{}, e.get("resources").path + ": names no key", nil
	}
	return d, "", nil
}

// noDenial is why a record is no denied KMS call of a replication's session, empty when it is one.
func noDenial(e element) string {
	source, code, who := e.get("eventSource"), e.get("errorCode"), e.get("userIdentity").get("arn")
	switch session, err := policy.ParseARN(who.node.Text); {
	case source.node.Text != "kms.amazonaws.com":
		return source.path + ": " + quote(source.node.Text)
	case code.node.Text != "AccessDenied" && code.node.Text != "AccessDeniedException":
		return code.path + ": " + quote(code.node.Text)
	case err != nil || roleOf(session) == "":
		return who.path + ": " + quote(who.node.Text)
	}
	return ""
}

// roleOf is the name of the role of a session in which S3 replicates, empty for everybody else.
func roleOf(session policy.ARN) string {
	parts := strings.Split(session.Resource, "/")
	if session.Service != "sts" || len(session.Account) != 12 || !all(session.Account, "", digit) || len(parts) != 3 ||
		parts[0] != "assumed-role" || !strings.HasPrefix(parts[2], replicationSession) ||
		len(parts[1]) > 64 || !all(parts[1], "+=,.@_-", lower, upper, digit) {
		return ""
	}
	return parts[1]
}

// recordVersion compares the major version alone, as that of S3's events.
func recordVersion(s string) string {
	if major, _, _ := strings.Cut(s, "."); major != "1" {
		return fmt.Sprintf("want version 1 of CloudTrail's records, found %s", quote(s))
	}
	return ""
}

// keyOf is the ARN of the key: of the resources, which CloudTrail fills in, or else as the caller named it.
// https://docs.aws.amazon.com/kms/latest/developerguide/ct-decrypt.html
func keyOf(e element) string {
	for _, r := range e.get("resources").node.Items {
		if arn := r.Get("ARN").Text; isKeyARN(arn) {
			return arn
		}
	}
	if id := e.get("requestParameters").get("keyId").node.Text; isKeyARN(id) {
		return id
	}
	return ""
}

func isKeyARN(s string) bool {
	arn, err := policy.ParseARN(s)
	id, ok := strings.CutPrefix(arn.Resource, "key/")
	return err == nil && ok && id != "" && arn.Service == "kms" && region(arn.Region) == "" && arn.Region != "" &&
		len(arn.Account) == 12 && all(arn.Account, "", digit) && len(id) <= 128 && all(id, "-", lower, upper, digit)
}

// contextARN wants the ARN of a bucket or an object: a bucket's name and the longest key fit.
func contextARN(s string) string {
	const most = 1400
	arn, err := policy.ParseARN(s)
	bucket, _, _ := strings.Cut(arn.Resource, "/")
	if len(s) > most || err != nil || arn.Service != "s3" || arn.Region != "" || arn.Account != "" || len(bucket) < 3 || bucketName(true)(bucket) != "" {
		return "is not the ARN of a bucket or an object"
	}
	return ""
}

// policyKinds is AWS's words for the policies that its errors blame.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
var policyKinds = []string{
	"identity-based policy", "resource-based policy", "permissions boundary", "service control policy", "resource control policy",
	"session policy", "VPC endpoint policy",
}

// blamed reads the text of an error: "… because no identity-based policy allows the kms:Decrypt action", or "… with an explicit
// deny in a service control policy". A text that blames several kinds blames none: it is not AWS's.
func blamed(text string) (kind string, explicit bool) {
	var silent, denies []string
	for _, k := range policyKinds {
		if strings.Contains(text, "because no "+k+" allows") {
			silent = append(silent, k)
		}
		if slices.ContainsFunc([]string{"a ", "an ", ""}, func(article string) bool {
			return strings.Contains(text, "explicit deny in "+article+k)
		}) {
			denies = append(denies, k)
		}
	}
	if len(silent)+len(denies) != 1 {
		return "", false
	}
	return append(silent, denies...)[0], len(denies) == 1
}
