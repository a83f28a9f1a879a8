package mototest

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Batch is S3 Batch Operations before moto, which has none, as far as S3 Batch Replication needs them: CreateJob, DescribeJob,
// ListJobs and UpdateJobStatus of S3 Control. It also has the replication status of versions, of which moto knows nothing, and says
// it in the answers to HeadObject.
//
// Jobs belong to an account and a Region. A job goes one state further each time that it is looked at. While it prepares, it reads
// its manifest from moto, or looks for what failed; while it is active, it replicates.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-job-status.html
type Batch struct {
	// Swift makes a job go through all its states when it is looked at first.
	Swift bool
	// Replicate says whether S3 can replicate a version now. Nil: it can.
	Replicate func(bucket, key, version string) bool
	// PageSize bounds the jobs of one answer. Zero: only the request does.
	PageSize int

	moto *httputil.ReverseProxy
	url  string

	mu       sync.Mutex
	jobs     []*batchJob
	statuses map[Version]string
	refusals []refusal
	calls    map[string]int
}

// Version is one version of an object.
type Version struct{ Bucket, Key, ID string }

// batchJob is one job, and the request that made it.
type batchJob struct {
	place, id, token, authorization string
	digest                          [sha256.Size]byte // of the request
	request                         createJob
	created                         time.Time
	status, reason                  string
	failures                        []jobFailure
	versions                        []Version
	succeeded, failed               int
	expired                         bool // S3 no longer knows the token
}

type refusal struct {
	operation, code string
	status          int
}

// Batch is one that no other test uses. Its Handle is for a Proxy.
func (s *Server) Batch(tb testing.TB) *Batch {
	tb.Helper()
	target, err := url.Parse(s.URL)
	if err != nil {
		tb.Fatal(err)
	}
	b := &Batch{url: s.URL, statuses: map[Version]string{}, calls: map[string]int{}}
	b.moto = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		ModifyResponse: b.head,
	}
	return b
}

// SetStatus says what became of a version: FAILED, PENDING, COMPLETED or REPLICA; "": S3 replicates it by no rule.
func (b *Batch) SetStatus(v Version, status string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.statuses[v] = status
}

// Refuse makes the next calls of an operation fail, one for each time that it is called.
func (b *Batch) Refuse(operation, code string, status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusals = append(b.refusals, refusal{operation, code, status})
}

// Forget makes S3 know no more of the tokens of the jobs that there are.
func (b *Batch) Forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, j := range b.jobs {
		j.expired = true
	}
}

// Requests is the bodies of the jobs that there are, as they came.
func (b *Batch) Requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, j := range b.jobs {
		out = append(out, j.request.body)
	}
	return out
}

// Calls is how often an operation was called.
func (b *Batch) Calls(operation string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[operation]
}

