package replay

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"github.com/replimend/replimend/internal/incident"
)

// maxReasons is how many of a job's reasons are told.
const maxReasons = 3

// jobOf reads what S3 says of a job. A state that is not known here is none in which a job is over.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
func jobOf(id string, d *types.JobDescriptor) incident.Job {
	job := incident.Job{ID: id, State: incident.JobRunning}
	switch d.Status {
	case types.JobStatusComplete:
		job.State = incident.JobComplete
	case types.JobStatusFailed:
		job.State = incident.JobFailed
	case types.JobStatusCancelled:
		job.State = incident.JobCancelled
	case types.JobStatusPaused, types.JobStatusPausing, types.JobStatusSuspended:
		job.Reason = "the job is " + strings.ToLower(string(d.Status))
	}
	if p := d.ProgressSummary; p != nil {
		job.Total = aws.ToInt64(p.TotalNumberOfTasks)
		job.Succeeded, job.Failed = aws.ToInt64(p.NumberOfTasksSucceeded), aws.ToInt64(p.NumberOfTasksFailed)
	}
	var reasons []string
	for _, f := range d.FailureReasons {
		if len(reasons) < maxReasons {
			reasons = append(reasons, strings.Trim(aws.ToString(f.FailureCode)+": "+aws.ToString(f.FailureReason), ": "))
		}
	}
	for _, s := range []*string{d.StatusUpdateReason, d.SuspendedCause} {
		if aws.ToString(s) != "" {
			reasons = append(reasons, *s)
		}
	}
	if len(reasons) > 0 {
		job.Reason = incident.Line(strings.Join(reasons, "; "))
	}
	return job
}
