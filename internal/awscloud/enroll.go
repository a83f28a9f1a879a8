package awscloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/enroll"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/snapshot"
)

// Enroller reads and writes the configuration of buckets for package enroll, under a person's own credentials.
type Enroller struct {
	// Config has the person's credentials for an account, in a Region.
	Config func(account, region string) aws.Config
	// Settle is the time between two looks at what was written: the configuration of buckets is eventually consistent.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel
	Settle time.Duration
}

// settleLooks is how often what was written is looked for.
const settleLooks = 5

// Place is a bucket with its owner.
type Place struct{ Bucket, Account, Region string }

// Live reads what an enrolment is made from. What may not be read is missing, with the code of the error; other errors are returned.
func (e Enroller) Live(ctx context.Context, source, destination Place) (enroll.Live, error) {
	var out enroll.Live
	for _, d := range []struct {
		of  Place
		doc enroll.Document
		to  *enroll.Reading
	}{
		{source, enroll.Versioning, &out.SourceVersioning},
		{destination, enroll.Versioning, &out.DestinationVersioning},
		{source, enroll.Replication, &out.Replication},
		{source, enroll.Notification, &out.Notification},
	} {
		if d.of.Account == "" {
			d.to.Why = "the owner of the bucket is not known"
			continue
		}
		doc, err := e.read(ctx, d.of, d.doc)
		switch {
		case awserr.Is(err, awserr.Denied):
			d.to.Why = awserr.Code(err)
		case awserr.Is(err, awserr.Absent) && !awserr.NoBucket(err):
			d.to.Value = snapshot.None[jsontree.Node]()
		case err != nil:
			return enroll.Live{}, err
		default:
			d.to.Value = snapshot.Of(doc.node)
		}
	}
	return out, nil
}

// Write makes one step. It reads the document again and writes nothing when that is no longer the step's Before
// (snapshot.ErrDrift), or when it has an element that this program does not know and would take away. What is as the step wants it
// already is not written. It gives back the document as it is after the write; between the last read and the write S3 knows no lock,
// and a write that fails is not tried again.
func (e Enroller) Write(ctx context.Context, s enroll.Step) (jsontree.Node, error) {
	at, doc := Place{s.Bucket, s.Account, s.Region}, s.Kind.Document()
	if at.Account == "" {
		return jsontree.Node{}, fmt.Errorf("write %s of bucket %s: its owner is not known", doc, at.Bucket)
	}
	live, err := e.read(ctx, at, doc)
	if err != nil {
		return jsontree.Node{}, err
	}
	if enroll.Same(live.node, s.After) {
		return live.node, nil
	}
	if !enroll.Same(live.node, s.Before) {
		return live.node, fmt.Errorf("write %s of bucket %s: %w", doc, at.Bucket, snapshot.ErrDrift)
	}
	if err := e.keepsAll(ctx, at, doc, live); err != nil {
		return live.node, fmt.Errorf("write %s of bucket %s: %w", doc, at.Bucket, err)
	}
	if err := e.put(ctx, at, doc, s.After, once); err != nil {
		return live.node, fmt.Errorf("write %s of bucket %s: %w", doc, at.Bucket, err)
	}
	for look := 1; ; look++ {
		after, err := e.read(ctx, at, doc)
		if err != nil {
			return jsontree.Node{}, fmt.Errorf("read what was written: %w", err)
		}
		if enroll.Holds(after.node, s.After) {
			return after.node, nil
		}
		if look == settleLooks {
			return after.node, fmt.Errorf("write %s of bucket %s: S3 took it, but does not show it: look at the document before you go on",
				doc, at.Bucket)
		}
		select {
		case <-ctx.Done():
			return after.node, fmt.Errorf("read what was written: %w", ctx.Err())
		case <-time.After(e.Settle):
		}
	}
}