// Handle answers what moto cannot, and says whether it did.
func (b *Batch) Handle(w http.ResponseWriter, r *http.Request) bool {
	const path = "/v20180820/jobs"
	rest, ok := strings.CutPrefix(r.URL.Path, path)
	switch {
	case !ok && r.Method == http.MethodHead:
		b.moto.ServeHTTP(w, r)
		return true
	case !ok:
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	id, status := strings.CutSuffix(strings.TrimPrefix(rest, "/"), "/status")
	operation, answer := "ListJobs", b.list
	switch {
	case r.Method == http.MethodPost && status:
		operation, answer = "UpdateJobStatus", func(r *http.Request, at string) (any, *apiError) { return b.update(r, at, id) }
	case r.Method == http.MethodPost:
		operation, answer = "CreateJob", b.create
	case id != "":
		operation, answer = "DescribeJob", func(_ *http.Request, at string) (any, *apiError) { return b.describe(at, id) }
	}
	b.calls[operation]++
	out, fault := b.answer(r, operation, answer)
	w.Header().Set("Content-Type", "application/xml")
	if fault != nil {
		w.WriteHeader(fault.status)
		out = errorResponse{Code: fault.code, Message: fault.message, RequestID: "1"}
	}
	_ = xml.NewEncoder(w).Encode(out)
	return true
}

type apiError struct {
	status        int
	code, message string
}

func bad(code, message string) *apiError { return &apiError{http.StatusBadRequest, code, message} }

// scope is the Region in the credential of a signature.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
var scope = regexp.MustCompile(`Credential=[^/]+/\d{8}/([a-z0-9-]+)/s3/aws4_request`)

func (b *Batch) answer(r *http.Request, operation string, answer func(*http.Request, string) (any, *apiError)) (any, *apiError) {
	for i, f := range b.refusals {
		if f.operation == operation {
			b.refusals = slices.Delete(b.refusals, i, i+1)
			return nil, &apiError{f.status, f.code, "refused by the test"}
		}
	}
	account := r.Header.Get("X-Amz-Account-Id")
	region := scope.FindStringSubmatch(r.Header.Get("Authorization"))
	if region == nil || !strings.HasPrefix(r.Host, account+".") {
		return nil, bad("InvalidRequest", "the host is not the account's, or nothing is signed")
	}
	return answer(r, account+"/"+region[1])
}

// createJob is the request, as far as it matters here.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_CreateJob.html
type createJob struct {
	body                 string
	ClientRequestToken   string
	ConfirmationRequired bool
	Description          string
	RoleARN              string `xml:"RoleArn"`
	Priority             *int
	Operation            struct {
		S3ReplicateObject *struct{}
	}
	Report struct {
		Enabled bool
		Bucket  string
	}
	Manifest *struct {
		Spec struct {
			Format string
			Fields []string `xml:"Fields>member"`
		}
		Location struct {
			ETag      string
			ObjectARN string `xml:"ObjectArn"`
		}
	}
	ManifestGenerator *struct {
		S3JobManifestGenerator struct {
			SourceBucket string
			Filter       struct {
				CreatedAfter              *time.Time
				CreatedBefore             *time.Time
				ObjectReplicationStatuses []string `xml:"ObjectReplicationStatuses>member"`
			}
		}
	}
}

var roleARN = regexp.MustCompile(`^arn:[^:]+:iam::\d{12}:role/.+$`)

func (b *Batch) create(r *http.Request, place string) (any, *apiError) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, bad("BadRequestException", err.Error())
	}
	q := createJob{body: string(body)}
	if err := xml.Unmarshal(body, &q); err != nil {
		return nil, bad("MalformedXML", err.Error())
	}
	switch {
	case q.ClientRequestToken == "" || len(q.ClientRequestToken) > 64 || len(q.Description) > 256:
		return nil, bad("BadRequestException", "a token has 1 to 64 characters and a description at most 256")
	case q.Priority == nil || !roleARN.MatchString(q.RoleARN) || q.Operation.S3ReplicateObject == nil || q.Report.Bucket == "":
		return nil, bad("BadRequestException", "something that is required is missing")
	case (q.Manifest == nil) == (q.ManifestGenerator == nil):
		return nil, bad("BadRequestException", "a job has either a manifest or a generator")
	}
	digest := sha256.Sum256(body)
	for _, j := range b.jobs {
		if j.place == place && j.token == q.ClientRequestToken && !j.expired {
			if j.digest != digest {
				return nil, bad("IdempotencyException", "the token was used with another request")
			}
			return createJobResult{JobID: j.id}, nil
		}
	}
	j := &batchJob{
		place: place, token: q.ClientRequestToken, digest: digest, request: q, created: time.Now().UTC(), status: "New",
		authorization: r.Header.Get("Authorization"), id: fmt.Sprintf("00000000-0000-4000-8000-%012d", len(b.jobs)+1),
	}
	b.jobs = append(b.jobs, j)
	return createJobResult{JobID: j.id}, nil
}

func (b *Batch) describe(place, id string) (any, *apiError) {
	j := b.find(place, id)
	if j == nil {
		return nil, &apiError{http.StatusNotFound, "NoSuchJobException", "No such job"}
	}
	if b.Swift {
		for !j.over() && j.status != "Suspended" {
			b.advance(j)
		}
	}
	out := describeJobResult{Job: j.descriptor()}
	b.advance(j)
	return out, nil
}

