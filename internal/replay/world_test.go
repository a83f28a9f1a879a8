package replay_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/replay"
	"github.com/replimend/replimend/internal/settings"
)

func TestMain(m *testing.M) { mototest.Main(m) }

const region = "eu-west-1"

// world is one account with a bucket of which objects failed, and the job service of it.
type world struct {
	account, source, reports string
	batch                    *mototest.Batch
	cfg                      aws.Config
	replayer                 *replay.Replayer
	waits                    atomic.Int64 // of Follow
}

// newWorld lets handle see every request before the job service does; nil: nothing.
func newWorld(t *testing.T, handle func(http.ResponseWriter, *http.Request) bool) *world {
	t.Helper()
	s := mototest.Start(t)
	w := &world{account: s.Account(), source: s.Name(t, "source"), reports: s.Name(t, "reports"), batch: s.Batch(t)}
	address := s.Proxy(t, func(rw http.ResponseWriter, r *http.Request) bool {
		return handle != nil && handle(rw, r) || w.batch.Handle(rw, r)
	})
	w.cfg = s.ConfigAt(t, address, w.account, region)
	w.cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	for _, bucket := range []string{w.source, w.reports} {
		_, err := w.storage().CreateBucket(t.Context(), &s3.CreateBucketInput{
			Bucket:                    aws.String(bucket),
			CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: region},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.storage().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket:                  aws.String(w.source),
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.replayer = replay.New(w.options())
	return w
}

// options are those of a member. Nothing waits.
func (w *world) options() replay.Options {
	return replay.Options{
		Config: func(string, string, string) (aws.Config, error) { return w.cfg, nil },
		Read:   func(string, string) aws.Config { return w.cfg },
		Batch: func(account, _ string) (policy.ARN, string) {
			return settings.Batch.ARN("aws", account), w.reports
		},
		Locate: func(string) (string, string, bool) { return w.account, region, true },
		Wait: func(ctx context.Context, _ int) error {
			if w.waits.Add(1) > 100 {
				return errors.New("the job does not end")
			}
			return ctx.Err()
		},
	}
}

func (w *world) storage() *s3.Client {
	return s3.NewFromConfig(w.cfg, func(o *s3.Options) { o.UsePathStyle = true })
}

// put writes a version that failed.
func (w *world) put(t *testing.T, key string) incident.Object {
	t.Helper()
	out, err := w.storage().PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(w.source), Key: aws.String(key), Body: strings.NewReader(key),
		ServerSideEncryption: s3types.ServerSideEncryptionAes256,
	})
	if err != nil {
		t.Fatal(err)
	}
	o := incident.Object{Key: key, VersionID: aws.ToString(out.VersionId), Size: int64(len(key))}
	w.batch.SetStatus(mototest.Version{Bucket: w.source, Key: key, ID: o.VersionID}, "FAILED")
	return o
}

// request is for objects that were just written.
func (w *world) request(objects ...incident.Object) incident.Replay {
	return incident.Replay{
		Incident: "inc-0123456789abcdef0123", Bucket: w.source, Account: w.account, Region: region,
		Since: time.Now().Add(-time.Minute), Until: time.Now().Add(time.Minute), Objects: objects,
	}
}

// status is what S3 says of a version.
func (w *world) status(t *testing.T, o incident.Object) string {
	t.Helper()
	head, err := w.replayer.Head(t.Context(), w.source, o.Key, o.VersionID)
	if err != nil {
		t.Fatal(err)
	}
	return head.ReplicationStatus.V
}

// follow sees a job to its end.
func (w *world) follow(t *testing.T, q incident.Replay, job incident.Job) incident.Job {
	t.Helper()
	job, err := w.replayer.Follow(t.Context(), q, job, func(incident.Job) {})
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// manifests are the keys of the manifests that were written.
func (w *world) manifests(t *testing.T) []string {
	t.Helper()
	out, err := w.storage().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(w.reports)})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range out.Contents {
		keys = append(keys, aws.ToString(o.Key))
	}
	return keys
}
