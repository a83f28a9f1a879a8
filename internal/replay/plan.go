package replay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
)

// margin is how much earlier than the first failure that is known an object may have been written that failed for the same reason:
// S3 replicates most objects within 15 minutes, and the status of a slower one comes later.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-troubleshoot.html
const margin = 15 * time.Minute

// priority is one beside that of other jobs of the account and Region, and says nothing by itself.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html
const priority = 10

// incidentID is what the ID of an incident may be, to be the token of a request and part of a key. A token has 1 to 64 characters.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
const longestID = 64

var incidentID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

var errUnbounded = errors.New("the time of the outage is not known, and without it everything that ever failed would be replicated")

// plan is one job before it is made. Everything in it follows from the request and the options, and nothing from a clock: asked
// twice, S3 gets the same bytes.
type plan struct {
	q        incident.Replay
	role     policy.ARN // that S3 assumes
	reports  string     // the bucket for manifests and reports
	manifest []byte     // nil: S3 makes it
	etag     string     // of the manifest, once it is put
}

// newPlan refuses a request that is not bounded or not well formed.
func newPlan(q incident.Replay) (*plan, error) {
	if len(q.Incident) > longestID || !incidentID.MatchString(q.Incident) {
		return nil, fmt.Errorf("replay incident %.80q: want an ID of 1 to 64 letters, digits and hyphens", q.Incident)
	}
	if listable(q.Objects) {
		text, err := manifest(q.Bucket, q.Objects)
		if err != nil {
			return nil, fmt.Errorf("replay %s: %w", q.Incident, err)
		}
		return &plan{q: q, manifest: text}, nil
	}
	if q.Since.IsZero() || !q.Until.After(q.Since) {
		return nil, fmt.Errorf("replay %s: %w", q.Incident, errUnbounded)
	}
	return &plan{q: q}, nil
}

// manifestKey has the content in its name: a manifest that a job reads is never written over by another one.
func (p *plan) manifestKey() string {
	sum := sha256.Sum256(p.manifest)
	return "manifests/" + p.q.Incident + "-" + hex.EncodeToString(sum[:8]) + ".csv"
}

// put writes the manifest. A job takes none that is encrypted with KMS or SSE-C, so that the bucket's default is not asked. With
// SSE-S3 the ETag is the MD5 of the content, the same for everybody who puts it; a version ID would not be, and is not used.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html#specify-batchjob-manifest
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
func (p *plan) put(ctx context.Context, objects *s3.Client) error {
	key := p.manifestKey()
	out, err := objects.PutObject(ctx, &s3.PutObjectInput{
		Bucket:               aws.String(p.reports),
		Key:                  aws.String(key),
		Body:                 bytes.NewReader(p.manifest),
		ContentType:          aws.String("text/csv"),
		ServerSideEncryption: s3types.ServerSideEncryptionAes256,
		ExpectedBucketOwner:  aws.String(p.q.Account),
	})
	if err != nil {
		return refused(p.q, "put manifest "+p.reports+"/"+key, "s3:PutObject on it", err)
	}
	p.etag = strings.Trim(aws.ToString(out.ETag), `"`)
	return nil
}

// request is the job. It needs no confirmation: who was to be asked was asked before.
func (p *plan) request() *s3control.CreateJobInput {
	in := &s3control.CreateJobInput{
		AccountId:            aws.String(p.q.Account),
		ClientRequestToken:   aws.String(p.q.Incident),
		Description:          aws.String(description(p.q)),
		ConfirmationRequired: aws.Bool(false),
		Operation:            &types.JobOperation{S3ReplicateObject: &types.S3ReplicateObjectOperation{}},
		Priority:             aws.Int32(priority),
		RoleArn:              aws.String(p.role.String()),
		// What succeeded is counted. A report of it would name every key.
		Report: &types.JobReport{
			Enabled:             true,
			Bucket:              aws.String(p.bucketARN(p.reports)),
			ExpectedBucketOwner: aws.String(p.q.Account),
			Prefix:              aws.String("reports/" + p.q.Incident),
			Format:              types.JobReportFormatReportCsv20180820,
			ReportScope:         types.JobReportScopeFailedTasksOnly,
		},
	}
	if p.manifest != nil {
		in.Manifest = &types.JobManifest{
			Spec: &types.JobManifestSpec{
				Format: types.JobManifestFormatS3BatchOperationsCsv20180820,
				Fields: []types.JobManifestFieldName{
					types.JobManifestFieldNameBucket, types.JobManifestFieldNameKey, types.JobManifestFieldNameVersionId,
				},
			},
			Location: &types.JobManifestLocation{
				ObjectArn: aws.String(p.bucketARN(p.reports) + "/" + p.manifestKey()),
				ETag:      aws.String(p.etag),
			},
		}
		return in
	}
	in.ManifestGenerator = &types.JobManifestGeneratorMemberS3JobManifestGenerator{Value: types.S3JobManifestGenerator{
		SourceBucket:         aws.String(p.bucketARN(p.q.Bucket)),
		ExpectedBucketOwner:  aws.String(p.q.Account),
		EnableManifestOutput: false, // it would name every key, and is of no use to the job
		Filter:               p.filter(),
	}}
	return in
}

// filter is what failed during the outage. What never had a status is left out: whether it may leave the bucket is for people.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_JobManifestGeneratorFilter.html
func (p *plan) filter() *types.JobManifestGeneratorFilter {
	return &types.JobManifestGeneratorFilter{
		EligibleForReplication:    aws.Bool(true),
		ObjectReplicationStatuses: []types.ReplicationStatus{types.ReplicationStatusFailed},
		CreatedAfter:              aws.Time(p.q.Since.UTC().Add(-margin).Truncate(time.Second)),
		CreatedBefore:             aws.Time(p.q.Until.UTC().Truncate(time.Second).Add(time.Second)), // times of objects have no fractions
	}
}

// bucketARN is in the partition of the role, which is of the same account.
func (p *plan) bucketARN(bucket string) string {
	return policy.BucketARN(p.role.Partition, bucket).String()
}

// description is how the job of an incident is found again. It has at most 256 characters.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html
func description(q incident.Replay) string {
	return "Replimend replicates again what failed: " + q.Incident
}
