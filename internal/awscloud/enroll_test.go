package awscloud_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/enroll"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/snapshot"
)

// enrolling is a route in moto of which nothing is switched on: two rules, of which the second has Replication Time Control, and a
// notification of somebody else.
type enrolling struct {
	source, destination awscloud.Place
	edge                awscloud.Enroller
	target              string     // a topic for the events of failures
	client              *s3.Client // of the source account
}

func newEnrolling(t *testing.T, s *mototest.Server, url string) enrolling {
	t.Helper()
	ctx := t.Context()
	e := enrolling{
		source:      awscloud.Place{Bucket: s.Name(t, "source"), Account: s.Account(), Region: "us-east-1"},
		destination: awscloud.Place{Bucket: s.Name(t, "destination"), Account: s.Account(), Region: "eu-west-1"},
	}
	byPath := func(o *s3.Options) { o.UsePathStyle = true }
	e.edge = awscloud.Enroller{
		Config: func(account, region string) aws.Config { return s.ConfigAt(t, url, account, region) }, Settle: time.Millisecond,
	}
	e.client = s3.NewFromConfig(s.Config(t, e.source.Account, e.source.Region), byPath)
	far := s3.NewFromConfig(s.Config(t, e.destination.Account, e.destination.Region), byPath)
	made(t)(e.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &e.source.Bucket}))
	made(t)(far.CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket: &e.destination.Bucket, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(e.destination.Region)},
	}))
	on := &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}
	made(t)(e.client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket:                  &e.source.Bucket,
		VersioningConfiguration: on,
	}))
	made(t)(far.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket:                  &e.destination.Bucket,
		VersioningConfiguration: on,
	}))
	bucket := aws.String("arn:aws:s3:::" + e.destination.Bucket)
	minutes := &types.ReplicationTimeValue{Minutes: aws.Int32(15)}
	off := &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled}
	made(t)(e.client.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{
		Bucket: &e.source.Bucket,
		ReplicationConfiguration: &types.ReplicationConfiguration{
			Role: aws.String("arn:aws:iam::" + e.source.Account + ":role/replication"),
			Rules: []types.ReplicationRule{
				{
					ID: aws.String("r1"), Priority: aws.Int32(1), Status: types.ReplicationRuleStatusEnabled, DeleteMarkerReplication: off,
					Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")}, Destination: &types.Destination{Bucket: bucket},
				},
				{
					ID: aws.String("r2"), Priority: aws.Int32(2), Status: types.ReplicationRuleStatusEnabled, DeleteMarkerReplication: off,
					Filter: &types.ReplicationRuleFilter{Prefix: aws.String("fast/")},
					Destination: &types.Destination{
						Bucket: bucket, StorageClass: types.StorageClassGlacier,
						ReplicationTime: &types.ReplicationTime{Status: types.ReplicationTimeStatusEnabled, Time: minutes},
						Metrics:         &types.Metrics{Status: types.MetricsStatusEnabled, EventThreshold: minutes},
					},
				},
			},
		},
	}))
	topics := sns.NewFromConfig(s.Config(t, e.source.Account, e.source.Region))
	uploads := made(t)(topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("uploads")})).(*sns.CreateTopicOutput)
	failures := made(t)(topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("failures")})).(*sns.CreateTopicOutput)
	made(t)(e.client.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
		Bucket: &e.source.Bucket, NotificationConfiguration: &types.NotificationConfiguration{TopicConfigurations: []types.TopicConfiguration{{
			Id: aws.String("uploads"), TopicArn: uploads.TopicArn, Events: []types.Event{"s3:ObjectCreated:*"},
			Filter: &types.NotificationConfigurationFilter{Key: &types.S3KeyFilter{FilterRules: []types.FilterRule{{Name: types.FilterRuleNameSuffix, Value: aws.String(".csv")}}}},
		}}},
	}))
	e.target = *failures.TopicArn
	return e
}

