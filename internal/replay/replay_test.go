package replay_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/s3control/types"
	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/replay"
	"github.com/replimend/replimend/internal/snapshot"
)

// awkward are keys that have a meaning in CSV, in a URL or in XML.
var awkward = []string{
	"plain/key.txt", "a key with spaces", "1+1=2", "größe/日本語/😀", "a,b", `say "hello"`, "100%25", "a&b<c>", "'", "tab\there",
}

// TestListedVersionsAreReplicated: S3 finds in the manifest exactly the versions that failed, whatever their keys, and nothing else
// that failed in the bucket.
func TestListedVersionsAreReplicated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var objects []incident.Object
	for _, key := range awkward {
		objects = append(objects, w.put(t, key))
	}
	other := w.put(t, "other")
	q := w.request(objects...)
	q.Since, q.Until = time.Time{}, time.Time{} // a list is bound enough
	job, err := w.replayer.Replay(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if job.ID == "" || job.State != incident.JobRunning {
		t.Fatalf("started job %+v", job)
	}
	n := int64(len(objects))
	want := incident.Job{ID: job.ID, State: incident.JobComplete, Total: n, Succeeded: n}
	if got := w.follow(t, q, job); got != want {
		t.Errorf("the job ended as %+v, want %+v", got, want)
	}
	for _, o := range objects {
		if got := w.status(t, o); got != "COMPLETED" {
			t.Errorf("%q is %q", o.Key, got)
		}
	}
	if got := w.status(t, other); got != "FAILED" {
		t.Errorf("what was not listed is %q", got)
	}
}

