package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/grants"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
)

// world is what was made whose names AWS chooses.
type world struct{ sourceKey, replicaKey, role, roleID string }

// object is one version that was written.
type object struct{ key, version string }

const ruleID = "everything"

// replicaSid is the statement that is taken out of the role's policy.
const replicaSid = "EncryptReplicas"

func (r *rehearsal) sourceBucket() string      { return r.Name + "-source" }
func (r *rehearsal) destinationBucket() string { return r.Name + "-destination" }

// s3 addresses buckets by path where there is an emulator.
func (a account) s3() *s3.Client {
	return s3.NewFromConfig(a.cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
}

func (a account) partition() string { return policy.Partition(a.Region) }
func (a account) root() string      { return "arn:" + a.partition() + ":iam::" + a.ID + ":root" }

// statement is one of a policy.
type statement struct {
	Sid       string
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    []string
	Resource  string `json:",omitempty"`
}

func allow(sid string, principal map[string]string, resource string, actions ...string) statement {
	return statement{sid, "Allow", principal, actions, resource}
}

func document(of ...statement) *string {
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": of}) // of texts: never fails
	return aws.String(string(text))
}

// rolePolicy is what S3 needs, with or without the permission on the replica key.
func (r *rehearsal) rolePolicy(whole bool) *string {
	source := policy.BucketARN(r.Source.partition(), r.sourceBucket()).String()
	destination := policy.BucketARN(r.Source.partition(), r.destinationBucket()).String()
	all := []statement{
		allow("ReadConfiguration", nil, source, "s3:GetReplicationConfiguration", "s3:ListBucket"),
		allow("ReadObjects", nil, source+"/*", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"),
		allow("WriteReplicas", nil, destination+"/*", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"),
		allow("DecryptSources", nil, r.world.sourceKey, "kms:Decrypt"),
	}
	if whole {
		all = append(all, allow(replicaSid, nil, r.world.replicaKey, "kms:Encrypt", "kms:GenerateDataKey"))
	}
	return document(all...)
}

// whole makes a call that makes or changes something, and not once the run was interrupted. The call itself is not interrupted: one
// whose answer nobody waited for can still be carried out after everything was removed.
func whole(ctx context.Context, call func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return call(context.WithoutCancel(ctx))
}

// build makes the route, all but the notification, whose topic is not there yet.
func (r *rehearsal) build(ctx context.Context) error {
	near, far := r.Source, r.Destination
	everything := func(a account) statement { return allow("Account", map[string]string{"AWS": a.root()}, "*", "kms:*") }
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) (err error) {
			r.world.sourceKey, err = near.key(ctx, r.Name, everything(near))
			return err
		},
		// The other account lets in this whole account, as its policies say: a role that was made just now is not known everywhere.
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html#troubleshoot_general_eventual-consistency
		func(ctx context.Context) (err error) {
			r.world.replicaKey, err = far.key(ctx, r.Name, everything(far),
				allow("Replicas", map[string]string{"AWS": near.root()}, "*", "kms:Encrypt", "kms:GenerateDataKey"))
			return err
		},
		r.role,
		func(ctx context.Context) error { return r.writeRole(ctx, true) },
		func(ctx context.Context) error { return near.bucket(ctx, r.sourceBucket(), r.Name, r.world.sourceKey) },
		func(ctx context.Context) error {
			return far.bucket(ctx, r.destinationBucket(), r.Name, r.world.replicaKey)
		},
		r.admit,
		r.replicate,
	} {
		if err := whole(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// admit lets the source's account write replicas into the destination bucket.
func (r *rehearsal) admit(ctx context.Context) error {
	arn := policy.BucketARN(r.Destination.partition(), r.destinationBucket()).String()
	_, err := r.Destination.s3().PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{
		Bucket: aws.String(r.destinationBucket()), ExpectedBucketOwner: &r.Destination.ID,
		Policy: document(allow("Replicas", map[string]string{"AWS": r.Source.root()}, arn+"/*",
			"s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags")),
	})
	if err != nil {
		return fmt.Errorf("put policy of bucket %s: %w", r.destinationBucket(), err)
	}
	return nil
}

// key makes a key. Its tag is there from the beginning, so that a run that ends now finds it again.
func (a account) key(ctx context.Context, name string, statements ...statement) (string, error) {
	made, err := kms.NewFromConfig(a.cfg).CreateKey(ctx, &kms.CreateKeyInput{
		Policy: document(statements...), Description: &name,
		Tags: []kmstypes.Tag{{TagKey: aws.String(prefix), TagValue: &name}},
	})
	if err != nil {
		return "", fmt.Errorf("create key in account %s: %w", a.ID, err)
	}
	return aws.ToString(made.KeyMetadata.Arn), nil
}

func (r *rehearsal) role(ctx context.Context) error {
	made, err := iam.NewFromConfig(r.Source.cfg).CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: &r.Name, Tags: []iamtypes.Tag{{Key: aws.String(prefix), Value: &r.Name}},
		AssumeRolePolicyDocument: document(allow("S3", map[string]string{"Service": "s3.amazonaws.com"}, "", "sts:AssumeRole")),
	})
	if err != nil {
		return fmt.Errorf("create role %s: %w", r.Name, err)
	}
	r.world.role, r.world.roleID = aws.ToString(made.Role.Arn), aws.ToString(made.Role.RoleId)
	return nil
}

func (r *rehearsal) writeRole(ctx context.Context, whole bool) error {
	_, err := iam.NewFromConfig(r.Source.cfg).PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: &r.Name, PolicyName: &r.Name, PolicyDocument: r.rolePolicy(whole),
	})
	if err != nil {
		return fmt.Errorf("put policy of role %s: %w", r.Name, err)
	}
	return nil
}