// made takes the two results of a call and fails the test on an error.
func made(t *testing.T) func(out any, err error) any {
	return func(out any, err error) any {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func (e enrolling) live(t *testing.T) enroll.Live {
	t.Helper()
	live, err := e.edge.Live(t.Context(), e.source, e.destination)
	if err != nil {
		t.Fatal(err)
	}
	return live
}

// step is a step of that kind as package enroll makes it from what is live.
func (e enrolling) step(t *testing.T, kind enroll.Kind) enroll.Step {
	t.Helper()
	live, on := e.live(t), jsontree.Obj().With("Status", jsontree.Str("Enabled"))
	s := enroll.Step{Kind: kind, Bucket: e.source.Bucket, Account: e.source.Account, Region: e.source.Region}
	switch kind {
	case enroll.DestinationVersioning:
		s.Bucket, s.Account, s.Region = e.destination.Bucket, e.destination.Account, e.destination.Region
		s.Before, s.After = live.DestinationVersioning.V, on
	case enroll.Metrics:
		s.Before = live.Replication.V
		rules := slices.Clone(s.Before.Get("Rules").Items)
		rules[0] = rules[0].With("Destination", rules[0].Get("Destination").With("Metrics", on))
		s.After = s.Before.With("Rules", jsontree.List(rules...))
	case enroll.FailureNotification:
		s.Before = live.Notification.V
		entry := jsontree.Obj().With("Id", jsontree.Str(enroll.NotificationID)).With("TopicArn", jsontree.Str(e.target)).
			With("Events", jsontree.List(jsontree.Str("s3:Replication:OperationFailedReplication"),
				jsontree.Str("s3:Replication:OperationNotTracked")))
		s.After = s.Before.With("TopicConfigurations", jsontree.List(append(slices.Clone(s.Before.Get("TopicConfigurations").Items), entry)...))
	default:
		t.Fatalf("no step of kind %s", kind)
	}
	return s
}

// TestEnrolWritesWhatWasShown: the steps are written, everything else stays, and writing a step again writes nothing.
func TestEnrolWritesWhatWasShown(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	var writes atomic.Int64
	e := newEnrolling(t, s, s.Proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			writes.Add(1)
		}
		return false
	}))
	steps := []enroll.Step{e.step(t, enroll.Metrics), e.step(t, enroll.FailureNotification)}
	for _, step := range steps {
		after, err := e.edge.Write(t.Context(), step)
		if err != nil {
			t.Fatal(err)
		}
		if !enroll.Holds(after, step.After) {
			t.Errorf("%s: live\n%s\nwant\n%s", step.Kind, after.Indent(), step.After.Indent())
		}
	}
	got := made(t)(e.client.GetBucketReplication(t.Context(),
		&s3.GetBucketReplicationInput{Bucket: &e.source.Bucket})).(*s3.GetBucketReplicationOutput)
	rules := got.ReplicationConfiguration.Rules
	if len(rules) != 2 || rules[0].Destination.Metrics == nil || rules[0].Destination.Metrics.EventThreshold != nil ||
		rules[1].Destination.ReplicationTime == nil || *rules[1].Destination.Metrics.EventThreshold.Minutes != 15 ||
		rules[1].Destination.StorageClass != types.StorageClassGlacier {
		t.Errorf("rules %+v", rules)
	}
	told := made(t)(e.client.GetBucketNotificationConfiguration(t.Context(),
		&s3.GetBucketNotificationConfigurationInput{Bucket: &e.source.Bucket})).(*s3.GetBucketNotificationConfigurationOutput)
	if len(told.TopicConfigurations) != 2 || *told.TopicConfigurations[0].Id != "uploads" ||
		*told.TopicConfigurations[0].Filter.Key.FilterRules[0].Value != ".csv" {
		t.Errorf("notifications %+v", told.TopicConfigurations)
	}
	for _, step := range steps {
		if _, err := e.edge.Write(t.Context(), step); err != nil || writes.Load() != int64(len(steps)) {
			t.Errorf("write %s again: %v, %d writes", step.Kind, err, writes.Load())
		}
	}
}

