package awscloud

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/snapshot"
)

// distinct is the samples without those that name a version again, at most as many as a snapshot may have.
func distinct(samples []incident.Object) []incident.Object {
	var out []incident.Object
	known := make(map[incident.Object]bool)
	for _, o := range samples {
		version := incident.Object{Key: o.Key, VersionID: o.VersionID}
		if o.Key != "" && !known[version] && len(out) < snapshot.MaxObjects {
			known[version] = true
			out = append(out, o)
		}
	}
	return out
}

// wantedObject is one version of an object, asked for at a place.
type wantedObject struct {
	bucket, key, version string
	at                   place
}

// samples reads the sample objects of the bucket, and the keys that they are encrypted with.
func (u *run) samples(ctx context.Context, name string, bucket *snapshot.Bucket, samples []incident.Object) {
	if u.gone(name) {
		return
	}
	at := place{bucket.Account, bucket.Region}
	read := make([]reading[snapshot.Object], len(samples))
	var tasks sync.WaitGroup
	for i, o := range samples {
		tasks.Go(func() {
			if at.account == "" {
				read[i] = unread(name, o, unusable("nobody proves to own the bucket"))
				return
			}
			read[i] = u.object(ctx, name, at, o)
			if text := read[i].value.V.KMSKeyID; text != "" {
				u.keepKey(ctx, text, at)
			}
		})
	}
	tasks.Wait()
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range read {
		if r.value.State != snapshot.Present {
			continue
		}
		u.keep(jsontree.Index("objects", len(u.out.Objects)), r.refused)
		u.out.Objects = append(u.out.Objects, r.value.V)
	}
}

// gone says whether the bucket is known not to exist.
func (u *run) gone(name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.out.Buckets[name].State == snapshot.Absent
}

// unread is a sample of which nothing is known but what the event said.
func unread(bucket string, o incident.Object, why error) reading[snapshot.Object] {
	text := refusal(why)
	return reading[snapshot.Object]{
		value:   snapshot.Of(snapshot.Object{Bucket: bucket, Key: o.Key, VersionID: o.VersionID, Size: o.Size}),
		refused: map[string]string{"replicationStatus": text, "encryption": text, "tags": text},
	}
}

// object is one version of an object; absent when it is not there.
func (u *run) object(ctx context.Context, bucket string, at place, o incident.Object) reading[snapshot.Object] {
	return u.objects.get(wantedObject{bucket, o.Key, o.VersionID, at}, func() reading[snapshot.Object] {
		d := u.door(ctx, at)
		if d.err != nil {
			return unread(bucket, o, d.err)
		}
		out, refused, err := readObject(ctx, d.s3, bucket, at.account, o.Key, o.VersionID)
		switch {
		case absent(err):
			return reading[snapshot.Object]{value: snapshot.None[snapshot.Object]()}
		case err != nil:
			return unread(bucket, o, err)
		}
		return reading[snapshot.Object]{value: snapshot.Of(out), refused: refused}
	})
}

// readObject is the head of a version and its tags. Without a version it is the current one. The error is that of the head.
func readObject(ctx context.Context, c *s3.Client, bucket, owner, key, version string) (snapshot.Object, map[string]string, error) {
	o := snapshot.Object{Bucket: bucket, Key: key, VersionID: version}
	var id *string
	if version != "" {
		id = &version
	}
	var m members
	fetch(&m, "tags", &o.Tags, func() (snapshot.Value[map[string]string], error) {
		out, err := c.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &bucket, Key: &key, VersionId: id, ExpectedBucketOwner: &owner})
		if err != nil {
			return snapshot.Value[map[string]string]{}, err
		}
		return snapshot.Of(tagsOf(out.TagSet)), nil
	})
	head, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key, VersionId: id, ExpectedBucketOwner: &owner})
	m.tasks.Wait()
	switch marker, ok := deleteMarker(err); {
	case ok:
		marker.Bucket, marker.Key, marker.VersionID = bucket, key, cmp.Or(version, marker.VersionID)
		return marker, nil, nil
	case refusesHead(err) && o.Tags.State == snapshot.Present:
		return o, nil, unusable("S3 shows the tags and not the head, as of an object that is encrypted with a customer's key (SSE-C): %w", err)
	case err != nil:
		return o, nil, err
	}
	o.VersionID = cmp.Or(version, aws.ToString(head.VersionId))
	o.KMSKeyID, o.BucketKey = aws.ToString(head.SSEKMSKeyId), aws.ToBool(head.BucketKeyEnabled)
	o.Size, o.DeleteMarker = aws.ToInt64(head.ContentLength), aws.ToBool(head.DeleteMarker)
	o.StorageClass = cmp.Or(string(head.StorageClass), "STANDARD") // S3 names every class but that one
	o.ReplicationStatus = replicationStatus(string(head.ReplicationStatus))
	switch {
	case aws.ToString(head.SSECustomerAlgorithm) != "":
		o.Encryption = snapshot.Of("SSE-C")
	case head.ServerSideEncryption != "":
		o.Encryption = snapshot.Of(string(head.ServerSideEncryption))
	default:
		o.Encryption = snapshot.None[string]()
	}
	return o, m.refused(), nil
}

// replicationStatus is the status as the contract has it. Without one the object is not one that S3 replicates. COMPLETE is what
// old answers say.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html
func replicationStatus(text string) snapshot.Value[string] {
	switch text {
	case "":
		return snapshot.None[string]()
	case "COMPLETE":
		return snapshot.Of("COMPLETED")
	default:
		return snapshot.Of(text)
	}
}

// deleteMarker is the object of an answer that it is a delete marker: 405 when its version was asked for, 404 when it is the
// current one, and a header says so. A delete marker has no encryption and no tags.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
func deleteMarker(err error) (snapshot.Object, bool) {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPResponse() == nil {
		return snapshot.Object{}, false
	}
	header := response.HTTPResponse().Header
	if header.Get("x-amz-delete-marker") != "true" {
		return snapshot.Object{}, false
	}
	o := snapshot.Object{
		VersionID: header.Get("x-amz-version-id"), DeleteMarker: true,
		Encryption: snapshot.None[string](), Tags: snapshot.Of(map[string]string{}),
	}
	// That the answer has no status does not say that S3 replicates no delete markers here.
	if status := header.Get("x-amz-replication-status"); status != "" {
		o.ReplicationStatus = replicationStatus(strings.ToUpper(status))
	}
	return o, true
}

// refusesHead says whether S3 takes the request for a wrong one: without its key, that is what it answers of an object with SSE-C.
// The answer to HEAD has no text.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
func refusesHead(err error) bool {
	var response *awshttp.ResponseError
	return errors.As(err, &response) && response.HTTPStatusCode() == http.StatusBadRequest
}
