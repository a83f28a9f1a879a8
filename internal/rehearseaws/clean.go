package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/settings"
)

// chore is one thing to be removed.
type chore struct {
	what   string
	remove func(ctx context.Context) error
	byHand string // how a person removes it
}

// clean removes what the run made. It knows the run by its name alone, so that it removes as well what another process left behind. What
// has a fixed name is removed only where this run found neither account with it, or where it has the run's tag. It goes on after
// errors, and says what is left and how to remove it.
func (r *rehearsal) clean(ctx context.Context) error {
	r.say("removing what %s made", r.Name)
	var left []string
	for _, c := range r.chores() {
		if err := c.remove(ctx); err != nil {
			r.say("%s: %v", c.what, err)
			left = append(left, c.byHand)
		}
	}
	if len(left) == 0 {
		r.say("nothing of %s is left; its keys are deleted in 7 days", r.Name)
		return nil
	}
	fmt.Fprintf(r.out, "\nThis is left. Try again with --clean %s (make rehearse-aws CLEAN=%s), or by hand:\n\n", r.Name, r.Name)
	for _, text := range left {
		fmt.Fprintf(r.out, "    %s\n", text)
	}
	return fmt.Errorf("clean up %s: %d things are left", r.Name, len(left))
}

// chores is everything to be removed, in an order in which nothing is in the way.
func (r *rehearsal) chores() []chore {
	var out []chore
	for _, t := range slices.Backward(r.turns()) {
		commands := make([]string, 0, len(t.stacks))
		for _, s := range slices.Backward(t.stacks) {
			commands = append(commands, fmt.Sprintf("aws cloudformation delete-stack --stack-name %s --region %s --profile %s",
				s, r.stackRegion(t.of, s), t.of.Profile))
		}
		out = append(out, chore{
			strings.Join(t.stacks, " "), func(ctx context.Context) error { return r.destroy(ctx, t) }, strings.Join(commands, "\n    "),
		})
	}
	for _, table := range tables {
		out = append(out, chore{
			"table " + table, func(ctx context.Context) error { return r.removeTable(ctx, table) },
			fmt.Sprintf("aws dynamodb update-table --table-name %[1]s --no-deletion-protection-enabled --region %[2]s --profile %[3]s && "+
				"aws dynamodb delete-table --table-name %[1]s --region %[2]s --profile %[3]s", table, r.Source.Region, r.Source.Profile),
		})
	}
	for _, a := range []account{r.Source, r.Destination} {
		bucket := settings.ReportBucket(a.ID, a.Region)
		out = append(out, chore{"bucket " + bucket, func(ctx context.Context) error {
			mine, err := r.taggedBucket(ctx, a, bucket)
			if err != nil || !mine && !r.fresh {
				return err
			}
			return a.removeBucket(ctx, bucket)
		}, byHand(a, bucket)})
	}
	for _, b := range []struct {
		of     account
		bucket string
	}{{r.Source, r.sourceBucket()}, {r.Destination, r.destinationBucket()}} {
		remove := func(ctx context.Context) error { return b.of.removeBucket(ctx, b.bucket) }
		out = append(out, chore{"bucket " + b.bucket, remove, byHand(b.of, b.bucket)})
	}
	out = append(out, chore{
		"role " + r.Name, r.removeRole,
		fmt.Sprintf("aws iam delete-role-policy --role-name %[1]s --policy-name NAME --profile %[2]s   # each of list-role-policies\n"+
			"    aws iam delete-role --role-name %[1]s --profile %[2]s", r.Name, r.Source.Profile),
	})
	for _, a := range []account{r.Source, r.Destination} {
		out = append(out, chore{
			"keys in account " + a.ID, func(ctx context.Context) error { return r.removeKeys(ctx, a) },
			fmt.Sprintf("aws kms schedule-key-deletion --pending-window-in-days 7 --region %s --profile %s --key-id KEY   "+
				"# the key whose description is %s", a.Region, a.Profile, r.Name),
		})
	}
	return out
}