// TestEnrolVersioningOfTheOtherAccount: never enabled is an empty document, and the owner's credentials enable it.
func TestEnrolVersioningOfTheOtherAccount(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	e := newEnrolling(t, s, s.URL)
	far := s3.NewFromConfig(s.Config(t, e.destination.Account, "us-east-1"), func(o *s3.Options) { o.UsePathStyle = true })
	e.destination.Bucket, e.destination.Region = s.Name(t, "bare"), "us-east-1"
	made(t)(far.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &e.destination.Bucket}))
	step := e.step(t, enroll.DestinationVersioning)
	if step.Before.Indent() != "{}" || step.Account != e.destination.Account {
		t.Errorf("step in account %s from %s", step.Account, step.Before.Indent())
	}
	after, err := e.edge.Write(t.Context(), step)
	if err != nil || after.Get("Status").Text != "Enabled" {
		t.Errorf("after %s, %v", after.Indent(), err)
	}
}

// TestEnrolWritesNothingOnDrift: a document that changed since it was shown is left alone.
func TestEnrolWritesNothingOnDrift(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	var writes atomic.Int64
	e := newEnrolling(t, s, s.Proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			writes.Add(1)
		}
		return false
	}))
	step := e.step(t, enroll.FailureNotification)
	made(t)(e.client.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{
		Bucket: &e.source.Bucket, NotificationConfiguration: &types.NotificationConfiguration{TopicConfigurations: []types.TopicConfiguration{{
			Id: aws.String("of-somebody-else"), TopicArn: &e.target, Events: []types.Event{"s3:ObjectRemoved:*"},
		}}},
	}))
	live, err := e.edge.Write(t.Context(), step)
	if !errors.Is(err, snapshot.ErrDrift) || !strings.Contains(live.Indent(), "of-somebody-else") || writes.Load() != 0 {
		t.Errorf("%v, %d writes, live %s", err, writes.Load(), live.Indent())
	}
}

// TestEnrolTriesNoWriteAgain: between two attempts there is time for somebody else, whose configuration the second would replace.
func TestEnrolTriesNoWriteAgain(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	var writes atomic.Int64
	var meanwhile func()
	e := newEnrolling(t, s, s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || writes.Add(1) > 1 {
			return false
		}
		meanwhile()
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "<Error><Code>SlowDown</Code><Message>later</Message></Error>")
		return true
	}))
	meanwhile = func() {
		if _, err := e.client.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{
			Bucket: &e.source.Bucket, NotificationConfiguration: &types.NotificationConfiguration{TopicConfigurations: []types.TopicConfiguration{{
				Id: aws.String("of-somebody-else"), TopicArn: &e.target, Events: []types.Event{"s3:ObjectRemoved:*"},
			}}},
		}); err != nil {
			t.Error(err)
		}
	}
	_, err := e.edge.Write(t.Context(), e.step(t, enroll.FailureNotification))
	if left := e.live(t).Notification.V.Indent(); awserr.Of(err) != awserr.Throttled || !strings.Contains(left, "of-somebody-else") {
		t.Errorf("%v: %s", err, left)
	}
}

// rewriting is a proxy that changes what S3 answers to one kind of read, and counts what is written.
func rewriting(t *testing.T, s *mototest.Server, query, from, to string, writes *atomic.Int64) string {
	t.Helper()
	return s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			writes.Add(1)
		}
		if r.Method != http.MethodGet || !r.URL.Query().Has(query) {
			return false
		}
		again, err := http.NewRequestWithContext(r.Context(), r.Method, s.URL+r.URL.RequestURI(), nil)
		if err != nil {
			t.Error(err)
			return false
		}
		again.Header = r.Header.Clone()
		again.Host = r.Host
		response, err := http.DefaultTransport.RoundTrip(again)
		if err != nil {
			t.Error(err)
			return false
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil || !strings.Contains(string(text), from) {
			t.Errorf("answer to %s lacks %q: %s, %v", query, from, text, err)
		}
		w.Header().Set("Content-Type", response.Header.Get("Content-Type"))
		w.WriteHeader(response.StatusCode)
		_, _ = io.WriteString(w, strings.ReplaceAll(string(text), from, to))
		return true
	})
}

