package replay

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

// The resources of Needs.
const (
	anything     = "*"
	batchRole    = "arn:${Partition}:iam::${Account}:role" + settings.RolePath + string(settings.Batch)
	jobs         = "arn:${Partition}:s3:${Region}:${Account}:job/*"
	sourceBucket = "arn:${Partition}:s3:::${SourceBucket}"
	reportBucket = "arn:${Partition}:s3:::${ReportBucket}"
)

// Needs is what this package calls, and what S3 does as the batch role. The batch role's trust policy names the service principal
// batchoperations.s3.amazonaws.com; iam:PassRole can be narrowed to it by iam:PassedToService.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-iam-role-policies.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-policies.html
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
func Needs() []preflight.Need {
	return []preflight.Need{
		{Role: settings.Replayer, Action: "s3:CreateJob", Resource: anything, Why: "make the job; IAM knows no resource for it"},
		{Role: settings.Replayer, Action: "s3:ListJobs", Resource: anything, Why: "find the job that an incident has; IAM knows no resource for it"},
		{Role: settings.Replayer, Action: "s3:DescribeJob", Resource: jobs, Why: "see how far a job is"},
		{Role: settings.Replayer, Action: "iam:PassRole", Resource: batchRole, Why: "give the job its role"},
		{Role: settings.Replayer, Action: "s3:PutObject", Resource: reportBucket + "/manifests/*", Why: "list the versions to replicate, where they are few"},
		{Role: settings.Batch, Action: "s3:InitiateReplication", Resource: sourceBucket + "/*", Why: "replicate versions again"},
		{Role: settings.Batch, Action: "s3:GetReplicationConfiguration", Resource: sourceBucket, Why: "find what is eligible"},
		{Role: settings.Batch, Action: "s3:PutInventoryConfiguration", Resource: sourceBucket, Why: "list what failed, where there are many"},
		{Role: settings.Batch, Action: "s3:GetObject", Resource: reportBucket + "/manifests/*", Why: "read the list of versions"},
		{Role: settings.Batch, Action: "s3:GetObjectVersion", Resource: reportBucket + "/manifests/*", Why: "read the list of versions"},
		{Role: settings.Batch, Action: "s3:PutObject", Resource: reportBucket + "/reports/*", Why: "write the report of what failed again"},
	}
}

// SessionPolicy is what a session of the replayer role may do in an account and Region: make and see jobs, with that batch role and
// that report bucket and no other.
func SessionPolicy(account, region string, batch policy.ARN, reports string) (string, error) {
	fill := strings.NewReplacer("${Partition}", batch.Partition, "${Region}", region, "${Account}", account, "${ReportBucket}", reports)
	var specs []policy.StatementSpec
	for _, n := range Needs() {
		if n.Role != settings.Replayer {
			continue
		}
		resource := fill.Replace(n.Resource)
		if n.Resource == batchRole {
			resource = batch.String()
		}
		specs = append(specs, policy.StatementSpec{Actions: []string{n.Action}, Resources: []string{resource}})
	}
	text, err := policy.Allowing(specs...)
	if err != nil {
		return "", fmt.Errorf("make session policy: %w", err)
	}
	return text, nil
}
