package diagnose_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/signal"
)

// failed is the event of a failure of the bases' route.
func failed(reason string) signal.Signal {
	return signal.Signal{
		Kind: signal.Failed, Bucket: "amzn-s3-demo-source", Rule: "r1", Destination: "arn:aws:s3:::amzn-s3-demo-destination", Key: "a.txt", Reason: reason,
		EventTime: time.Date(2026, 11, 21, 21, 4, 32, 0, time.UTC),
	}
}

const (
	theRole       = "arn:aws:iam::111122223333:role/service-role/replication"
	theReplicaKey = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-0987654321ab"
	theSourceKey  = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)

// without is a change that denies the role an action everywhere, as somebody else's Deny would.
func without(action string) string {
	return fmt.Sprintf(`{"roles": {%q: {"inline": {"deny": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": %q, "Resource": "*"}]}}}}}`, theRole, action)
}

// TestEveryReasonIsHeldAgainstTheModel goes through all of AWS's reasons: each with a world in which the documents show what it blames,
// and with one in which they allow everything.
func TestEveryReasonIsHeldAgainstTheModel(t *testing.T) {
	t.Parallel()
	const keyOff = `{"keys": {%q: {"state": "Disabled"}}}`
	const trust = `{"roles": {%q: {"trust": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "batchoperations.s3.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}}}`
	// The permissions to lock replicas, which AWS's list of reasons names.
	const mayLock = `{"roles": {%q: {"inline": {"lock": {"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": ["s3:PutObjectRetention", "s3:PutObjectLegalHold"], "Resource": "arn:aws:s3:::amzn-s3-demo-destination/*"}]}}}},
		"buckets": {"amzn-s3-demo-destination": {"policy": {"Statement": [
		{"Effect": "Allow", "Principal": {"AWS": %q}, "Action": "s3:*", "Resource": "arn:aws:s3:::amzn-s3-demo-destination/*"}]}}}}`
	const kms, locked = "cross-account-kms", "cross-account-object-lock"
	onlyS3 := func(cause string) [3]string { return [3]string{"", "", cause} }
	worlds := map[string][3]string{ // the base, a change of it, and the cause that is then found
		"AssumeRoleNotPermitted": {kms, fmt.Sprintf(trust, theRole), "trust-lacks-s3"},
		"DstBucketInvalidRegion": onlyS3("batch-job-wrong-region"),
		"DstBucketNotFound":      {kms, `{"buckets": {"amzn-s3-demo-destination": null}}`, "destination-bucket-missing"},
		"DstBucketObjectLockConfigMissing": {
			locked, `{"buckets": {"amzn-s3-demo-destination": {"objectLock": null}}}`, "destination-lacks-object-lock",
		},
		"DstBucketUnversioned":             {kms, `{"buckets": {"amzn-s3-demo-destination": {"versioning": "Suspended"}}}`, "destination-versioning-not-enabled"},
		"DstDelObjNotPermitted":            {"cross-account-delete-markers", without("s3:ReplicateDelete"), "explicit-deny"},
		"DstKmsKeyInvalidState":            {kms, fmt.Sprintf(keyOff, theReplicaKey), "replica-key-not-usable"},
		"DstKmsKeyNotFound":                {kms, `{"keys": {"` + theReplicaKey + `": null}}`, "replica-key-not-usable"},
		"DstMultipartCompleteNotPermitted": {kms, without("s3:ReplicateObject"), "explicit-deny"},
		"DstMultipartInitNotPermitted":     {kms, without("kms:Encrypt"), "explicit-deny"},
		"DstMultipartUploadNotPermitted":   {kms, without("s3:ReplicateObject"), "explicit-deny"},
		"DstObjectHardDeleted":             onlyS3("replica-hard-deleted"),
		"DstPutAclNotPermitted":            {kms, without("s3:ObjectOwnerOverrideToBucketOwner"), "explicit-deny"},
		"DstPutLegalHoldNotPermitted":      {locked, `{"buckets": {"amzn-s3-demo-destination": {"objectLock": null}}}`, "destination-lacks-object-lock"},
		"DstPutObjectNotPermitted":         {kms, without("kms:Encrypt"), "explicit-deny"},
		"DstPutRetentionNotPermitted":      {locked, `{"buckets": {"amzn-s3-demo-destination": {"objectLock": null}}}`, "destination-lacks-object-lock"},
		"DstPutTaggingNotPermitted":        {kms, without("s3:ReplicateTags"), "explicit-deny"},
		"DstVersionNotFound":               onlyS3("version-not-at-destination"),
		"InitiateReplicationNotPermitted":  onlyS3("batch-role-lacks-initiate-replication"),
		"SrcBucketInvalidRegion":           onlyS3("batch-job-wrong-region"),
		"SrcBucketNotFound":                {kms, `{"buckets": {"amzn-s3-demo-source": null}}`, "route-not-found"},
		"SrcBucketReplicationConfigMissing": {
			kms, `{"buckets": {"amzn-s3-demo-source": {"replication": null}}}`, "route-not-found",
		},
		"SrcGetAclNotPermitted":       {kms, without("s3:GetObjectVersionAcl"), "explicit-deny"},
		"SrcGetLegalHoldNotPermitted": {locked, without("s3:GetObjectLegalHold"), "explicit-deny"},
		"SrcGetObjectNotPermitted":    {kms, without("kms:Decrypt"), "explicit-deny"},
		"SrcGetRetentionNotPermitted": {locked, without("s3:GetObjectRetention"), "explicit-deny"},
		"SrcGetTaggingNotPermitted":   {kms, without("s3:GetObjectVersionTagging"), "explicit-deny"},
		"SrcHeadObjectNotPermitted":   {kms, without("s3:GetObjectVersionForReplication"), "explicit-deny"},
		"SrcKeyNotFound":              onlyS3("object-gone"),
		"SrcKmsKeyInvalidState":       {kms, fmt.Sprintf(keyOff, theSourceKey), "source-key-not-usable"},
		"SrcObjectNotEligible":        onlyS3("object-not-eligible"),
		"SrcObjectNotFound":           onlyS3("object-gone"),
		"SrcReplicationNotPending":    onlyS3("object-already-replicated"),
		"SrcVersionNotFound":          onlyS3("object-gone"),
	}
	if len(worlds) != len(diagnose.Reasons()) {
		t.Errorf("%d worlds for %d reasons", len(worlds), len(diagnose.Reasons()))
	}
	for reason, world := range worlds {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			base, change, cause := cmp.Or(world[0], kms), world[1], world[2]
			i := slices.IndexFunc(diagnose.Reasons(), func(r diagnose.Reason) bool { return r.Name == reason })
			if i < 0 {
				t.Fatal("is not in the table")
			}
			known := diagnose.Reasons()[i]
			d := diagnose.Diagnose(readBase(t, "base/"+base, change), []signal.Signal{failed(reason)})
			if !found(d, cause) {
				t.Errorf("%s is not found:\n%s", cause, summary(d))
			}
			if found(d, "event-contradicts-model") {
				t.Errorf("contradicts where the documents show it:\n%s", summary(d))
			}
			for _, r := range d.Routes {
				if len(r.Hints) != 1 || r.Hints[0].Meaning != known.Meaning || !strings.Contains(r.Hints[0].Text, reason) {
					t.Errorf("hints are %+v", r.Hints)
				} else if agrees := r.Hints[0].Agrees; change != "" && (agrees == nil || !*agrees) {
					t.Errorf("the reason does not agree: %s", r.Hints[0].Text)
				}
			}

			// Where everything is allowed, S3 and the model disagree, unless only S3 can know.
			allowed := ""
			if base == locked {
				allowed = fmt.Sprintf(mayLock, theRole, theRole)
			}
			d = diagnose.Diagnose(readBase(t, "base/"+base, allowed), []signal.Signal{failed(reason)})
			agrees := d.Routes[0].Hints[0].Agrees
			switch onlyKnownToS3 := change == ""; {
			case onlyKnownToS3 && (agrees != nil || found(d, "event-contradicts-model") || !found(d, cause)):
				t.Errorf("want %s alone:\n%s", cause, summary(d))
			case !onlyKnownToS3 && (agrees == nil || *agrees || !found(d, "event-contradicts-model")):
				t.Errorf("want a contradiction:\n%s", summary(d))
			}
			if d.Routes[0].Plan != nil {
				t.Error("an event alone makes a plan")
			}
			if known.Former != "" {
				former := diagnose.Diagnose(readBase(t, "base/"+base, ""), []signal.Signal{failed(known.Former)})
				if former.Routes[0].Hints[0].Meaning != known.Meaning {
					t.Errorf("%s means %q", known.Former, former.Routes[0].Hints[0].Meaning)
				}
			}
		})
	}
}

