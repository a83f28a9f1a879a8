package route_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

const (
	sourceKey  = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	replicaKey = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-0987654321ab"
)

// world is the cross-account route with one sample object and another default encryption of the destination.
func world(t *testing.T, object, destination string) *snapshot.Snapshot {
	t.Helper()
	text, err := os.ReadFile("../diagnose/testdata/base/cross-account-kms.json")
	if err != nil {
		t.Fatal(err)
	}
	root, err := jsontree.Parse(text, snapshot.MaxSize)
	if err != nil {
		t.Fatal(err)
	}
	parse := func(s string) jsontree.Node {
		n, err := jsontree.Parse([]byte(s), snapshot.MaxSize)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	buckets := root.Get("buckets")
	bucket := buckets.Get("amzn-s3-demo-destination").With("encryption", parse(destination))
	root = root.With("buckets", buckets.With("amzn-s3-demo-destination", bucket)).With("objects", parse("["+object+"]"))
	s, err := snapshot.Parse([]byte(root.Indent()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asks is every request to KMS, as "hop action need context", the context being the bucket's or the object's ARN.
func asks(s *snapshot.Snapshot) []string {
	r := route.Routes(s)[0]
	w := route.NewWorld(s)
	var out []string
	for _, p := range route.Populations(s, r, "") {
		for _, q := range route.Requirements(w, r, p) {
			if !strings.HasPrefix(q.Request.Action, "kms:") {
				continue
			}
			bound := "of nothing known"
			if got, ok := q.Request.Context.Values("kms:EncryptionContext:aws:s3:arn"); ok {
				bound = "bucket"
				if strings.Contains(got[0], "/") {
					bound = "object"
				}
			}
			out = append(out, fmt.Sprintf("%s %s %s %s", q.Hop, q.Request.Action, q.Need, bound))
		}
	}
	return out
}

func sample(encryption, key string, bucketKey bool) string {
	e := `"` + encryption + `"`
	if encryption == "" {
		e = "null"
	}
	k := ""
	if key != "" {
		k = fmt.Sprintf(`"kmsKeyId": %q, `, key)
	}
	return fmt.Sprintf(`{"bucket": "amzn-s3-demo-source", "key": "a.txt", "replicationStatus": "FAILED", "encryption": %s, %s"bucketKey": %t, "tags": {}}`, e, k, bucketKey)
}

func byDefault(algorithm, key string, bucketKey bool) string {
	k := ""
	if key != "" {
		k = fmt.Sprintf(`, "KMSMasterKeyID": %q`, key)
	}
	return fmt.Sprintf(`{"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": %q%s}, "BucketKeyEnabled": %t}]}`, algorithm, k, bucketKey)
}

// TestKeysThatEachPairOfEncryptionsAsks is the whole table of source objects and destination defaults.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-bucket-key.html
func TestKeysThatEachPairOfEncryptionsAsks(t *testing.T) {
	t.Parallel()
	sseS3 := byDefault("AES256", "", false)
	sseS3BucketKey := byDefault("AES256", "", true)
	kms, kmsBucketKey := byDefault("aws:kms", replicaKey, false), byDefault("aws:kms", replicaKey, true)
	dsse := byDefault("aws:kms:dsse", replicaKey, true) // S3 Bucket Keys are not for DSSE-KMS
	plain := []string{
		"decrypt-source kms:Decrypt required object",
		"encrypt-replica kms:Encrypt required object",
		"encrypt-replica kms:GenerateDataKey advisory object",
	}
	inBucket := []string{
		"encrypt-replica kms:Encrypt required bucket",
		"encrypt-replica kms:Decrypt conditional bucket",
		"encrypt-replica kms:GenerateDataKey conditional bucket",
	}
	kept := append([]string{"decrypt-source kms:Decrypt required bucket"}, inBucket...)
	inherited := append([]string{"decrypt-source kms:Decrypt required object", "decrypt-source kms:Decrypt conditional bucket"}, inBucket...)
	for _, c := range []struct {
		name, object, destination string
		want                      []string
	}{
		{"plaintext into SSE-S3", sample("", "", false), sseS3, nil},
		{"plaintext into SSE-KMS", sample("", "", false), kms, []string{"encrypt-replica kms:GenerateDataKey required object"}},
		{"plaintext into SSE-KMS with a Bucket Key", sample("", "", false), kmsBucketKey, []string{
			"encrypt-replica kms:GenerateDataKey required bucket", "encrypt-replica kms:Decrypt conditional bucket",
		}},
		{"plaintext into DSSE-KMS", sample("", "", false), dsse, []string{"encrypt-replica kms:GenerateDataKey required object"}},
		{"SSE-S3 into SSE-S3", sample("AES256", "", false), sseS3, nil},
		{"SSE-S3 into SSE-KMS", sample("AES256", "", false), kms, nil},
		{"SSE-S3 into DSSE-KMS", sample("AES256", "", false), dsse, nil},
		{"SSE-C into SSE-S3", sample("SSE-C", "", false), sseS3, nil},
		{"SSE-C into SSE-KMS", sample("SSE-C", "", false), kms, nil},
		{"SSE-C into DSSE-KMS", sample("SSE-C", "", false), dsse, nil},
		{"SSE-KMS into SSE-S3", sample("aws:kms", sourceKey, false), sseS3, plain},
		{"SSE-KMS into SSE-KMS", sample("aws:kms", sourceKey, false), kms, plain},
		{"SSE-KMS into DSSE-KMS", sample("aws:kms", sourceKey, false), byDefault("aws:kms:dsse", replicaKey, false), plain},
		{"SSE-KMS with a Bucket Key into one without", sample("aws:kms", sourceKey, true), kms, kept},
		{"SSE-KMS with a Bucket Key into one with", sample("aws:kms", sourceKey, true), kmsBucketKey, kept},
		{"SSE-KMS into a Bucket Key", sample("aws:kms", sourceKey, false), kmsBucketKey, inherited},
		{"SSE-KMS into the Bucket Key of an SSE-S3 default", sample("aws:kms", sourceKey, false), sseS3BucketKey, inherited},
		{"DSSE-KMS into SSE-S3", sample("aws:kms:dsse", sourceKey, false), sseS3, plain},
		{"DSSE-KMS into a Bucket Key", sample("aws:kms:dsse", sourceKey, false), kmsBucketKey, plain},
		{"DSSE-KMS into DSSE-KMS", sample("aws:kms:dsse", sourceKey, false), dsse, plain},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := asks(world(t, c.object, c.destination))
			slices.Sort(got)
			want := slices.Sorted(slices.Values(c.want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("requests to KMS (-want +got):\n%s", diff)
			}
		})
	}
}