// TestEnrolRefusesToDropWhatItDoesNotKnow: the SDK leaves out elements that it does not know, and a write would take them away.
func TestEnrolRefusesToDropWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	tests := map[string]struct {
		query, from, to, want string
		kind                  enroll.Kind
	}{
		"replication": {
			"replication", "<ID>r2</ID>", "<ID>r2</ID><Pace><Objects>5</Objects></Pace>", "Rule/Pace/Objects", enroll.Metrics,
		},
		"notification": {
			"notification", "<Id>uploads</Id>", "<Id>uploads</Id><Batching>on</Batching>", "TopicConfiguration/Batching", enroll.FailureNotification,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var writes atomic.Int64
			e := newEnrolling(t, s, rewriting(t, s, tt.query, tt.from, tt.to, &writes))
			_, err := e.edge.Write(t.Context(), e.step(t, tt.kind))
			if err == nil || !strings.Contains(err.Error(), tt.want) || writes.Load() != 0 {
				t.Errorf("%v after %d writes, want a refusal that names %s", err, writes.Load(), tt.want)
			}
		})
	}
}

// TestEnrolSaysWhenAWriteDoesNotShow: S3 took the write and goes on to answer what was there before.
func TestEnrolSaysWhenAWriteDoesNotShow(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	e := newEnrolling(t, s, s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
		return r.Method == http.MethodPut // answered with 200 and nothing done
	}))
	_, err := e.edge.Write(t.Context(), e.step(t, enroll.Metrics))
	if err == nil || !strings.Contains(err.Error(), "does not show it") {
		t.Errorf("error %v", err)
	}
}

// TestEnrolNamesTheOwner: every call says whose bucket it has to be, and destinations are validated.
func TestEnrolNamesTheOwner(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	e := newEnrolling(t, s, s.Proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if got := r.Header.Get("X-Amz-Expected-Bucket-Owner"); len(got) != 12 {
			t.Errorf("%s %s: expected owner %q", r.Method, r.URL, got)
		}
		if r.Method == http.MethodPut && r.URL.Query().Has("notification") &&
			r.Header.Get("X-Amz-Skip-Destination-Validation") != "false" {
			t.Errorf("%s %s: destinations are not validated", r.Method, r.URL)
		}
		return false
	}))
	for _, step := range []enroll.Step{e.step(t, enroll.Metrics), e.step(t, enroll.FailureNotification)} {
		if _, err := e.edge.Write(t.Context(), step); err != nil {
			t.Error(err)
		}
	}
}

// TestLiveKeepsRefusalsApart: what may not be read is missing with the code of the error, and a failure of the service is an error.
func TestLiveKeepsRefusalsApart(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	refuse := func(status int, code string) string {
		return s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
			if !r.URL.Query().Has("notification") {
				return false
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>no</Message></Error>")
			return true
		})
	}
	e := newEnrolling(t, s, refuse(http.StatusForbidden, "AccessDenied"))
	live, err := e.edge.Live(t.Context(), e.source, e.destination)
	if err != nil || live.Notification.State != snapshot.Missing || live.Notification.Why != "AccessDenied" ||
		live.Replication.State != snapshot.Present {
		t.Errorf("live %+v, %v", live.Notification, err)
	}
	e = newEnrolling(t, s, refuse(http.StatusBadRequest, "SomethingNew"))
	if _, err := e.edge.Live(t.Context(), e.source, e.destination); err == nil {
		t.Error("an answer that nobody knows is no error")
	}
	e = newEnrolling(t, s, refuse(http.StatusNotFound, "NoSuchBucket"))
	if live, err := e.edge.Live(t.Context(), e.source, e.destination); err == nil {
		t.Errorf("a bucket that does not exist has the configuration %+v", live)
	}
	e = newEnrolling(t, s, s.URL)
	live, err = e.edge.Live(t.Context(), e.source, awscloud.Place{Bucket: e.destination.Bucket})
	if err != nil || live.DestinationVersioning.State != snapshot.Missing || live.SourceVersioning.State != snapshot.Present {
		t.Errorf("versioning of a bucket whose owner is not known: %+v, %v", live.DestinationVersioning, err)
	}
}

// TestEnrolStopsWhenTheCallerGivesUp while what was written is waited for.
func TestEnrolStopsWhenTheCallerGivesUp(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	ctx, cancel := context.WithCancel(t.Context())
	e := newEnrolling(t, s, s.Proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			cancel()
			return true
		}
		return false
	}))
	e.edge.Settle = time.Hour
	if _, err := e.edge.Write(ctx, e.step(t, enroll.Metrics)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
