package diagnose_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

const replicationRole = "arn:aws:iam::111122223333:role/service-role/replication"

// widened is a base whose role's policies have one more statement, or are that statement alone.
func widened(t *testing.T, base, statements string) *snapshot.Snapshot {
	t.Helper()
	return readBase(t, "base/"+base, fmt.Sprintf(`{"roles": {%q: {"inline": {"replication": {"Version": "2012-10-17", "Statement": [%s]}}}}}`, replicationRole, statements))
}

const (
	everythingOfS3 = `{"Sid": "S3", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}`
	everyKey       = `{"Sid": "Keys", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], "Resource": "*"}`
)

func TestWideRolesAreNarrowedToWhatTheirRoutesNeed(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"cross-account-kms", "cross-account-bucket-keys", "same-account-kms", "cross-account-object-lock", "cross-account-prefix"} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			s := widened(t, base, everythingOfS3+","+everyKey)
			before := diagnose.Diagnose(s, nil)
			if before.Routes[0].Verdict != diagnose.Healthy || len(before.Proposals) != 1 {
				t.Fatalf("want a healthy route and one proposal, got %s and %+v", before.Routes[0].Verdict, before.Proposals)
			}
			p := before.Proposals[0]
			if got := strings.Join(p.Statements, ", "); got != "inline/replication Keys, inline/replication S3" || p.Role != replicationRole || p.Routes != 1 {
				t.Errorf("want both statements of the role of one route, got %s of %s, %d routes", got, p.Role, p.Routes)
			}
			for n := range p.Edits {
				s, err := patch.Plan{Edits: p.Edits[:n+1]}.Apply(s)
				if err != nil {
					t.Fatal(err)
				}
				after := diagnose.Diagnose(s, nil)
				if after.Routes[0].Verdict != diagnose.Healthy || deniesAgain(before.Routes[0], after.Routes[0]) {
					t.Errorf("after %d of %d edits the route is %s", n+1, len(p.Edits), after.Routes[0].Verdict)
				}
				if n == len(p.Edits)-1 && len(after.Proposals) != 0 {
					t.Errorf("what was narrowed can be narrowed again: %+v", after.Proposals)
				}
			}
			last := p.Edits[len(p.Edits)-1]
			if last.After.State != snapshot.Absent {
				t.Errorf("a policy of nothing but wide statements stays behind: %v", last.After)
			}
			if before.Routes[0].Plan != nil {
				t.Error("a proposal became a plan")
			}
		})
	}
}

// Two routes of one role: what either needs is kept.
func TestNarrowingKeepsEveryRouteOfTheRole(t *testing.T) {
	t.Parallel()
	s := widened(t, "two-rules-one-role", everythingOfS3+","+everyKey)
	d := diagnose.Diagnose(s, nil)
	if len(d.Proposals) != 1 || d.Proposals[0].Routes != 2 {
		t.Fatalf("want one proposal for two routes, got %+v", d.Proposals)
	}
	s, err := patch.Plan{Edits: d.Proposals[0].Edits}.Apply(s)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range diagnose.Diagnose(s, nil).Routes {
		if r.Verdict != d.Routes[i].Verdict || deniesAgain(d.Routes[i], r) {
			t.Errorf("%s was %s and is %s", r.Of, d.Routes[i].Verdict, r.Verdict)
		}
	}
}

func TestWhatReplicationNeedsIsNotWide(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"lists and reads of the source": `{"Effect": "Allow", "Action": ["s3:List*", "s3:Get*"], "Resource": ["arn:aws:s3:::amzn-s3-demo-source", "arn:aws:s3:::amzn-s3-demo-source/*"]}`,
		"any key, through S3 alone":     `{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}}}`,
		"a Deny of everything":          `{"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}`,
		"another service":               `{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}`,
		"encryption of one key":         `{"Effect": "Allow", "Action": ["kms:ReEncrypt*", "kms:GenerateDataKey*"], "Resource": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}`,
	} {
		s := widened(t, "cross-account-kms", statement)
		if p := diagnose.Diagnose(s, nil).Proposals; len(p) != 0 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
