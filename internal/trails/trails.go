// Package trails reads what CloudTrail records. It is apart from what reads documents because a preflight alone asks, and the client
// of CloudTrail would cost every function half a millisecond of its cold start.
package trails

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/snapshot"
)

// A Reader has the credentials that read in an account, in a Region.
type Reader func(account, region string) aws.Config

// Read reads the trails that record a Region of an account, those of other Regions and of the organization included. What AWS
// refuses stays missing, with the code of its error; where AWS did not answer at all there is an error. Shadow trails are asked
// for where they are at home.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
func Read(ctx context.Context, reader Reader, account, region string) (preflight.Trails, error) {
	out := preflight.Trails{Account: account, Region: region}
	client := cloudtrail.NewFromConfig(reader(account, region))
	described, err := client.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)})
	if out.Code, err = awserr.Final(err); err != nil {
		return out, fmt.Errorf("describe trails of account %s in %s: %w", account, region, err)
	}
	if out.Code != "" {
		return out, nil
	}
	for _, t := range described.TrailList {
		trail := preflight.Trail{
			ARN: aws.ToString(t.TrailARN), HomeRegion: aws.ToString(t.HomeRegion), MultiRegion: aws.ToBool(t.IsMultiRegionTrail),
			Organization: aws.ToBool(t.IsOrganizationTrail), GlobalEvents: aws.ToBool(t.IncludeGlobalServiceEvents),
		}
		if err := readTrail(ctx, reader(account, trail.HomeRegion), &trail); err != nil {
			return out, fmt.Errorf("read trail %s: %w", trail.ARN, err)
		}
		out.List = append(out.List, trail)
	}
	return out, nil
}

// readTrail reads, where the trail is at home, whether it is logging, and what.
func readTrail(ctx context.Context, cfg aws.Config, t *preflight.Trail) error {
	client := cloudtrail.NewFromConfig(cfg)
	status, err := client.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: &t.ARN})
	code, err := awserr.Final(err)
	switch {
	case err != nil:
		return err
	case code == "":
		t.Logging = snapshot.Of(aws.ToBool(status.IsLogging))
	}
	t.Code = code
	got, err := client.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: &t.ARN})
	code, err = awserr.Final(err)
	switch {
	case err != nil:
		return err
	case code != "":
		t.Code = code
	default:
		t.Selectors = snapshot.Of(selectors(got))
	}
	return nil
}

func selectors(got *cloudtrail.GetEventSelectorsOutput) []preflight.Selector {
	var out []preflight.Selector
	for _, s := range got.EventSelectors {
		out = append(out, preflight.Selector{
			Management: s.IncludeManagementEvents == nil || *s.IncludeManagementEvents, // the default
			ReadWrite:  string(s.ReadWriteType), Exclude: s.ExcludeManagementEventSources,
		})
	}
	for _, s := range got.AdvancedEventSelectors {
		fields := make([]preflight.Field, len(s.FieldSelectors))
		for i, f := range s.FieldSelectors {
			fields[i] = field(f)
		}
		out = append(out, preflight.Selector{Fields: fields})
	}
	return out
}

func field(f types.AdvancedFieldSelector) preflight.Field {
	return preflight.Field{
		Name: aws.ToString(f.Field), Equals: f.Equals, StartsWith: f.StartsWith, EndsWith: f.EndsWith,
		NotEquals: f.NotEquals, NotStartsWith: f.NotStartsWith, NotEndsWith: f.NotEndsWith,
	}
}