// read is a document as it is, with the XML that S3 sent. Versioning that was never enabled and no notifications are empty objects.
func (e Enroller) read(ctx context.Context, at Place, doc enroll.Document) (received, error) {
	client, owner := s3Client(e.Config(at.Account, at.Region)), aws.String(at.Account)
	var out received
	var parsed any
	var err error
	switch doc {
	case enroll.Versioning:
		var got *s3.GetBucketVersioningOutput
		in := &s3.GetBucketVersioningInput{Bucket: &at.Bucket, ExpectedBucketOwner: owner}
		if got, err = client.GetBucketVersioning(ctx, in); err == nil {
			parsed = &types.VersioningConfiguration{Status: got.Status, MFADelete: types.MFADelete(got.MFADelete)}
		}
	case enroll.Replication:
		var got *s3.GetBucketReplicationOutput
		in := &s3.GetBucketReplicationInput{Bucket: &at.Bucket, ExpectedBucketOwner: owner}
		if got, err = client.GetBucketReplication(ctx, in, keepBody(&out.xml)); err == nil {
			parsed = got.ReplicationConfiguration
		}
	case enroll.Notification:
		var got *s3.GetBucketNotificationConfigurationOutput
		in := &s3.GetBucketNotificationConfigurationInput{Bucket: &at.Bucket, ExpectedBucketOwner: owner}
		if got, err = client.GetBucketNotificationConfiguration(ctx, in, keepBody(&out.xml)); err == nil {
			parsed = &types.NotificationConfiguration{
				EventBridgeConfiguration: got.EventBridgeConfiguration, LambdaFunctionConfigurations: got.LambdaFunctionConfigurations,
				QueueConfigurations: got.QueueConfigurations, TopicConfigurations: got.TopicConfigurations,
			}
		}
	}
	if err != nil {
		return received{}, fmt.Errorf("read %s of bucket %s: %w", doc, at.Bucket, err)
	}
	out.node = answer(parsed)
	return out, nil
}

// received is a document in the form of the AWS CLI, and as S3 sent it.
type received struct {
	node jsontree.Node
	xml  []byte
}

// once makes a call that the SDK does not repeat: what was compared before the first attempt need not be so before the next.
func once(o *s3.Options) { o.Retryer = aws.NopRetryer{} }

// put replaces a document. Each call names the owner that the bucket has to have.
func (e Enroller) put(ctx context.Context, at Place, doc enroll.Document, n jsontree.Node, options ...func(*s3.Options)) error {
	client, owner := s3Client(e.Config(at.Account, at.Region)), aws.String(at.Account)
	var err error
	switch doc {
	case enroll.Versioning:
		// MFA delete stays as it is where it is not named.
		_, err = client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
			Bucket: &at.Bucket, ExpectedBucketOwner: owner,
			VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatus(n.Get("Status").Text)},
		}, options...)
	case enroll.Replication:
		var c types.ReplicationConfiguration
		if err = fromNode(n, &c); err == nil {
			_, err = client.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{
				Bucket: &at.Bucket, ExpectedBucketOwner: owner, ReplicationConfiguration: &c,
			}, options...)
		}
	case enroll.Notification:
		var c types.NotificationConfiguration
		if err = fromNode(n, &c); err == nil {
			_, err = client.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{
				Bucket: &at.Bucket, ExpectedBucketOwner: owner, NotificationConfiguration: &c, SkipDestinationValidation: aws.Bool(false),
			}, options...)
		}
	}
	return err
}

// keepsAll refuses when a document that is written as it was read would lack something of what S3 sent: the SDK leaves out elements
// that it does not know, and a write replaces the whole document.
func (e Enroller) keepsAll(ctx context.Context, at Place, doc enroll.Document, live received) error {
	if doc == enroll.Versioning {
		return nil // only what is named is changed
	}
	var written []byte
	if err := e.put(ctx, at, doc, live.node, onlySerialise(&written)); !errors.Is(err, errSerialised) {
		return err
	}
	lost, err := lostElements(live.xml, written)
	if err != nil {
		return err
	}
	if len(lost) > 0 {
		const most = 5
		return fmt.Errorf("it has what this version does not know and would take away: %.400s",
			strings.Join(lost[:min(len(lost), most)], ", "))
	}
	return nil
}

// fromNode reads a document into the SDK's type, and refuses one that the type cannot hold whole.
func fromNode(n jsontree.Node, to any) error {
	text, err := n.MarshalJSON()
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if !enroll.Same(answer(to), n) {
		return errors.New("the document has what the SDK cannot write")
	}
	return nil
}