// breakRoute takes the permission on the replica key out of the role's policy.
func (r *rehearsal) breakRoute(ctx context.Context) error { return r.writeRole(ctx, false) }

// bucket makes a bucket with versions and a key. What is in it belongs to its owner, whoever wrote it, as in every new bucket of AWS.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
func (a account) bucket(ctx context.Context, bucket, name, key string) error {
	in := &s3.CreateBucketInput{Bucket: &bucket}
	if a.Region != "us-east-1" { // whose name S3 does not take here
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(a.Region)}
	}
	c := a.s3()
	if _, err := c.CreateBucket(ctx, in); err != nil {
		return fmt.Errorf("create bucket %s: %w", bucket, err)
	}
	_, tagged := c.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{
		Bucket: &bucket, ExpectedBucketOwner: &a.ID, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String(prefix), Value: &name}}},
	})
	_, versions := c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &bucket, ExpectedBucketOwner: &a.ID,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	_, encrypted := c.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{
		Bucket: &bucket, ExpectedBucketOwner: &a.ID,
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{{
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{
				SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &key,
			},
		}}},
	})
	_, owned := c.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{
		Bucket: &bucket, ExpectedBucketOwner: &a.ID,
		OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{
			ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced,
		}}},
	})
	if err := errors.Join(tagged, versions, encrypted, owned); err != nil {
		return fmt.Errorf("configure bucket %s: %w", bucket, err)
	}
	return nil
}

// replicate makes the rule, with the metrics without which S3 reports no failure.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-metrics-events.html
func (r *rehearsal) replicate(ctx context.Context) error {
	_, err := r.Source.s3().PutBucketReplication(ctx, &s3.PutBucketReplicationInput{
		Bucket: aws.String(r.sourceBucket()), ExpectedBucketOwner: &r.Source.ID,
		ReplicationConfiguration: &types.ReplicationConfiguration{Role: &r.world.role, Rules: []types.ReplicationRule{{
			ID: aws.String(ruleID), Priority: aws.Int32(1), Status: types.ReplicationRuleStatusEnabled,
			Filter:                  &types.ReplicationRuleFilter{Prefix: aws.String("")},
			DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled},
			SourceSelectionCriteria: &types.SourceSelectionCriteria{
				SseKmsEncryptedObjects: &types.SseKmsEncryptedObjects{Status: types.SseKmsEncryptedObjectsStatusEnabled},
			},
			Destination: &types.Destination{
				Bucket:                  aws.String(policy.BucketARN(r.Destination.partition(), r.destinationBucket()).String()),
				Account:                 &r.Destination.ID,
				EncryptionConfiguration: &types.EncryptionConfiguration{ReplicaKmsKeyID: &r.world.replicaKey},
				Metrics:                 &types.Metrics{Status: types.MetricsStatusEnabled},
			},
		}}},
	})
	if err != nil {
		return fmt.Errorf("put replication of bucket %s: %w", r.sourceBucket(), err)
	}
	return nil
}

// listen has S3 tell the topic, which is deployed by now, of failures.
func (r *rehearsal) listen(ctx context.Context) error {
	topic := grants.Topic(r.Source.ID, r.Source.Region).String()
	_, err := r.Source.s3().PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
		Bucket: aws.String(r.sourceBucket()), ExpectedBucketOwner: &r.Source.ID,
		NotificationConfiguration: &types.NotificationConfiguration{TopicConfigurations: []types.TopicConfiguration{{
			Id: &r.Name, TopicArn: &topic, Events: []types.Event{route.FailureEvent},
		}}},
	})
	if err != nil {
		return fmt.Errorf("put notification of bucket %s: %w", r.sourceBucket(), err)
	}
	return nil
}

func (r *rehearsal) put(ctx context.Context, key string) (object, error) {
	var made object
	err := whole(ctx, func(ctx context.Context) error {
		out, err := r.Source.s3().PutObject(ctx, &s3.PutObjectInput{
			Bucket: aws.String(r.sourceBucket()), Key: &key, ExpectedBucketOwner: &r.Source.ID, Body: strings.NewReader("a rehearsal of Replimend\n"),
		})
		if err != nil {
			return fmt.Errorf("put object %s: %w", key, err)
		}
		made = object{key, aws.ToString(out.VersionId)}
		return nil
	})
	return made, err
}

