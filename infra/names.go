package main

import (
	"strings"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// The names of the stacks. They stay as they are: a stack under another name is another stack, which the first one's tables and roles
// would be in the way of.
const (
	hubStack           = "replimend-hub"
	organizationStack  = "replimend-organization"
	subscriptionsStack = "replimend-subscriptions"
)

func memberStack(account string) string         { return "replimend-member-" + account }
func regionStack(account, region string) string { return "replimend-region-" + account + "-" + region }
func relayStack(account string) string          { return "replimend-relay-" + account }

// The names of what only infra knows.
const (
	dashboard     = "replimend"
	sweepSchedule = "replimend-sweep"
)

// logical is the logical id of what has that name: ReaderRole for replimend-reader and Role.
func logical(name, kind string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(strings.TrimPrefix(name, "replimend"), func(r rune) bool { return r == '-' || r == '/' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String() + kind
}

// relayRegion is the Region whose event bus has the calls of IAM: that of IAM's one control plane in the partition.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/disaster-recovery-resiliency.html
// https://docs.amazonaws.cn/aws/latest/userguide/iam.html
func relayRegion(partition string) string {
	switch partition {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	}
	return "us-east-1"
}

// organizationRegion is the same of AWS Organizations, which in China is in the other Region.
// https://docs.aws.amazon.com/general/latest/gr/ao.html
// https://docs.amazonaws.cn/en_us/aws/latest/userguide/organizations.html
func organizationRegion(partition string) string {
	if partition == "aws-cn" {
		return "cn-northwest-1"
	}
	return relayRegion(partition)
}

// home is the Region of what a member has once: its roles and its kill switch.
func home(m settings.Member) string { return m.Regions[0] }

// hubPartition is the partition of everything: members are in that of the hub.
func hubPartition(set *settings.Settings) string { return policy.Partition(set.Hub.Region) }
