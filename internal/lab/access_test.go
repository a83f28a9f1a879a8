package lab_test

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/snapshot"
)

// accessWorld is one bucket without default encryption of its own, a role of its account and a user of another one, whom the bucket
// policy lets in.
const accessWorld = `{
  "schema": "replimend/snapshot/v1",
  "buckets": {"b": {"account": "111122223333", "region": "eu-west-1", "ownership": "ObjectWriter", "requestPayer": "BucketOwner",
    "policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:user/u"}, "Action": "s3:*", "Resource": "arn:aws:s3:::b/*"}]}}},
  "roles": {"arn:aws:iam::111122223333:role/app/r": {"trust": {"Version": "2012-10-17", "Statement": []},
    "inline": {"p": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}]}}}},
  "users": {"arn:aws:iam::444455556666:user/u": {"inline": {}, "groups": {"g": {"inline": {
    "p": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}]}}}}}}
}`

const (
	localRole  = "arn:aws:iam::111122223333:role/app/r"
	farUser    = "arn:aws:iam::444455556666:user/u"
	payer      = `"requestPayer": "BucketOwner"`
	ownSession = "arn:aws:sts::111122223333:assumed-role/r/batch"
)

func accessCloud(t *testing.T, change string, options lab.Options) *lab.Cloud {
	t.Helper()
	base, err := jsontree.Parse([]byte(strings.Replace(accessWorld, payer, change, 1)), snapshot.MaxSize)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := base.MarshalJSON()
	s, err := snapshot.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := lab.New(s, options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPrincipalsReadAsAWSDocumentsIt(t *testing.T) {
	t.Parallel()
	const own, other = "111122223333", "444455556666"
	for name, row := range map[string]struct {
		principal, change string // of the bucket's requestPayer
		enforced          bool
		put               lab.PutOptions
		want              string // the code, "" for a success
	}{
		"own object":           {principal: localRole},
		"session":              {principal: ownSession},
		"user by group":        {principal: farUser},
		"object of another":    {principal: localRole, put: lab.PutOptions{Owner: other}, want: "AccessDenied"},
		"owner of the object":  {principal: farUser, put: lab.PutOptions{Owner: other}},
		"ACL for the owner":    {principal: localRole, put: lab.PutOptions{Owner: other, ACL: "bucket-owner-full-control"}},
		"owner enforced":       {principal: localRole, enforced: true, put: lab.PutOptions{Owner: other}},
		"archived":             {principal: localRole, put: lab.PutOptions{StorageClass: "GLACIER"}, want: "InvalidObjectState"},
		"SSE-C":                {principal: localRole, put: lab.PutOptions{Encryption: "SSE-C"}, want: "InvalidRequest"},
		"own aws/s3":           {principal: localRole, put: lab.PutOptions{Encryption: "aws:kms"}},
		"aws/s3 of another":    {principal: farUser, put: lab.PutOptions{Encryption: "aws:kms"}, want: "AccessDenied"},
		"requester pays":       {principal: farUser, change: `"requestPayer": "Requester"`, want: "AccessDenied"},
		"requester pays, own":  {principal: localRole, change: `"requestPayer": "Requester"`},
		"nobody of that name":  {principal: localRole + "2", want: "InvalidClientTokenId"},
		"no user of that name": {principal: farUser + "2", want: "InvalidAccessKeyId"},
		"root is no consumer":  {principal: "arn:aws:iam::111122223333:root", want: "InvalidRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if row.change == "" {
				row.change = payer
			}
			c := accessCloud(t, row.change, lab.Options{})
			if row.enforced {
				if err := c.EditBucket("b", func(b *snapshot.Bucket) { b.Ownership = snapshot.Of("BucketOwnerEnforced") }); err != nil {
					t.Fatal(err)
				}
			}
			if row.put.Owner == "" {
				row.put.Owner = own
			}
			if _, err := c.PutObject("b", "k", row.put); err != nil {
				t.Fatal(err)
			}
			if got := code(c.Get(row.principal, "b", "k")); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestPrincipalsWriteAsAWSDocumentsIt(t *testing.T) {
	t.Parallel()
	c := accessCloud(t, `"requestPayer": "Requester"`, lab.Options{Requester: true})
	o, err := c.PutAs(farUser, "b", "k", false)
	if err != nil || o.Owner != "444455556666" || o.Encryption.V != "AES256" {
		t.Errorf("written %+v, %v: want it to belong to the writer, under SSE-S3", o, err)
	}
	if got := code(c.Get(localRole, "b", "k")); got != "AccessDenied" {
		t.Errorf("the bucket's owner reads it: %q", got)
	}
	if err := c.EditBucket("b", func(b *snapshot.Bucket) { b.Ownership = snapshot.Of("BucketOwnerEnforced") }); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(localRole, "b", "k"); err != nil {
		t.Errorf("BucketOwnerEnforced reaches objects that are there: %v", err)
	}
	if _, err := c.DeleteObject("b", "k"); err == nil {
		t.Error("a bucket that was never versioned makes no delete markers")
	}
	if got := code(c.Get(localRole, "b", "other")); got != "NoSuchKey" {
		t.Errorf("an object that is not there: %q", got)
	}
	if got := code(c.Get(localRole, "nowhere", "k")); got != "NoSuchBucket" {
		t.Errorf("a bucket that is not there: %q", got)
	}
}