// settings is the replimend.yaml of this world. The names that AWS chooses are placeholders where it is not made: the stacks have their
// names from the accounts alone, and are removed by them.
func (r *rehearsal) settings() *settings.Settings {
	set := &settings.Settings{
		Version:  settings.Version,
		Accounts: []string{r.Source.ID, r.Destination.ID},
		Members: []settings.Member{
			{Account: r.Source.ID, Regions: []string{r.Source.Region}}, {Account: r.Destination.ID, Regions: []string{r.Destination.Region}},
		},
		Hub:    settings.Hub{Account: r.Source.ID, Region: r.Source.Region, LogDays: 1},
		Limits: settings.DefaultLimits(),
	}
	role, err := policy.ParseARN(r.world.role)
	if err != nil {
		return set
	}
	arn := func(text string) policy.ARN { a, _ := policy.ParseARN(text); return a }
	yes := true
	set.Routes = []settings.ApprovedRoute{{
		Name: r.Name, Mode: settings.Automatic,
		Source:      settings.Bucket{Bucket: r.sourceBucket(), Account: r.Source.ID, Region: r.Source.Region},
		Destination: settings.Bucket{Bucket: r.destinationBucket(), Account: r.Destination.ID, Region: r.Destination.Region},
		Rule:        settings.Rule{ID: ruleID, KMSObjects: &yes},
		Role:        settings.Role{ARN: role, UniqueID: r.world.roleID, Trust: []string{"s3.amazonaws.com"}},
		SourceKeys:  []policy.ARN{arn(r.world.sourceKey)}, ReplicaKey: arn(r.world.replicaKey),
		Allow: settings.Allow{NoBoundary: true},
	}}
	return set
}

// documents is what a cure may touch, as JSON. Of the role it is the statements of all its inline policies: a cure has one of its own.
type documents struct {
	role                          []any
	sourceKey, replicaKey, bucket map[string]any
}

func (r *rehearsal) documents(ctx context.Context) (documents, error) {
	var out documents
	var err error
	if out.role, err = r.roleStatements(ctx); err != nil {
		return out, err
	}
	bucket, err := r.Destination.s3().GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{
		Bucket: aws.String(r.destinationBucket()), ExpectedBucketOwner: &r.Destination.ID,
	})
	if err != nil {
		return out, fmt.Errorf("get policy of bucket %s: %w", r.destinationBucket(), err)
	}
	errs := []error{json.Unmarshal([]byte(aws.ToString(bucket.Policy)), &out.bucket)}
	for _, k := range []struct {
		of   account
		id   string
		into *map[string]any
	}{{r.Source, r.world.sourceKey, &out.sourceKey}, {r.Destination, r.world.replicaKey, &out.replicaKey}} {
		got, err := kms.NewFromConfig(k.of.cfg).GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &k.id, PolicyName: aws.String("default")})
		if err != nil {
			return out, fmt.Errorf("get policy of key %s: %w", k.id, err)
		}
		errs = append(errs, json.Unmarshal([]byte(aws.ToString(got.Policy)), k.into))
	}
	return out, errors.Join(errs...)
}

// roleStatements is the statements of the role's inline policies.
func (r *rehearsal) roleStatements(ctx context.Context) ([]any, error) {
	c := iam.NewFromConfig(r.Source.cfg)
	names, err := c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &r.Name})
	if err != nil {
		return nil, fmt.Errorf("list policies of role %s: %w", r.Name, err)
	}
	var out []any
	for _, name := range names.PolicyNames {
		got, err := c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &r.Name, PolicyName: &name})
		if err != nil {
			return nil, fmt.Errorf("get policy %s of role %s: %w", name, r.Name, err)
		}
		// IAM answers with RFC 3986's encoding.
		// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
		text, err := url.PathUnescape(aws.ToString(got.PolicyDocument))
		if err != nil {
			return nil, fmt.Errorf("read policy %s of role %s: %w", name, r.Name, err)
		}
		var document struct{ Statement []any }
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			return nil, fmt.Errorf("read policy %s of role %s: %w", name, r.Name, err)
		}
		out = append(out, document.Statement...)
	}
	return out, nil
}

// healed says what of the documents is not as it should be after the cure: everything that was not broken is as before, and the role's
// policies have something more than what was left of them.
func (d documents) healed(after documents) error {
	var errs []error
	for _, pair := range []struct {
		name          string
		before, after map[string]any
	}{
		{"policy of the source key", d.sourceKey, after.sourceKey},
		{"policy of the replica key", d.replicaKey, after.replicaKey},
		{"policy of the bucket", d.bucket, after.bucket},
	} {
		if !reflect.DeepEqual(pair.before, pair.after) {
			errs = append(errs, fmt.Errorf("the %s was changed", pair.name))
		}
	}
	for _, statement := range d.role {
		fields, _ := statement.(map[string]any)
		left := slices.ContainsFunc(after.role, func(s any) bool { return reflect.DeepEqual(s, statement) })
		if fields["Sid"] != replicaSid && !left {
			errs = append(errs, fmt.Errorf("the role's policies lack the statement %v", fields["Sid"]))
		}
	}
	if len(after.role) < len(d.role) {
		errs = append(errs, fmt.Errorf("the role's policies have %d statements, and had %d", len(after.role), len(d.role)))
	}
	return errors.Join(errs...)
}