func (b *Batch) list(r *http.Request, place string) (any, *apiError) {
	query := r.URL.Query()
	from, _ := strconv.Atoi(query.Get("nextToken"))
	most, _ := strconv.Atoi(query.Get("maxResults"))
	if b.PageSize > 0 {
		most = b.PageSize
	}
	out := listJobsResult{}
	for i, j := range b.jobs[min(from, len(b.jobs)):] {
		if most > 0 && i == most {
			out.NextToken = strconv.Itoa(from + i)
			break
		}
		if j.place == place {
			d := j.descriptor()
			d.Operation = "S3ReplicateObject"
			out.Jobs = append(out.Jobs, d)
		}
	}
	return out, nil
}

// update cancels a job; nothing else is asked of it here.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_UpdateJobStatus.html
func (b *Batch) update(r *http.Request, place, id string) (any, *apiError) {
	j, query := b.find(place, id), r.URL.Query()
	switch {
	case j == nil:
		return nil, &apiError{http.StatusNotFound, "NoSuchJobException", "No such job"}
	case j.over() || query.Get("requestedJobStatus") != "Cancelled":
		return nil, bad("JobStatusException", "the job cannot go there")
	}
	j.status, j.reason = "Cancelled", query.Get("statusUpdateReason")
	return updateJobStatusResult{JobID: j.id, Status: j.status}, nil
}

func (b *Batch) find(place, id string) *batchJob {
	for _, j := range b.jobs {
		if j.place == place && j.id == id {
			return j
		}
	}
	return nil
}

func (j *batchJob) over() bool {
	return j.status == "Complete" || j.status == "Failed" || j.status == "Cancelled"
}

// advance goes one state further.
func (b *Batch) advance(j *batchJob) {
	switch j.status {
	case "New":
		j.status = "Preparing"
	case "Preparing":
		j.status = "Ready"
		if j.request.ConfirmationRequired {
			j.status = "Suspended" // nobody confirms anything here
		}
		if fault := b.prepare(j); fault != nil {
			j.status, j.failures = "Failed", []jobFailure{*fault}
		}
	case "Ready":
		j.status = "Active"
	case "Active":
		for _, v := range j.versions {
			b.replicate(j, v)
		}
		j.status = "Complete"
	}
}

func (b *Batch) replicate(j *batchJob, v Version) {
	if b.statuses[v] == "" || b.Replicate != nil && !b.Replicate(v.Bucket, v.Key, v.ID) {
		j.failed++
		return
	}
	j.succeeded++
	b.statuses[v] = "COMPLETED"
}

// prepare finds the versions of a job.
func (b *Batch) prepare(j *batchJob) *jobFailure {
	if j.request.Manifest != nil {
		return b.readManifest(j)
	}
	g := j.request.ManifestGenerator.S3JobManifestGenerator
	bucket := g.SourceBucket[strings.LastIndexByte(g.SourceBucket, ':')+1:]
	for v, status := range b.statuses {
		if status == "" {
			status = "NONE"
		}
		if v.Bucket != bucket || len(g.Filter.ObjectReplicationStatuses) > 0 && !slices.Contains(g.Filter.ObjectReplicationStatuses, status) {
			continue
		}
		response, _, err := b.get(j, http.MethodHead, v.Bucket, v.Key, v.ID)
		if err != nil {
			return &jobFailure{"ManifestGenerationFailed", err.Error()}
		}
		written, err := http.ParseTime(response.Header.Get("Last-Modified"))
		if err != nil {
			return &jobFailure{"ManifestGenerationFailed", err.Error()}
		}
		if after := g.Filter.CreatedAfter; after != nil && !written.After(*after) {
			continue
		}
		if before := g.Filter.CreatedBefore; before != nil && !written.Before(*before) {
			continue
		}
		j.versions = append(j.versions, v)
	}
	if len(j.versions) == 0 {
		return &jobFailure{"ManifestGenerationFailed", "Manifest generation found no keys matching the filter criteria."}
	}
	return nil
}