// byHand empties and removes a bucket with versions, which takes more than one command of the AWS CLI: the console's Empty does it.
func byHand(a account, bucket string) string {
	return fmt.Sprintf("aws s3api delete-bucket --bucket %s --region %s --profile %s   # after Empty in the console", bucket, a.Region, a.Profile)
}

// stackRegion is where a stack of an account is: relays are where IAM's events are.
func (r *rehearsal) stackRegion(a account, stack string) string {
	if !strings.HasPrefix(stack, "replimend-relay-") {
		return a.Region
	}
	switch a.partition() {
	case "aws-cn":
		return "cn-north-1"
	case "aws-us-gov":
		return "us-gov-west-1"
	}
	return "us-east-1"
}

// destroy removes stacks. Those of somebody else have the same names.
func (r *rehearsal) destroy(ctx context.Context, t turn) error {
	mine, err := r.deployed(ctx)
	if err != nil || !mine {
		return err
	}
	file, err := r.writeSettings()
	if err != nil {
		return err
	}
	defer os.Remove(file)
	err = r.make(ctx, r.out, t.of.Profile, "destroy", "CONFIG="+file, "STACKS="+strings.Join(t.stacks, " "), "OPTIONS=--force")
	r.stacksLeft = r.stacksLeft || err != nil
	return err
}

// deployed says whether stacks may be there that are this run's.
func (r *rehearsal) deployed(ctx context.Context) (bool, error) {
	if r.fresh {
		return r.deploys, nil
	}
	for _, a := range []account{r.Source, r.Destination} {
		role, err := iam.NewFromConfig(a.cfg).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(string(settings.Reader))})
		if awserr.Is(err, awserr.Absent) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("get role %s: %w", settings.Reader, err)
		}
		for _, tag := range role.Role.Tags {
			if aws.ToString(tag.Key) == prefix && aws.ToString(tag.Value) == r.Name {
				return true, nil
			}
		}
	}
	return r.taggedTable(ctx, tables[0])
}

func (r *rehearsal) taggedTable(ctx context.Context, table string) (bool, error) {
	c := dynamodb.NewFromConfig(r.Source.cfg)
	got, err := c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if awserr.Is(err, awserr.Absent) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("describe table %s: %w", table, err)
	}
	tags, err := c.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: got.Table.TableArn})
	if err != nil {
		return false, fmt.Errorf("list tags of table %s: %w", table, err)
	}
	for _, tag := range tags.Tags {
		if aws.ToString(tag.Key) == prefix && aws.ToString(tag.Value) == r.Name {
			return true, nil
		}
	}
	return false, nil
}

// removeTable removes a table that the stack left behind, with the journal of the rehearsal.
func (r *rehearsal) removeTable(ctx context.Context, table string) error {
	mine, err := r.taggedTable(ctx, table)
	if err != nil || !mine && !r.fresh {
		return err
	}
	if r.stacksLeft {
		return errors.New("it is kept until the stacks are gone: by its tag a later run knows whose they are")
	}
	c := dynamodb.NewFromConfig(r.Source.cfg)
	_, err = c.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: &table, DeletionProtectionEnabled: aws.Bool(false)})
	if awserr.Is(err, awserr.Absent) {
		return nil
	}
	if err != nil {
		return err
	}
	// A table cannot be deleted while it is changed.
	return r.until(ctx, "table "+table+" is gone", func(ctx context.Context) (bool, error) {
		_, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &table})
		if awserr.Is(err, awserr.Absent) {
			return true, nil
		}
		if awserr.Is(err, awserr.Conflict) {
			return false, nil
		}
		return false, err
	})
}

// taggedBucket says whether a bucket has the run's tag.
func (r *rehearsal) taggedBucket(ctx context.Context, a account, bucket string) (bool, error) {
	got, err := a.s3().GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &bucket, ExpectedBucketOwner: &a.ID})
	if awserr.Is(err, awserr.Absent) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("get tags of bucket %s: %w", bucket, err)
	}
	for _, tag := range got.TagSet {
		if aws.ToString(tag.Key) == prefix && aws.ToString(tag.Value) == r.Name {
			return true, nil
		}
	}
	return false, nil
}

