package awscloud

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

// Trails reads the trails that record a Region of an account, those of other Regions and of the organization included. What AWS
// refuses stays missing, with the code of its error; where AWS did not answer at all there is an error. Shadow trails are asked
// for where they are at home.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html
func (a *Accounts) Trails(ctx context.Context, account, region string) (preflight.Trails, error) {
	out := preflight.Trails{Account: account, Region: region}
	client := cloudtrail.NewFromConfig(a.Reader(account, region))
	described, err := client.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)})
	if out.Code, err = refusedFor(err); err != nil {
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
		if err := a.trail(ctx, account, &trail); err != nil {
			return out, fmt.Errorf("read trail %s: %w", trail.ARN, err)
		}
		out.List = append(out.List, trail)
	}
	return out, nil
}

// trail reads whether a trail is logging, and what.
func (a *Accounts) trail(ctx context.Context, account string, t *preflight.Trail) error {
	client := cloudtrail.NewFromConfig(a.Reader(account, t.HomeRegion))
	status, err := client.GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: &t.ARN})
	code, err := refusedFor(err)
	switch {
	case err != nil:
		return err
	case code == "":
		t.Logging = snapshot.Of(aws.ToBool(status.IsLogging))
	}
	t.Code = code
	got, err := client.GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: &t.ARN})
	code, err = refusedFor(err)
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

// refusedFor parts what AWS answered for good from what another attempt may change: the code of a refusal, or the error.
func refusedFor(err error) (code string, other error) {
	if awserr.Is(err, awserr.Denied, awserr.Absent) {
		return awserr.Code(err), nil
	}
	return "", err
}