// readManifest reads a CSV manifest from moto.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html#specify-batchjob-manifest
func (b *Batch) readManifest(j *batchJob) *jobFailure {
	const code = "InvalidManifestContent"
	m := j.request.Manifest
	path := m.Location.ObjectARN[strings.LastIndexByte(m.Location.ObjectARN, ':')+1:]
	bucket, key, _ := strings.Cut(path, "/")
	response, text, err := b.get(j, http.MethodGet, bucket, key, "")
	switch {
	case err != nil:
		return &jobFailure{code, err.Error()}
	case strings.Trim(response.Header.Get("ETag"), `"`) != m.Location.ETag:
		return &jobFailure{"ManifestETagMismatch", "the manifest is not the one of the request"}
	case strings.HasPrefix(response.Header.Get("X-Amz-Server-Side-Encryption"), "aws:kms"):
		return &jobFailure{code, "a manifest is not encrypted with KMS"}
	case m.Spec.Format != "S3BatchOperations_CSV_20180820" || !slices.Equal(m.Spec.Fields, []string{"Bucket", "Key", "VersionId"}):
		return &jobFailure{code, "this cloud knows only the columns bucket, key and version ID"}
	}
	rows := csv.NewReader(bytes.NewReader(text))
	rows.FieldsPerRecord = 3
	all, err := rows.ReadAll()
	if err != nil {
		return &jobFailure{code, err.Error()}
	}
	for _, row := range all {
		key, err := url.QueryUnescape(row[1])
		if err != nil || row[0] != all[0][0] {
			return &jobFailure{code, "keys are encoded as in a URL, and all of one bucket"}
		}
		j.versions = append(j.versions, Version{row[0], key, row[2]})
	}
	return nil
}

// get asks moto in the account of who made the job: moto takes that from the access key, and verifies no signature.
func (b *Batch) get(j *batchJob, method, bucket, key, version string) (*http.Response, []byte, error) {
	at := url.URL{Path: "/" + bucket + "/" + key}
	if version != "" {
		at.RawQuery = url.Values{"versionId": {version}}.Encode()
	}
	request, err := http.NewRequest(method, b.url+at.String(), nil) //nolint:noctx // moto is on this machine
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Authorization", j.authorization)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, at.Path, response.Status)
	}
	return response, text, err
}

// head adds what moto does not know to its answer.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
func (b *Batch) head(response *http.Response) error {
	bucket, key, ok := strings.Cut(strings.TrimPrefix(response.Request.URL.Path, "/"), "/")
	if !ok {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if status := b.statuses[Version{bucket, key, response.Header.Get("X-Amz-Version-Id")}]; status != "" {
		response.Header.Set("X-Amz-Replication-Status", status)
	}
	return nil
}

func (j *batchJob) descriptor() jobDescriptor {
	return jobDescriptor{
		JobID: j.id, Description: j.request.Description, Status: j.status, RoleARN: j.request.RoleARN,
		CreationTime: j.created.Format(time.RFC3339), StatusUpdateReason: j.reason, FailureReasons: j.failures,
		Total: len(j.versions), Succeeded: j.succeeded, Failed: j.failed,
	}
}

// The answers.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_DescribeJob.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListJobs.html
type (
	createJobResult struct {
		XMLName xml.Name `xml:"CreateJobResult"`
		JobID   string   `xml:"JobId"`
	}
	updateJobStatusResult struct {
		XMLName xml.Name `xml:"UpdateJobStatusResult"`
		JobID   string   `xml:"JobId"`
		Status  string
	}
	describeJobResult struct {
		XMLName xml.Name `xml:"DescribeJobResult"`
		Job     jobDescriptor
	}
	listJobsResult struct {
		XMLName   xml.Name        `xml:"ListJobsResult"`
		Jobs      []jobDescriptor `xml:"Jobs>member"`
		NextToken string          `xml:",omitempty"`
	}
	jobDescriptor struct {
		JobID              string `xml:"JobId"`
		Description        string
		Status             string
		Operation          string `xml:",omitempty"`
		RoleARN            string `xml:"RoleArn"`
		CreationTime       string
		StatusUpdateReason string       `xml:",omitempty"`
		FailureReasons     []jobFailure `xml:"FailureReasons>member"`
		Total              int          `xml:"ProgressSummary>TotalNumberOfTasks"`
		Succeeded          int          `xml:"ProgressSummary>NumberOfTasksSucceeded"`
		Failed             int          `xml:"ProgressSummary>NumberOfTasksFailed"`
	}
	jobFailure struct {
		Code   string `xml:"FailureCode"`
		Reason string `xml:"FailureReason"`
	}
	errorResponse struct {
		XMLName   xml.Name `xml:"ErrorResponse"`
		Code      string   `xml:"Error>Code"`
		Message   string   `xml:"Error>Message"`
		RequestID string   `xml:"RequestId"`
	}
)