// removeBucket empties and removes a bucket of this account. Without the rule first S3 would go on and replicate.
func (a account) removeBucket(ctx context.Context, bucket string) error {
	c := a.s3()
	_, err := c.DeleteBucketReplication(ctx, &s3.DeleteBucketReplicationInput{Bucket: &bucket, ExpectedBucketOwner: &a.ID})
	if awserr.NoBucket(err) {
		return nil
	}
	if err != nil && !awserr.Is(err, awserr.Absent) {
		return fmt.Errorf("delete replication: %w", err)
	}
	list := &s3.ListObjectVersionsInput{Bucket: &bucket, ExpectedBucketOwner: &a.ID}
	for pages := s3.NewListObjectVersionsPaginator(c, list); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list versions: %w", err)
		}
		var all []types.ObjectIdentifier
		for _, v := range page.Versions {
			all = append(all, types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			all = append(all, types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(all) == 0 {
			continue
		}
		out, err := c.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &bucket, ExpectedBucketOwner: &a.ID, Delete: &types.Delete{Objects: all, Quiet: aws.Bool(true)},
		})
		if err != nil {
			return fmt.Errorf("delete versions: %w", err)
		}
		if len(out.Errors) > 0 {
			return fmt.Errorf("delete versions: %d are left, the first for %s", len(out.Errors), aws.ToString(out.Errors[0].Code))
		}
	}
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &bucket, ExpectedBucketOwner: &a.ID})
	if err != nil && !awserr.NoBucket(err) {
		return fmt.Errorf("delete bucket: %w", err)
	}
	return nil
}

// removeRole removes the role of the run with every policy in it, of which Replimend may have written some.
func (r *rehearsal) removeRole(ctx context.Context) error {
	c := iam.NewFromConfig(r.Source.cfg)
	names, err := c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &r.Name})
	if awserr.Is(err, awserr.Absent) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list policies: %w", err)
	}
	for _, name := range names.PolicyNames {
		_, err := c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &r.Name, PolicyName: &name})
		if err != nil && !awserr.Is(err, awserr.Absent) {
			return fmt.Errorf("delete policy %s: %w", name, err)
		}
	}
	if _, err := c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &r.Name}); err != nil && !awserr.Is(err, awserr.Absent) {
		return fmt.Errorf("delete role: %w", err)
	}
	return nil
}

// removeKeys schedules the deletion of every key with the run's tag, as soon as KMS allows.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
func (r *rehearsal) removeKeys(ctx context.Context, a account) error {
	c := kms.NewFromConfig(a.cfg)
	var errs []error
	for pages := kms.NewListKeysPaginator(c, &kms.ListKeysInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("list keys: %w", err)
		}
		for _, k := range page.Keys {
			errs = append(errs, r.removeKey(ctx, c, aws.ToString(k.KeyId)))
		}
	}
	return errors.Join(errs...)
}

func (r *rehearsal) removeKey(ctx context.Context, c *kms.Client, id string) error {
	tags, err := c.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: &id})
	if awserr.Is(err, awserr.Denied, awserr.Absent) {
		return nil // somebody else's: one's own has a policy that lets its account do everything
	}
	if err != nil {
		return fmt.Errorf("list tags of key %s: %w", id, err)
	}
	if !slices.ContainsFunc(tags.Tags, func(t kmstypes.Tag) bool {
		return aws.ToString(t.TagKey) == prefix && aws.ToString(t.TagValue) == r.Name
	}) {
		return nil
	}
	key, err := c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &id})
	if err != nil {
		return fmt.Errorf("describe key %s: %w", id, err)
	}
	if key.KeyMetadata.KeyState == kmstypes.KeyStatePendingDeletion {
		return nil
	}
	const shortest = 7
	if _, err := c.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: aws.Int32(shortest)}); err != nil {
		return fmt.Errorf("schedule deletion of key %s: %w", id, err)
	}
	return nil
}
