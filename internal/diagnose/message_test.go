package diagnose_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
)

// TestMessagesNameWhatDecides holds the words of findings against what a person needs to act: the cases say only which cause.
func TestMessagesNameWhatDecides(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, cause string
		want        []string
	}{
		{"explicit-deny/tags-refused", "explicit-deny", []string{"both readings", "arrive without tags", "DstPutTaggingNotPermitted"}},
		{"explicit-deny/outside-the-vpc", "explicit-deny", []string{"aws:SourceVpce", "vpce-1a2b3c4d", "S3 sends no such key", "no VPC endpoint"}},
		{"explicit-deny/from-an-address-range", "explicit-deny", []string{"aws:SourceIp", "from no address", "of yours"}},
		{"explicit-deny/another-key-demanded", "explicit-deny", []string{"s3:x-amz-server-side-encryption-aws-kms-key-id", "key/aaaabbbb", "S3 sends arn:aws:kms:eu-west-1:444455556666:key/1234abcd"}},
		{"condition-mismatch/key-id-in-place-of-its-arn", "condition-mismatch", []string{"wants 1234abcd-", "S3 sends arn:aws:kms:", "in the form of an ARN"}},
		{"document-unreadable/organization-not-known", "document-unreadable", []string{"aws:principalorgid", "s3:ReplicateObject, s3:ObjectOwnerOverrideToBucketOwner, s3:ReplicateTags", "which organization"}},
		{"document-unreadable/tags-perhaps-refused", "document-unreadable", []string{"s3:ReplicateTags", "not certain"}},
		{"document-unreadable/replica-key-policy", "document-unreadable", []string{"kms:Encrypt cannot be decided", "AccessDenied"}},
		{"principal-mismatch/unique-id-of-a-deleted-role", "principal-mismatch", []string{
			`replace "AWS": "AROADELETEDROLEEXAMPL" by "AWS": "arn:aws:iam::111122223333:role/service-role/replication"`, "refuses to save",
		}},
		{"destination-policy-lacks-owner-override/document-with-a-dead-principal", "document-not-writable", []string{"AIDADELETEDUSEREXAMPL", "stores no document"}},
		{"via-service-mismatch/suffix-in-china", "via-service-mismatch", []string{"s3.cn-north-1.amazonaws.com, S3 sends s3.cn-north-1.amazonaws.com.cn", "deduced"}},
		{"role-lacks-replicate-object/arn-of-another-partition", "role-lacks-replicate-object", []string{"in partition aws", "than aws-cn never matches"}},
		{"role-lacks-read-object/get-object-version-for-kms", "role-lacks-read-object", []string{"s3:GetObjectVersion, ", "not objects under a KMS key"}},
		{"replica-key-wrong-region/multi-region-key-of-the-source", "replica-key-wrong-region", []string{"must name arn:aws:kms:eu-west-1:444455556666:key/mrk-"}},
		{"replica-key-wrong-region/multi-region-key-not-replicated", "replica-key-wrong-region", []string{"arn:aws:kms:eu-west-1:444455556666:key/mrk-", "does not exist"}},
		{"replica-key-aws-managed/role-of-a-third-account", "replica-key-aws-managed", []string{"of account 111122223333", "role is of account 777788889999"}},
		{"source-encryption-unknown/sample-without-its-key", "source-encryption-unknown", []string{"amzn-s3-demo-source/a.txt", "kmsKeyId is missing"}},
		{"replica-key-policy-lacks-encrypt/grant-with-another-context", "replica-key-policy-lacks-encrypt", []string{"grant 0123abcd", "constraints", "arn:aws:s3:::amzn-s3-demo-destination/"}},
		{"replica-key-policy-lacks-encrypt/grant-of-another-operation", "replica-key-policy-lacks-encrypt", []string{"grant 0123abcd to the role is for Decrypt only"}},
		{"replica-modifications-one-sided/rule-back-without-it", "replica-modifications-one-sided", []string{"rule back", "does not set ReplicaModifications"}},
		{"replica-owned-by-source/acls-enabled", "replica-owned-by-source", []string{"account 444455556666 may be unable to open them", "BucketOwnerEnforced"}},
		{"public-acl-blocked/acl-refused", "public-acl-blocked", []string{"hypothesis", "get-object-acl"}},
		{"role-in-another-account/role-of-the-destination", "role-in-another-account", []string{"of account 444455556666", "probably", "no page on replication says so"}},
		{"role-lacks-read-lock/object-lock-not-read", "role-lacks-read-lock", []string{"if the source bucket has Object Lock, which is not in the snapshot"}},
		{"role-lacks-owner-override/dropped", "role-lacks-owner-override", []string{"ACLs disabled", "could do without AccessControlTranslation"}},
		{"role-lacks-read-tags/dropped", "role-lacks-read-tags", []string{"arrive without their tags", "SrcGetTaggingNotPermitted"}},
		{"role-lacks-write-lock/retention-refused", "role-lacks-write-lock", []string{"s3:PutObjectRetention", "pages disagree"}},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			s, hints, _ := readCase(t, filepath.Join("testdata", "causes", filepath.FromSlash(c.file)+".txtar"))
			var text []string
			for _, r := range diagnose.Diagnose(s, hints).Routes {
				for _, f := range r.Findings {
					if f.Cause == c.cause {
						text = append(text, f.Message)
					}
				}
			}
			for _, want := range c.want {
				if !strings.Contains(strings.Join(text, "\n"), want) {
					t.Errorf("want %q in\n%s", want, strings.Join(text, "\n"))
				}
			}
		})
	}
}

// TestWayBackIsNamed: the way back of a two-way route has a role and permissions of its own.
func TestWayBackIsNamed(t *testing.T) {
	t.Parallel()
	s, _, _ := readCase(t, filepath.Join("testdata", "causes", "replica-modifications-one-sided", "near-miss-both-sides.txtar"))
	routes := diagnose.Diagnose(s, nil).Routes
	if len(routes) != 2 {
		t.Fatalf("want both directions, got %d routes", len(routes))
	}
	for i, back := range []string{"amzn-s3-demo-source → amzn-s3-demo-destination", "amzn-s3-demo-destination → amzn-s3-demo-source"} {
		if text := strings.Join(routes[i].Objects, "\n"); !strings.Contains(text, "travel back by "+back) {
			t.Errorf("want %q in %q", back, text)
		}
	}
}
