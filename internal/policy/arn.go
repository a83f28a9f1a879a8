package policy

import (
	"fmt"
	"strings"
)

// ARN is an Amazon Resource Name in its six parts. ARNs are comparable. Everything after the fifth colon is Resource,
// further colons and slashes included.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ParseARN reads an ARN. Region and Account may be empty, as in the ARNs of S3; the other parts may not.
func ParseARN(s string) (ARN, error) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return ARN{}, fmt.Errorf("invalid ARN %q: want arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE", clip(s))
	}
	return ARN{Partition: p[1], Service: p[2], Region: p[3], Account: p[4], Resource: p[5]}, nil
}

// String is the ARN as AWS writes it; the zero ARN is "".
func (a ARN) String() string {
	if a == (ARN{}) {
		return ""
	}
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// MarshalText is String.
func (a ARN) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is ParseARN; the empty text is the zero ARN.
func (a *ARN) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = ARN{}
		return nil
	}
	parsed, err := ParseARN(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// IsZero says whether there is no ARN.
func (a ARN) IsZero() bool { return a == ARN{} }

// HasWildcard says whether any part holds * or ?.
func (a ARN) HasWildcard() bool { return strings.ContainsAny(a.String(), "*?") }

// Name is what stands after the last slash of the resource, or the resource: the name of a role under a path, a key's id.
func (a ARN) Name() string { return a.Resource[strings.LastIndexByte(a.Resource, '/')+1:] }

// BucketARN is the ARN of a bucket, which names neither region nor account.
func BucketARN(partition, bucket string) ARN {
	return ARN{Partition: partition, Service: "s3", Resource: bucket}
}

// ObjectARN is the ARN of an object.
func ObjectARN(partition, bucket, key string) ARN {
	return ARN{Partition: partition, Service: "s3", Resource: bucket + "/" + key}
}

// Literal is text as a pattern of a policy that matches it and nothing else.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
func Literal(text string) string { return literal.Replace(text) }

var literal = strings.NewReplacer("$", "${$}", "*", "${*}", "?", "${?}")

// Partition is the partition of a Region: aws, aws-cn or aws-us-gov. Regions of others are not known and taken for those of aws.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// IsAccountID says whether the text is an account id: twelve digits.
func IsAccountID(s string) bool {
	if len(s) != 12 {
		return false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// Star says whether a text is what a pattern means, in which a star stands for any characters. It is for patterns of settings; those of
// policies know a question mark, too, and are matched by package authz.
func Star(pattern, text string) bool {
	first, rest, starred := strings.Cut(pattern, "*")
	if !starred {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	for ok {
		if Star(rest, text) {
			return true
		}
		if text == "" {
			return false
		}
		text = text[1:]
	}
	return false
}
