// Package canary writes one small object to the source of a route, to see S3 replicate it, and removes it from both buckets.
//
// The functions give it to package remedy as its port. It does not decide whether one is written: guard.CheckCanary must have allowed it.
// What it may touch it finds out by itself, from the approved route: every call is about the one key that the incident's canary has.
package canary

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// Options is what a Writer needs to know of the accounts. Every field is needed.
type Options struct {
	// Config has credentials that may do no more in an account than the session policy says: those of the member's canary role,
	// narrowed to it, or a person's own.
	Config func(account, region, incident, policy string) (aws.Config, error)
	// Approved is the approved route of that name; false: there is none.
	Approved func(incident.Route) (settings.ApprovedRoute, bool)
}

// Writer writes and removes canaries. It keeps nothing and can be used by many goroutines.
type Writer struct{ options Options }

// New makes no call.
func New(o Options) *Writer { return &Writer{options: o} }

// mark is the metadata by which a canary is known to be one, and whose: a replica has it, too.
const mark = "replimend-incident"

// Write writes the canary of an incident and gives its version: once, because S3 is asked to write only where there is no object of
// that key. Asked again it gives the version that it wrote.
//
// The request names no encryption, so that S3 encrypts it as the bucket says. Where a bucket policy demands a header for that, S3 refuses
// it. That is, as everything that S3 refuses for good, incident.ErrRefused, and nothing was written.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func (w *Writer) Write(ctx context.Context, c incident.Canary) (versionID string, err error) {
	a, err := w.approved(c)
	if err == nil && !a.Allow.Canary {
		err = fmt.Errorf("route %s does not opt in to a canary", a.Name)
	}
	if err != nil {
		return "", fmt.Errorf("write canary of %s: %w", c.Incident, err)
	}
	client, err := w.source(a, c)
	if err != nil {
		return "", err
	}
	in := &s3.PutObjectInput{
		Bucket: aws.String(a.Source.Bucket), Key: aws.String(c.Key), ExpectedBucketOwner: aws.String(a.Source.Account), IfNoneMatch: aws.String("*"),
		Body:     strings.NewReader(text(c)),
		Metadata: map[string]string{mark: c.Incident}, ContentType: aws.String("text/plain; charset=utf-8"),
	}
	if len(a.Rule.Tags) > 0 {
		tags := url.Values{}
		for key, value := range a.Rule.Tags {
			tags.Set(key, value)
		}
		in.Tagging = aws.String(tags.Encode())
	}
	out, err := client.PutObject(ctx, in)
	switch {
	case awserr.Is(err, awserr.Conflict):
		return w.written(ctx, client, a, c, err)
	case awserr.Is(err, awserr.Denied, awserr.Malformed, awserr.Absent):
		return "", fmt.Errorf("put canary into bucket %s: %w: its policy may demand a header for the encryption, a condition on it or on the key %s "+
			"may not hold, or role %s lacks s3:PutObject, s3:PutObjectTagging or kms:GenerateDataKey: %w",
			a.Source.Bucket, incident.ErrRefused, c.Key, settings.CanaryWriter, err)
	case err != nil:
		return "", fmt.Errorf("put canary into bucket %s: %w", a.Source.Bucket, awserr.WithoutAddress(err))
	case aws.ToString(out.VersionId) == "":
		return "", fmt.Errorf("put canary into bucket %s: the bucket is not versioned any more, and the object %s is in it", a.Source.Bucket, c.Key)
	}
	return *out.VersionId, nil
}

// text is what is in a canary: for whoever finds one.
func text(c incident.Canary) string {
	return fmt.Sprintf("Replimend wrote this object to see whether S3 replicates it after the repair of incident %s (%s). It holds no data and "+
		"is removed again, here and at the destination.\n", c.Incident, c.Route)
}

// written is the version that was written before, after S3 refused to write another one.
func (w *Writer) written(ctx context.Context, client *s3.Client, a settings.ApprovedRoute, c incident.Canary, cause error) (string, error) {
	found, others, err := find(ctx, client, a.Source, c)
	switch {
	case err != nil:
		return "", err
	case len(found) > 0:
		return found[0], nil
	case others:
		return "", fmt.Errorf("put canary into bucket %s: %w: there is an object of somebody else at %s: %w", a.Source.Bucket, incident.ErrRefused, c.Key, cause)
	}
	return "", fmt.Errorf("put canary into bucket %s: %w", a.Source.Bucket, cause) // somebody writes or deletes it just now
}

