package trails_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cttypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/snapshot"
	"github.com/replimend/replimend/internal/trails"
)

// record makes a trail of every Region in us-east-1 that excludes KMS and has been started, and one of us-east-1 alone that has not.
func record(t *testing.T, s *mototest.Server, account string) {
	t.Helper()
	cfg := s.Config(t, account, "us-east-1")
	bucket := s.Name(t, "trail")
	made(t)(s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(t.Context(),
		&s3.CreateBucketInput{Bucket: &bucket}))
	client := cloudtrail.NewFromConfig(cfg)
	made(t)(client.CreateTrail(t.Context(), &cloudtrail.CreateTrailInput{
		Name: aws.String("everywhere"), S3BucketName: &bucket, IsMultiRegionTrail: aws.Bool(true), IncludeGlobalServiceEvents: aws.Bool(true),
	}))
	made(t)(client.StartLogging(t.Context(), &cloudtrail.StartLoggingInput{Name: aws.String("everywhere")}))
	made(t)(client.PutEventSelectors(t.Context(), &cloudtrail.PutEventSelectorsInput{
		TrailName: aws.String("everywhere"),
		EventSelectors: []cttypes.EventSelector{{
			IncludeManagementEvents: aws.Bool(true), ReadWriteType: cttypes.ReadWriteTypeAll, ExcludeManagementEventSources: []string{"kms.amazonaws.com"},
		}},
	}))
	made(t)(client.CreateTrail(t.Context(), &cloudtrail.CreateTrailInput{
		Name: aws.String("here"), S3BucketName: &bucket,
		IncludeGlobalServiceEvents: aws.Bool(false),
	}))
	made(t)(client.PutEventSelectors(t.Context(), &cloudtrail.PutEventSelectorsInput{
		TrailName: aws.String("here"),
		AdvancedEventSelectors: []cttypes.AdvancedEventSelector{{
			Name: aws.String("management"), FieldSelectors: []cttypes.AdvancedFieldSelector{
				{Field: aws.String("eventCategory"), Equals: []string{"Management"}},
				{Field: aws.String("eventSource"), NotEquals: []string{"kms.amazonaws.com"}},
			},
		}},
	}))
}

// reader has one account's credentials everywhere.
func reader(cfg aws.Config) trails.Reader {
	return func(_, region string) aws.Config {
		cfg := cfg.Copy()
		cfg.Region = region
		return cfg
	}
}

func TestReadsSelectorsWhereATrailIsAtHome(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	account := s.Account()
	record(t, s, account)
	everywhere := preflight.Trail{
		ARN: "arn:aws:cloudtrail:us-east-1:" + account + ":trail/everywhere", HomeRegion: "us-east-1", MultiRegion: true, GlobalEvents: true,
		Logging: snapshot.Of(true), Selectors: snapshot.Of([]preflight.Selector{
			{Management: true, ReadWrite: "All", Exclude: []string{"kms.amazonaws.com"}},
		}),
	}
	here := preflight.Trail{
		ARN: "arn:aws:cloudtrail:us-east-1:" + account + ":trail/here", HomeRegion: "us-east-1", Logging: snapshot.Of(false),
		Selectors: snapshot.Of([]preflight.Selector{{Fields: []preflight.Field{
			{Name: "eventCategory", Equals: []string{"Management"}},
			{Name: "eventSource", NotEquals: []string{"kms.amazonaws.com"}},
		}}}),
	}
	for region, want := range map[string][]preflight.Trail{"us-east-1": {everywhere, here}, "eu-west-1": {everywhere}} {
		got, err := trails.Read(t.Context(), reader(s.Config(t, account, "us-east-1")), account, region)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(preflight.Trails{Account: account, Region: region, List: want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", region, diff)
		}
	}
}

// TestKeepsRefusalsApart: what is refused is missing with the code, one call at a time.
func TestKeepsRefusalsApart(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	account := s.Account()
	record(t, s, account)
	tests := map[string]struct {
		call, code string
		status     int
		check      func(got preflight.Trails) bool
		fails      bool
	}{
		"describe": {
			"DescribeTrails", "AccessDeniedException", 400,
			func(got preflight.Trails) bool { return got.Code == "AccessDeniedException" && got.List == nil }, false,
		},
		"status": {
			"GetTrailStatus", "AccessDeniedException", 400,
			func(got preflight.Trails) bool { return unread(got, true, false) }, false,
		},
		"selectors": {
			"GetEventSelectors", "AccessDeniedException", 400,
			func(got preflight.Trails) bool { return unread(got, false, true) }, false,
		},
		"gone": {
			"GetEventSelectors", "TrailNotFoundException", 400,
			func(got preflight.Trails) bool { return unread(got, false, true) }, false,
		},
		"new error": {"GetEventSelectors", "SomethingNewException", 400, nil, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+tt.call) {
					return false
				}
				w.Header().Set("Content-Type", "application/x-amz-json-1.1")
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, `{"__type": "`+tt.code+`", "message": "no"}`)
				return true
			})
			got, err := trails.Read(t.Context(), reader(s.ConfigAt(t, url, account, "us-east-1")), account, "us-east-1")
			if (err != nil) != tt.fails || tt.check != nil && !tt.check(got) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// unread says whether just that of two trails is not known.
func unread(got preflight.Trails, logging, selectors bool) bool {
	for _, t := range got.List {
		if (t.Logging.State == snapshot.Missing) != logging || (t.Selectors.State == snapshot.Missing) != selectors ||
			t.Code == "" {
			return false
		}
	}
	return len(got.List) == 2
}

func made(t *testing.T) func(out any, err error) {
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}