// TestManifestInEncryptedBucket: a bucket that encrypts with KMS by default would make a manifest that no job takes.
func TestManifestInEncryptedBucket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, err := w.storage().PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{
		Bucket: aws.String(w.reports),
		ServerSideEncryptionConfiguration: &s3types.ServerSideEncryptionConfiguration{Rules: []s3types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &s3types.ServerSideEncryptionByDefault{SSEAlgorithm: s3types.ServerSideEncryptionAwsKms},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	q := w.request(w.put(t, "key"))
	job, err := w.replayer.Replay(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.follow(t, q, job); got.State != incident.JobComplete {
		t.Errorf("the job ended as %+v", got)
	}
}

// TestManyVersionsAreFoundByS3: of too many to list, and of some without a version ID, S3 makes the list.
func TestManyVersionsAreFoundByS3(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	failed, pending, never := w.put(t, "failed"), w.put(t, "pending"), w.put(t, "never")
	w.batch.SetStatus(mototest.Version{Bucket: w.source, Key: pending.Key, ID: pending.VersionID}, "PENDING")
	w.batch.SetStatus(mototest.Version{Bucket: w.source, Key: never.Key, ID: never.VersionID}, "")
	for i, objects := range [][]incident.Object{nil, {{Key: "failed"}}, make([]incident.Object, 1001)} {
		q := w.request(objects...)
		q.Incident = fmt.Sprint("inc-", i)
		w.batch.SetStatus(mototest.Version{Bucket: w.source, Key: failed.Key, ID: failed.VersionID}, "FAILED")
		job, err := w.replayer.Replay(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.follow(t, q, job); got.State != incident.JobComplete || got.Total != 1 || got.Succeeded != 1 {
			t.Errorf("the job ended as %+v", got)
		}
		if a, b, c := w.status(t, failed), w.status(t, pending), w.status(t, never); a != "COMPLETED" || b != "PENDING" || c != "" {
			t.Errorf("failed is %q, pending %q, never tried %q", a, b, c)
		}
	}
}

// TestWindow: what was written a little before the first failure may have failed with it; what failed in another outage is left alone.
func TestWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.put(t, "key")
	now := time.Now()
	for name, test := range map[string]struct {
		since, until time.Time
		found        bool
	}{
		"during":        {now.Add(-time.Minute), now.Add(time.Minute), true},
		"little before": {now.Add(10 * time.Minute), now.Add(time.Hour), true},
		"long before":   {now.Add(20 * time.Minute), now.Add(time.Hour), false},
		"after":         {now.Add(-time.Hour), now.Add(-time.Minute), false},
	} {
		q := w.request()
		q.Incident, q.Since, q.Until = "inc-"+strings.ReplaceAll(name, " ", "-"), test.since, test.until
		w.batch.SetStatus(mototest.Version{Bucket: w.source, Key: o.Key, ID: o.VersionID}, "FAILED")
		job, err := w.replayer.Replay(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.follow(t, q, job); (got.State == incident.JobComplete) != test.found {
			t.Errorf("%s: the job ended as %+v", name, got)
		}
	}
}

// TestUnboundedIsRefused: before anything is asked of S3.
func TestUnboundedIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, change := range map[string]func(*incident.Replay){
		"no begin":     func(q *incident.Replay) { q.Since = time.Time{} },
		"no end":       func(q *incident.Replay) { q.Until = time.Time{} },
		"turned round": func(q *incident.Replay) { q.Since, q.Until = q.Until, q.Since },
		"no incident":  func(q *incident.Replay) { q.Incident = "" },
		"long ID":      func(q *incident.Replay) { q.Incident = strings.Repeat("a", 65) },
		"path as ID":   func(q *incident.Replay) { q.Incident = "../manifests" },
		"row as ID": func(q *incident.Replay) {
			q.Objects = []incident.Object{{Key: "k", VersionID: "v\nother-bucket,key,v"}}
		},
		"no key": func(q *incident.Replay) { q.Objects = []incident.Object{{VersionID: "v"}} },
	} {
		q := w.request()
		change(&q)
		if job, err := w.replayer.Replay(t.Context(), q); err == nil {
			t.Errorf("%s: started %+v", name, job)
		}
	}
	if n := w.batch.Calls("CreateJob") + w.batch.Calls("ListJobs"); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// TestOneJobForAnIncident: whoever asks again, later or knowing more, gets the job that there is; also when S3 has forgotten the
// token, and when the job is over.
func TestOneJobForAnIncident(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.batch.PageSize = 1
	first, second := w.put(t, "first"), w.put(t, "second")
	another := w.request(first)
	another.Incident = "inc-another"
	if _, err := w.replayer.Replay(t.Context(), another); err != nil {
		t.Fatal(err)
	}
	q := w.request(first)
	job, err := w.replayer.Replay(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	more := w.request(second, first)
	unlisted := w.request()
	ask := func(when string, want incident.JobState, requests ...incident.Replay) {
		for i, q := range requests {
			again, err := w.replayer.Replay(t.Context(), q)
			if err != nil || again.ID != job.ID || again.State != want {
				t.Errorf("%s, request %d: job %+v, error %v; want job %s, %s", when, i, again, err, job.ID, want)
			}
		}
	}
	ask("while it runs", incident.JobRunning, q, more, unlisted)
	w.batch.Forget()
	ask("after the token", incident.JobRunning, q)
	w.follow(t, q, job)
	ask("when it is over", incident.JobComplete, q, more, unlisted)
	if n := w.batch.Calls("CreateJob"); n != 2 {
		t.Errorf("%d calls of CreateJob for two incidents", n)
	}
	if got := w.status(t, second); got != "FAILED" {
		t.Errorf("what the job did not have is %q", got)
	}
}

// TestTwoAtTheSameTime: both find no job before either makes one. One is made, also when one of them knows of more.
func TestTwoAtTheSameTime(t *testing.T) {
	t.Parallel()
	const callers = 2
	for name, more := range map[string]bool{"the same": false, "one knows more": true} {
		manifests := 1
		if more {
			manifests = 2 // neither may write over the one that the job reads
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var listed sync.WaitGroup
			listed.Add(callers)
			var meet sync.Mutex
			waiting := 0
			w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/jobs") {
					return false
				}
				meet.Lock()
				waiting++
				first := waiting <= callers
				meet.Unlock()
				if first {
					listed.Done()
					listed.Wait()
				}
				return false
			})
			requests := [callers]incident.Replay{w.request(w.put(t, "a"), w.put(t, "b"))}
			requests[1] = requests[0]
			requests[1].Objects = []incident.Object{requests[0].Objects[1], requests[0].Objects[0]}
			if more {
				requests[1].Objects = append(requests[1].Objects, w.put(t, "c"))
			}
			var jobs [callers]incident.Job
			var errs [callers]error
			var done sync.WaitGroup
			for i, q := range requests {
				done.Go(func() { jobs[i], errs[i] = w.replayer.Replay(t.Context(), q) })
			}
			done.Wait()
			if err := errors.Join(errs[:]...); err != nil {
				t.Fatal(err)
			}
			if jobs[0].ID == "" || jobs[0].ID != jobs[1].ID || len(w.batch.Requests()) != 1 {
				t.Errorf("jobs %q and %q of %d", jobs[0].ID, jobs[1].ID, len(w.batch.Requests()))
			}
			if got := w.manifests(t); len(got) != manifests {
				t.Errorf("manifests %q, want %d", got, manifests)
			}
			if n := w.batch.Calls("CreateJob"); n != callers {
				t.Errorf("%d calls of CreateJob: the callers did not meet", n)
			}
			if got := w.follow(t, requests[0], jobs[0]); got.State != incident.JobComplete || got.Failed != 0 {
				t.Errorf("the job ended as %+v", got)
			}
		})
	}
}