// find is the versions of the key that are canaries of the incident, the latest first, and whether there are others of that very key.
func find(ctx context.Context, client *s3.Client, b settings.Bucket, c incident.Canary) (own []string, others bool, err error) {
	pages := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{
		Bucket: aws.String(b.Bucket), Prefix: aws.String(c.Key), ExpectedBucketOwner: aws.String(b.Account),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, false, fmt.Errorf("list versions of the canary in bucket %s: %w", b.Bucket, lacking("s3:ListBucketVersions", b, err))
		}
		for _, v := range page.Versions {
			if aws.ToString(v.Key) != c.Key {
				continue
			}
			head, err := client.HeadObject(ctx, &s3.HeadObjectInput{
				Bucket: aws.String(b.Bucket), Key: v.Key, VersionId: v.VersionId, ExpectedBucketOwner: aws.String(b.Account),
			})
			switch {
			case awserr.Is(err, awserr.Absent): // gone since it was listed
			case err != nil:
				return nil, false, fmt.Errorf("head the canary in bucket %s: %w", b.Bucket, lacking("s3:GetObjectVersion", b, err))
			case head.Metadata[mark] == c.Incident && head.ReplicationStatus != types.ReplicationStatusReplica:
				own = append(own, aws.ToString(v.VersionId))
			default:
				others = true
			}
		}
	}
	return own, others, nil
}

// Remove deletes the version of the canary, and its replica: S3 gives a replica the key and the version ID of its source. Deleting a
// version for good is not replicated, so that both are deleted. Without a version it looks for what it wrote. Nothing there is no error,
// and no delete marker is ever written.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html
func (w *Writer) Remove(ctx context.Context, c incident.Canary) error {
	a, err := w.approved(c)
	if err != nil {
		return fmt.Errorf("remove canary of %s: %w", c.Incident, err)
	}
	source, err := w.source(a, c)
	if err != nil {
		return err
	}
	versions := []string{c.VersionID}
	if c.VersionID == "" {
		if versions, _, err = find(ctx, source, a.Source, c); err != nil || len(versions) == 0 {
			return err
		}
	}
	destination, err := w.session(a.Destination, c, func() (string, error) { return DestinationPolicy(a, c.Incident) })
	for _, version := range versions {
		err = errors.Join(err, remove(ctx, source, a.Source, c.Key, version))
		if destination != nil {
			err = errors.Join(err, remove(ctx, destination, a.Destination, c.Key, version))
		}
	}
	return err
}

func remove(ctx context.Context, client *s3.Client, b settings.Bucket, key, version string) error {
	_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: aws.String(b.Bucket), Key: aws.String(key), VersionId: aws.String(version), ExpectedBucketOwner: aws.String(b.Account),
	})
	if err != nil && !awserr.Is(err, awserr.Absent) {
		return fmt.Errorf("delete the canary in bucket %s: %w", b.Bucket, lacking("s3:DeleteObjectVersion", b, err))
	}
	return nil
}

// lacking says what the caller may lack where AWS says only that it may not, and keeps AWS's code.
func lacking(action string, b settings.Bucket, err error) error {
	if awserr.Is(err, awserr.Denied) {
		return fmt.Errorf("account %s does not allow %s %s on it: %w", b.Account, settings.CanaryWriter, action, err)
	}
	return awserr.WithoutAddress(err)
}

// approved is the approved route of a canary, and refuses one that is anywhere but where a canary of its incident has to be.
func (w *Writer) approved(c incident.Canary) (settings.ApprovedRoute, error) {
	a, ok := w.options.Approved(c.Route)
	switch {
	case !ok:
		return a, fmt.Errorf("%s is no approved route", c.Route)
	case !incident.IsID(c.Incident):
		return a, fmt.Errorf("%.80q is no ID of an incident", c.Incident)
	case c.Key != a.CanaryKey(c.Incident):
		return a, fmt.Errorf("the key %.200q is not that of the incident's canary", c.Key)
	case c.Account != a.Source.Account || c.Region != a.Source.Region:
		return a, fmt.Errorf("bucket %s is approved in account %s and Region %s, not in %.20q and %.40q", a.Source.Bucket, a.Source.Account, a.Source.Region, c.Account, c.Region)
	}
	return a, nil
}

func (w *Writer) source(a settings.ApprovedRoute, c incident.Canary) (*s3.Client, error) {
	return w.session(a.Source, c, func() (string, error) { return SourcePolicy(a, c.Incident) })
}

// session is a client that may do what the policy says in the account of a bucket. It addresses buckets by path where the endpoint is
// not S3's own: an emulator has one host name.
func (w *Writer) session(b settings.Bucket, c incident.Canary, may func() (string, error)) (*s3.Client, error) {
	policy, err := may()
	var cfg aws.Config
	if err == nil {
		cfg, err = w.options.Config(b.Account, b.Region, c.Incident, policy)
	}
	if err != nil {
		return nil, fmt.Errorf("open session for the canary of %s: %w", c.Incident, err)
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil }), nil
}