func found(d diagnose.Diagnosis, cause string) bool {
	is := func(f diagnose.Finding) bool { return f.Cause == cause }
	return slices.ContainsFunc(d.Findings, is) || slices.ContainsFunc(d.Routes, func(r diagnose.Route) bool { return slices.ContainsFunc(r.Findings, is) })
}

// TestReasonsAreWhole holds the table against AWS's page, by its number of rows, and against the catalogue.
func TestReasonsAreWhole(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range diagnose.Causes() {
		names = append(names, c.Name)
	}
	all := diagnose.Reasons()
	if len(all) != 34 || !slices.IsSortedFunc(all, func(a, b diagnose.Reason) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%d reasons, want the 34 of the page in its order", len(all))
	}
	batch := 0
	for _, r := range all {
		if r.Meaning == "" || r.Checks == "" || len(r.Documents) == 0 || r.Class == "" {
			t.Errorf("%s says too little: %+v", r.Name, r)
		}
		if (r.Class == diagnose.OfPolicies) != r.Policies {
			t.Errorf("%s is of class %s, and policies are at fault: %t", r.Name, r.Class, r.Policies)
		}
		if len(r.Hops) == 0 && len(r.Causes) == 0 {
			t.Errorf("%s has neither hop nor cause", r.Name)
		}
		for _, c := range r.Causes {
			if !slices.Contains(names, c) {
				t.Errorf("%s: no cause %s", r.Name, c)
			}
		}
		if r.BatchOnly {
			batch++
		}
	}
	if batch != 4 {
		t.Errorf("%d reasons of batch jobs alone, want 4", batch)
	}
}

func TestOneFindingForOneRuleThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := readBase(t, "base/cross-account-kms", "")
	var signals []signal.Signal
	for i := range 1000 {
		sig := failed("DstPutObjectNotPermitted")
		sig.Rule = fmt.Sprintf("hostile-%d", i/4)
		signals = append(signals, sig)
	}
	got := diagnose.Diagnose(s, signals).Findings
	if len(got) != 20 || !strings.Contains(got[19].Message, "more were reported") {
		t.Errorf("%d findings, the last %q", len(got), got[len(got)-1].Message)
	}
	if got := diagnose.Diagnose(s, signals[:4]).Findings; len(got) != 1 || got[0].Remedy != patch.Manual {
		t.Errorf("four events of one rule give %d findings", len(got))
	}
}