// TestEndings: a job that is over says how and why. The reasons are written by anybody.
func TestEndings(t *testing.T) {
	t.Parallel()
	t.Run("failed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		q := w.request() // nothing failed
		job, err := w.replayer.Replay(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		want := incident.Job{
			ID: job.ID, State: incident.JobFailed,
			Reason: "ManifestGenerationFailed: Manifest generation found no keys matching the filter criteria.",
		}
		if got := w.follow(t, q, job); got != want {
			t.Errorf("the job ended as %+v, want %+v", got, want)
		}
	})
	t.Run("some failed again", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		w.batch.Replicate = func(_, key, _ string) bool { return key == "cured" }
		cured, still := w.put(t, "cured"), w.put(t, "still")
		q := w.request(cured, still)
		job, err := w.replayer.Replay(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		want := incident.Job{ID: job.ID, State: incident.JobComplete, Total: 2, Succeeded: 1, Failed: 1}
		if got := w.follow(t, q, job); got != want {
			t.Errorf("the job ended as %+v, want %+v", got, want)
		}
		if a, b := w.status(t, cured), w.status(t, still); a != "COMPLETED" || b != "FAILED" {
			t.Errorf("cured is %q, still %q", a, b)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		q := w.request(w.put(t, "key"))
		job, err := w.replayer.Replay(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s3control.NewFromConfig(w.cfg).UpdateJobStatus(t.Context(), &s3control.UpdateJobStatusInput{
			AccountId: aws.String(w.account), JobId: aws.String(job.ID), RequestedJobStatus: types.RequestedJobStatusCancelled,
			StatusUpdateReason: aws.String("too dear \u202egnp.exe" + strings.Repeat("x", 2000)),
		})
		if err != nil {
			t.Fatal(err)
		}
		got := w.follow(t, q, job)
		if got.State != incident.JobCancelled || !strings.HasPrefix(got.Reason, "too dear �gnp.exe") || len(got.Reason) > 700 {
			t.Errorf("the job ended as %+v", got)
		}
		if again, err := w.replayer.Replay(t.Context(), q); err != nil || again != got {
			t.Errorf("asked again: %+v, %v", again, err)
		}
	})
	t.Run("manifest was changed", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		o, other := w.put(t, "key"), w.put(t, "other")
		q := w.request(o)
		job, err := w.replayer.Replay(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		manifests := w.manifests(t)
		if len(manifests) != 1 {
			t.Fatalf("manifests %q, want one", manifests)
		}
		_, err = w.storage().PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: aws.String(w.reports), Key: aws.String(manifests[0]), Body: strings.NewReader(w.source + ",other," + other.VersionID + "\n"),
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.follow(t, q, job); got.State != incident.JobFailed {
			t.Errorf("the job ended as %+v", got)
		}
		if got := w.status(t, other); got != "FAILED" {
			t.Errorf("what somebody put into the manifest is %q", got)
		}
	})
}

// TestFollow tells of every change once, waits longer when S3 has no answer, and stops with its context.
func TestFollow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	q := w.request(w.put(t, "key"))
	job, err := w.replayer.Replay(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := w.replayer.Follow(ctx, q, job, nil); !errors.Is(err, context.Canceled) || got != job {
		t.Errorf("after the context ended: %+v, %v", got, err)
	}
	patient := w.options()
	patient.Wait = nil
	if got, err := replay.New(patient).Follow(ctx, q, job, nil); !errors.Is(err, context.Canceled) || got != job {
		t.Errorf("after the context ended, with the default waits: %+v, %v", got, err)
	}
	w.batch.Refuse("DescribeJob", "NoSuchJobException", http.StatusNotFound)
	for range 3 { // as often as the SDK tries
		w.batch.Refuse("DescribeJob", "TooManyRequestsException", http.StatusTooManyRequests)
	}
	for range 3 {
		w.batch.Refuse("DescribeJob", "InternalServiceException", http.StatusInternalServerError)
	}
	before := w.waits.Load()
	var told []incident.Job
	got, err := w.replayer.Follow(t.Context(), q, job, func(j incident.Job) { told = append(told, j) })
	if err != nil {
		t.Fatal(err)
	}
	want := []incident.Job{
		{ID: job.ID, State: incident.JobRunning, Total: 1},
		{ID: job.ID, State: incident.JobComplete, Total: 1, Succeeded: 1},
	}
	if diff := cmp.Diff(want, told); diff != "" || got != want[1] {
		t.Errorf("ended as %+v, told (-want +got):\n%s", got, diff)
	}
	if n := w.waits.Load() - before; n != 5+3 { // five states, three looks without an answer
		t.Errorf("%d waits", n)
	}

	w.batch.Refuse("DescribeJob", "AccessDenied", http.StatusForbidden)
	if got, err := w.replayer.Follow(t.Context(), q, job, nil); awserr.Of(err) != awserr.Denied || got != job {
		t.Errorf("denied: %+v, %v", got, err)
	}
	unknown := incident.Job{ID: "00000000-0000-4000-8000-999999999999", State: incident.JobRunning}
	if got, err := w.replayer.Follow(t.Context(), q, unknown, nil); awserr.Of(err) != awserr.Absent || got != unknown {
		t.Errorf("unknown job: %+v, %v", got, err)
	}
}

// TestThrottled: a request that S3 has too many of is made again, and makes one job.
func TestThrottled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.batch.Refuse("CreateJob", "TooManyRequestsException", http.StatusTooManyRequests)
	w.batch.Refuse("ListJobs", "SlowDown", http.StatusServiceUnavailable)
	if _, err := w.replayer.Replay(t.Context(), w.request(w.put(t, "key"))); err != nil {
		t.Fatal(err)
	}
	if n := len(w.batch.Requests()); n != 1 {
		t.Errorf("%d jobs", n)
	}
}

// TestDenied: the message names everything that may be missing, and AWS's code is still there.
func TestDenied(t *testing.T) {
	t.Parallel()
	for operation, wants := range map[string][]string{
		"ListJobs":    {"s3:ListJobs"},
		"CreateJob":   {"s3:CreateJob", "iam:PassRole on arn:aws:iam::", "role/replimend/replimend-batch"},
		"DescribeJob": {"s3:DescribeJob"},
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			q := w.request(w.put(t, "key"))
			if operation == "DescribeJob" {
				if _, err := w.replayer.Replay(t.Context(), q); err != nil {
					t.Fatal(err)
				}
			}
			w.batch.Refuse(operation, "AccessDenied", http.StatusForbidden)
			job, err := w.replayer.Replay(t.Context(), q)
			if awserr.Of(err) != awserr.Denied || awserr.Code(err) != "AccessDenied" || job != (incident.Job{}) {
				t.Fatalf("job %+v, error %v", job, err)
			}
			for _, want := range append(wants, "role/replimend/replimend-replayer", w.account, q.Incident) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not name %s", err, want)
				}
			}
		})
	}
}

