// Package replay has S3 replicate again what failed, by S3 Batch Replication: one job for an incident, at most once, with what it
// costs known before.
//
// The functions and the command line give it to package remedy as its port. It does not decide whether something is replayed.
// A job uses every enabled rule of the bucket, whoever made it, so that guard.CheckReplay must have allowed it before.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-batch-replication-batch.html
package replay

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// Options is what a Replayer needs to know of the accounts. Every field but Wait is needed.
type Options struct {
	// Config has credentials that may make the job of an incident in an account: those of the member's replayer role, narrowed to
	// SessionPolicy, or a person's own.
	Config func(account, region, incident string) (aws.Config, error)
	// Read has credentials that read the heads of objects.
	Read func(account, region string) aws.Config
	// Batch is the role that S3 assumes for a job, and the bucket of the same account and Region that manifests and reports go to:
	// of a member settings.Batch.ARN and settings.ReportBucket.
	Batch func(account, region string) (role policy.ARN, reportBucket string)
	// Locate is who owns a bucket and where it is; false: it is not known.
	Locate func(bucket string) (account, region string, ok bool)
	// Wait waits before the job is looked at for the attempt-th time, from 0 on, and gives the error of a context that ended. Nil
	// is for some seconds first and for minutes later.
	Wait func(ctx context.Context, attempt int) error
}

// Replayer starts jobs and sees what becomes of them. It keeps nothing and can be used by many goroutines.
type Replayer struct{ options Options }

// New makes no call.
func New(o Options) *Replayer {
	if o.Wait == nil {
		o.Wait = wait
	}
	return &Replayer{options: o}
}

// Replay starts the job of an incident and does not wait for it. Where the incident has its job already, it says how far that is,
// whatever else the request says now: also when the job failed or was cancelled, there is no second one.
//
// A job is found by its description, as long as S3 lists it, which is for 90 days after its end. Two callers who both find none
// make the same request with the same token, of which S3 makes one job. For how long S3 knows a token is not documented; a
// second job needs two callers who are further apart than that, while a job of the first is not listed yet, or no longer.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListJobs.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
//
// The errors are AWS's, with their codes, and those of a request that would replicate without bounds.
func (r *Replayer) Replay(ctx context.Context, q incident.Replay) (incident.Job, error) {
	plan, err := newPlan(q)
	if err != nil {
		return incident.Job{}, err
	}
	cfg, err := r.options.Config(q.Account, q.Region, q.Incident)
	if err != nil {
		return incident.Job{}, fmt.Errorf("replay %s: %w", q.Incident, err)
	}
	jobs := control(cfg)
	if job, ok, err := find(ctx, jobs, q); ok || err != nil {
		return job, err
	}
	plan.role, plan.reports = r.options.Batch(q.Account, q.Region)
	if plan.manifest != nil {
		if err := plan.put(ctx, storage(cfg)); err != nil {
			return incident.Job{}, err
		}
	}
	out, err := jobs.CreateJob(ctx, plan.request())
	switch {
	case awserr.Is(err, awserr.Conflict):
		return again(ctx, jobs, q, err)
	case err != nil:
		return incident.Job{}, refused(q, "create batch job", "s3:CreateJob, or iam:PassRole on "+plan.role.String(), err)
	}
	return incident.Job{ID: aws.ToString(out.JobId), State: incident.JobRunning}, nil
}

// again finds the job of a request that had the same token and said something else: another caller knew of fewer failures.
func again(ctx context.Context, jobs *s3control.Client, q incident.Replay, cause error) (incident.Job, error) {
	job, ok, err := find(ctx, jobs, q)
	if !ok && err == nil {
		err = fmt.Errorf("create batch job for %s: another request made one that is not listed yet, ask again later: %w", q.Incident, cause)
	}
	return job, err
}

// find is the job that the incident has, and whether it has one.
func find(ctx context.Context, jobs *s3control.Client, q incident.Replay) (incident.Job, bool, error) {
	pages := s3control.NewListJobsPaginator(jobs, &s3control.ListJobsInput{AccountId: aws.String(q.Account), MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return incident.Job{}, false, refused(q, "list batch jobs", "s3:ListJobs", err)
		}
		for _, j := range page.Jobs {
			if j.Operation == types.OperationNameS3ReplicateObject && aws.ToString(j.Description) == description(q) {
				job, err := look(ctx, jobs, q, aws.ToString(j.JobId))
				return job, err == nil, err
			}
		}
	}
	return incident.Job{}, false, nil
}

// look is how far a job is.
func look(ctx context.Context, jobs *s3control.Client, q incident.Replay, id string) (incident.Job, error) {
	out, err := jobs.DescribeJob(ctx, &s3control.DescribeJobInput{AccountId: aws.String(q.Account), JobId: aws.String(id)})
	if err != nil {
		return incident.Job{}, refused(q, "describe batch job "+id, "s3:DescribeJob", err)
	}
	if out.Job == nil {
		return incident.Job{}, fmt.Errorf("describe batch job %s for %s: the answer has no job", id, q.Incident)
	}
	return jobOf(id, out.Job), nil
}

// Follow looks at a job until it is over, and tells of every change. When the context ends or an error does, the job is as it was
// seen last. What the service itself fails at, and too many requests, only make it wait longer.
func (r *Replayer) Follow(ctx context.Context, q incident.Replay, job incident.Job, tell func(incident.Job)) (incident.Job, error) {
	cfg, err := r.options.Config(q.Account, q.Region, q.Incident)
	if err != nil {
		return job, fmt.Errorf("follow batch job %s for %s: %w", job.ID, q.Incident, err)
	}
	jobs := control(cfg)
	for attempt := 0; !job.Over(); attempt++ {
		if err := r.options.Wait(ctx, attempt); err != nil {
			return job, fmt.Errorf("follow batch job %s for %s: %w", job.ID, q.Incident, err)
		}
		now, err := look(ctx, jobs, q, job.ID)
		switch {
		case awserr.Is(err, awserr.Throttled, awserr.Unavailable), awserr.Is(err, awserr.Absent) && attempt < registered:
			continue
		case err != nil:
			return job, err
		}
		if now != job {
			job = now
			tell(job)
		}
	}
	return job, nil
}

// The waits between two looks. Most jobs run for minutes, and some for days.
const (
	firstWait = 5 * time.Second
	lastWait  = 5 * time.Minute
)

// registered is after how many looks S3 must know a job. Just after it is made it may not.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshooting-batch-operations.html
const registered = 4

// wait is for a random time between half of a span and the whole of it. Spans double, up to the last.
func wait(ctx context.Context, attempt int) error {
	span := lastWait
	if attempt < 6 { // 5 s · 2⁶ is longer than the last
		span = firstWait << attempt
	}
	timer := time.NewTimer(span/2 + rand.N(span/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// control is a client for jobs.
func control(cfg aws.Config) *s3control.Client { return s3control.NewFromConfig(cfg) }

// storage is a client for objects. It addresses buckets by path where the endpoint is not S3's own: an emulator has one host name.
func storage(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
}

// refused says what the caller may lack where AWS says only that it may not, and keeps AWS's code.
func refused(q incident.Replay, call, lacks string, err error) error {
	if awserr.Is(err, awserr.Denied) {
		role := settings.Replayer.ARN("", q.Account).Resource
		return fmt.Errorf("%s for %s: account %s does not allow %s, or whoever asks in its place, %s: %w",
			call, q.Incident, q.Account, role, lacks, err)
	}
	return fmt.Errorf("%s for %s: %w", call, q.Incident, err)
}
