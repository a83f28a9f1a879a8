package replay

import "github.com/replimend/replimend/internal/settings"

// Need is one IAM action that a role must be allowed.
type Need struct {
	Role     settings.MemberRole
	Action   string
	Resource string // in IAM's own notation, with ${SourceBucket} and ${ReportBucket} for the names of buckets
	Why      string
}

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
func Needs() []Need {
	return []Need{
		{settings.Replayer, "s3:CreateJob", anything, "make the job; IAM knows no resource for it"},
		{settings.Replayer, "s3:ListJobs", anything, "find the job that an incident has; IAM knows no resource for it"},
		{settings.Replayer, "s3:DescribeJob", jobs, "see how far a job is"},
		{settings.Replayer, "iam:PassRole", batchRole, "give the job its role"},
		{settings.Replayer, "s3:PutObject", reportBucket + "/manifests/*", "list the versions to replicate, where they are few"},
		{settings.Batch, "s3:InitiateReplication", sourceBucket + "/*", "replicate versions again"},
		{settings.Batch, "s3:GetReplicationConfiguration", sourceBucket, "find what is eligible"},
		{settings.Batch, "s3:PutInventoryConfiguration", sourceBucket, "list what failed, where there are many"},
		{settings.Batch, "s3:GetObject", reportBucket + "/manifests/*", "read the list of versions"},
		{settings.Batch, "s3:GetObjectVersion", reportBucket + "/manifests/*", "read the list of versions"},
		{settings.Batch, "s3:PutObject", reportBucket + "/reports/*", "write the report of what failed again"},
	}
}