// TestConflictWithoutJob: another request took the token, and its job is not to be seen.
func TestConflictWithoutJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.batch.Refuse("CreateJob", "IdempotencyException", http.StatusBadRequest)
	job, err := w.replayer.Replay(t.Context(), w.request(w.put(t, "key")))
	if awserr.Of(err) != awserr.Conflict || job != (incident.Job{}) {
		t.Errorf("job %+v, error %v", job, err)
	}
}

// TestNothingWithoutCredentials: no way into the account is an error, and S3 is asked nothing.
func TestNothingWithoutCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cause := errors.New("no way in")
	o := w.options()
	o.Config = func(string, string, string) (aws.Config, error) { return aws.Config{}, cause }
	o.Locate = func(string) (string, string, bool) { return "", "", false }
	r := replay.New(o)
	if _, err := r.Replay(t.Context(), w.request()); !errors.Is(err, cause) {
		t.Errorf("replay: %v", err)
	}
	if _, err := r.Follow(t.Context(), w.request(), incident.Job{State: incident.JobRunning}, nil); !errors.Is(err, cause) {
		t.Errorf("follow: %v", err)
	}
	if _, err := r.Head(t.Context(), w.source, "key", ""); err == nil {
		t.Error("head of a version in a bucket that is nowhere")
	}
}

// TestOwnersAreSent: S3 checks who owns each bucket that a job touches, and that the manifest is in none of somebody else's.
func TestOwnersAreSent(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	owners := map[string]string{} // by method and bucket
	w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if bucket, _, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); ok && r.Header.Get("X-Amz-Expected-Bucket-Owner") != "" {
			mu.Lock()
			defer mu.Unlock()
			owners[r.Method+" "+bucket] = r.Header.Get("X-Amz-Expected-Bucket-Owner")
		}
		return false
	})
	o := w.put(t, "key")
	listed, found := w.request(o), w.request()
	found.Incident = "inc-found"
	for _, q := range []incident.Replay{listed, found} {
		if _, err := w.replayer.Replay(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	w.status(t, o)
	want := map[string]string{"PUT " + w.reports: w.account, "HEAD " + w.source: w.account}
	if diff := cmp.Diff(want, owners); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	owner := "<ExpectedBucketOwner>" + w.account + "</ExpectedBucketOwner>"
	for i, n := range []int{1, 2} { // the report; the source, too
		if body := w.batch.Requests()[i]; strings.Count(body, owner) != n {
			t.Errorf("request %d names the owner other than %d times: %s", i, n, body)
		}
	}
}

// TestErrorsNameNoKey: the address of a request that broke has the key in it, and errors are logged.
func TestErrorsNameNoKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.options()
	o.Read = func(_, region string) aws.Config {
		return aws.Config{
			Region: region, BaseEndpoint: aws.String("http://127.0.0.1:1"), RetryMaxAttempts: 1,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
			}),
		}
	}
	_, err := replay.New(o).Head(t.Context(), w.source, "jane-doe-passport.pdf", "v1")
	if err == nil || strings.Contains(err.Error(), "passport") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
}

// TestHead reads what the status and the encryption of a version are.
func TestHead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	o := w.put(t, "größe 1+1")
	got, err := w.replayer.Head(t.Context(), w.source, o.Key, o.VersionID)
	if err != nil {
		t.Fatal(err)
	}
	want := snapshot.Object{
		Bucket: w.source, Key: o.Key, VersionID: o.VersionID, ReplicationStatus: snapshot.Of("FAILED"),
		Encryption: snapshot.Of("AES256"), StorageClass: "STANDARD", Size: o.Size,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	w.batch.SetStatus(mototest.Version{Bucket: w.source, Key: o.Key, ID: o.VersionID}, "")
	if got, err = w.replayer.Head(t.Context(), w.source, o.Key, ""); err != nil || got.ReplicationStatus.State != snapshot.Absent {
		t.Errorf("without a status: %+v, %v", got, err)
	}
	w.batch.SetStatus(mototest.Version{Bucket: w.source, Key: o.Key, ID: o.VersionID}, "COMPLETE")
	if got, err = w.replayer.Head(t.Context(), w.source, o.Key, o.VersionID); err != nil || got.ReplicationStatus.V != "COMPLETED" {
		t.Errorf("in the words of old answers: %+v, %v", got, err)
	}
	for key, version := range map[string]string{"nothing": "", o.Key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"} {
		if _, err = w.replayer.Head(t.Context(), w.source, key, version); !errors.Is(err, incident.ErrGone) {
			t.Errorf("of %q, version %q, which is not there: %v", key, version, err)
		}
	}
}
