package guard_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// what the base's plan grants something with, to be replaced.
const (
	approvedRole = "arn:aws:iam::111122223333:role/service-role/replication"
	sourceKeyARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	replicaKey   = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-0987654321ab"
	sourceName   = "amzn-s3-demo-source"
	destName     = "amzn-s3-demo-destination"
)

// documents is the documents that a plan for the route of the base may edit. One key can serve both ends, so that either kind
// of key policy is that of either key.
var documents = map[snapshot.Kind][]string{
	snapshot.RolePolicy: {approvedRole}, snapshot.RoleTrust: {approvedRole}, snapshot.DestinationBucketPolicy: {destName},
	snapshot.SourceKeyPolicy: {sourceKeyARN, replicaKey}, snapshot.ReplicaKeyPolicy: {replicaKey, sourceKeyARN},
}

// editable says whether a document may be edited. Everything else is for people: configuration, keys, guardrails, objects.
func editable(kind snapshot.Kind, id string) bool { return slices.Contains(documents[kind], id) }

// TestKindsThatNobodyEdits: an edit of any other kind is refused, whatever it names and whoever owns it.
func TestKindsThatNobodyEdits(t *testing.T) {
	t.Parallel()
	kinds := []snapshot.Kind{
		snapshot.RolePolicy, snapshot.RoleTrust, snapshot.PermissionsBoundary, snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy,
		snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyGrant, snapshot.KeyState, snapshot.ReplicationConfig,
		snapshot.BucketConfig, snapshot.ObjectKind, snapshot.SCP, snapshot.RCP, "", "session-policy",
	}
	base := load(t, nil)
	ids := []string{approvedRole, sourceKeyARN, replicaKey, sourceName, destName, "111122223333", "444455556666", sourceName + "/ledger/a"}
	for _, kind := range kinds {
		for _, id := range ids {
			for _, e := range base.plan.Edits {
				s := base
				e.Document, e.Account = snapshot.Ref{Kind: kind, ID: id, Name: "Replimend"}, ownerOf(id)
				s.plan.Edits = []patch.Edit{e}
				if v, want := s.check(), !editable(kind, id); objects(v, "document") != want {
					t.Errorf("%s %s: refused %t, want %t: %s", kind, id, !want, want, text(v))
				}
			}
		}
	}
}

// objects says whether a rule refuses.
func objects(v guard.Verdict, rule string) bool {
	return slices.ContainsFunc(v.Reasons, func(r guard.Reason) bool { return r.Rule == rule && r.Decision == guard.Refuse })
}

func ownerOf(id string) string {
	if id == destName || id == replicaKey {
		return "444455556666"
	}
	return "111122223333"
}

// everyAction is what a plan may grant, by kind of document. It is written a second time here, so that a line that slips into
// the guard's own table is seen.
var everyAction = map[snapshot.Kind][]string{
	snapshot.RolePolicy: {
		"s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl",
		"s3:GetObjectVersionTagging", "s3:GetObjectRetention", "s3:GetObjectLegalHold", "s3:ReplicateObject", "s3:ReplicateDelete",
		"s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner", "s3:PutObjectRetention", "s3:PutObjectLegalHold",
		"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey",
	},
	snapshot.DestinationBucketPolicy: {
		"s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner",
		"s3:PutObjectRetention", "s3:PutObjectLegalHold",
	},
	snapshot.SourceKeyPolicy:  {"kms:Decrypt"},
	snapshot.ReplicaKeyPolicy: {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"},
	snapshot.RoleTrust:        {"sts:AssumeRole"},
}

// neverGranted is a choice of what an attacker would like, next to what is allowed anywhere.
var neverGranted = []string{
	"*", "*:*", "s3:*", "kms:*", "iam:*", "sts:*", "s3:Replicate*", "kms:Decryp?", "s3:replicateobject", "S3:ReplicateObject",
	"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy",
	"s3:DeleteBucketPolicy", "s3:PutBucketVersioning", "s3:PutReplicationConfiguration", "s3:PutBucketAcl", "s3:PutObjectAcl",
	"s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock", "s3:PutEncryptionConfiguration", "s3:BypassGovernanceRetention",
	"s3:PutBucketObjectLockConfiguration", "s3:CreateJob", "s3:InitiateReplication", "s3:PutBucketNotification",
	"kms:CreateGrant", "kms:PutKeyPolicy", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:ReEncrypt*", "kms:EnableKey", "kms:DisableKey",
	"kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:DescribeKey", "kms:RetireGrant", "kms:UpdateAlias",
	"kms:GenerateDataKeyWithoutPlaintext", "iam:PassRole", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:CreateRole",
	"iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary", "organizations:DetachPolicy", "sts:AssumeRoleWithWebIdentity",
	"sts:TagSession", "sts:SetSourceIdentity",
}

// TestActionsThatAreNeverGranted: beside the table above every action is refused in every document, where the route has use for
// everything that a route can have use for.
func TestActionsThatAreNeverGranted(t *testing.T) {
	t.Parallel()
	s := load(t, map[string]string{
		"snapshot.json": `{"buckets": {
			"amzn-s3-demo-source": {"objectLock": {"ObjectLockEnabled": "Enabled"}, "replication": {"Rules": {"0": {"DeleteMarkerReplication": {"Status": "Enabled"}}}}},
			"amzn-s3-demo-destination": {"objectLock": {"ObjectLockEnabled": "Enabled"}}
		}}`,
		"settings.json": `{"routes": {"0": {"rule": {"deleteMarkers": true}, "allow": {"roleTrust": true}}}}`,
	})
	actions := slices.Clone(neverGranted)
	for _, list := range everyAction {
		actions = append(actions, list...)
	}
	for kind, ids := range documents {
		id := ids[0]
		for _, action := range actions {
			spec := policy.StatementSpec{Sid: "ReplimendX", Effect: policy.Allow, Actions: []string{action}, Resources: []string{"*"}}
			if kind != snapshot.RolePolicy {
				spec.Principals = []policy.Principal{{Kind: policy.PrincipalAWS, Value: approvedRole}}
			}
			if kind == snapshot.RoleTrust {
				spec.Resources = nil
			}
			added, err := spec.Build()
			if err != nil {
				t.Fatal(err)
			}
			ref := snapshot.Ref{Kind: kind, ID: id}
			before := s.snapshot.Document(ref)
			s.plan.Edits = []patch.Edit{{Document: ref, Before: before, After: snapshot.Of(before.V.Append(added)), Account: ownerOf(id), Class: patch.Automatic}}
			v := s.check()
			// One table serves the policies of all keys; which key it is decides the rule about resources.
			refused := objects(v, "exact-action") || kind == snapshot.SourceKeyPolicy && objects(v, "exact-resource")
			if want := !slices.Contains(everyAction[kind], action); refused != want {
				t.Errorf("%s in %s: refused %t, want %t: %s", action, kind, refused, want, text(v))
			}
		}
	}
}

// TestPlansThatAreOfNoRoute: a plan for somebody who reads replicas, or for no rule at all, has no approved route.
func TestPlansThatAreOfNoRoute(t *testing.T) {
	t.Parallel()
	reader := `{"edits": {"role-policy": "delete me", "destination-bucket-policy": {"append": {"0": {"Principal": {"AWS": "arn:aws:iam::444455556666:role/reader"}, "Action": "s3:GetObject"}}},
		"replica-key-policy": {"append": {"0": {"Principal": {"AWS": "arn:aws:iam::444455556666:role/reader"}, "Action": "kms:Decrypt"}}}}}`
	for name, r := range map[string]route.Route{
		"no route":        {},
		"its destination": {Source: destName, SourceAccount: "444455556666", Partition: "aws"},
		"as the route":    load(t, nil).route,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := load(t, map[string]string{"plan.json": reader})
			s.route = r
			v := s.check()
			if v.Decision != guard.Refuse || !strings.Contains(text(v), "exact-principal: refuse") {
				t.Errorf("verdict on a plan for a reader: %s", text(v))
			}
			if !strings.Contains(text(v), "approved-route: refuse") && name != "as the route" {
				t.Errorf("a plan of no route has one: %s", text(v))
			}
		})
	}
}

// TestNothingIsAllowedWithoutASnapshot: who knows nothing allows nothing, and does not fall over.
func TestNothingIsAllowedWithoutASnapshot(t *testing.T) {
	t.Parallel()
	s := load(t, nil)
	for name, empty := range map[string]*snapshot.Snapshot{"nil": nil, "empty": {}} {
		s.snapshot = empty
		if v := s.check(); v.Decision != guard.Refuse {
			t.Errorf("%s: verdict %s", name, text(v))
		}
		if v := guard.CheckReplay(sourceName, empty, s.settings); v.Decision != guard.Refuse {
			t.Errorf("%s: verdict on a replay: %s", name, text(v))
		}
		if v := guard.Check(patch.Plan{}, route.Route{}, empty, nil, guard.History{}); v.Decision != guard.Refuse {
			t.Errorf("%s: verdict on nothing: %s", name, text(v))
		}
		ofNobody := patch.Plan{Edits: []patch.Edit{{Document: snapshot.Ref{Kind: snapshot.RolePolicy, Name: "Replimend"}}}}
		if v := guard.Check(ofNobody, route.Route{}, empty, nil, guard.History{}); !objects(v, "document") {
			t.Errorf("%s: a document of nobody is one of the route: %s", name, text(v))
		}
	}
}

// TestWithoutSettingsHistoryDecidesNothing: nobody approved anything, and rules about limits and protected principals have nothing to
// say, whatever happened before.
func TestWithoutSettingsHistoryDecidesNothing(t *testing.T) {
	t.Parallel()
	s := load(t, nil)
	s.settings = nil
	s.history.Breaking = &incident.Call{Event: "PutKeyPolicy", Principal: "arn:aws:iam::111122223333:role/break-glass"}
	v := s.check()
	if v.Decision != guard.Refuse || !objects(v, "approved-route") || objects(v, "removed-again") || objects(v, "protected-change") {
		t.Errorf("verdict %s", text(v))
	}
}

// TestModesThatNobodyKnows: a mode that settings cannot hold writes nothing.
func TestModesThatNobodyKnows(t *testing.T) {
	t.Parallel()
	for _, unknown := range []settings.Mode{"", "Automatic", "force"} {
		s := load(t, nil)
		s.settings.Routes[0].Mode = unknown
		if v := s.check(); !objects(v, "mode") {
			t.Errorf("mode %q: verdict %s", unknown, text(v))
		}
	}
}

// TestChinaHasAnotherService: S3 in aws-cn is another service to KMS, and that of aws pins nothing there.
// https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
func TestChinaHasAnotherService(t *testing.T) {
	t.Parallel()
	inChina := strings.NewReplacer("arn:aws:", "arn:aws-cn:", "us-east-1", "cn-north-1", "eu-west-1", "cn-northwest-1")
	for suffix, want := range map[string]guard.Decision{".amazonaws.com.cn": guard.Allow, ".amazonaws.com": guard.Refuse} {
		var s situation
		var err error
		if s.snapshot, err = snapshot.Parse([]byte(inChina.Replace(string(read(t, nil, "snapshot.json"))))); err != nil {
			t.Fatal(err)
		}
		if s.settings, err = settings.Parse([]byte(inChina.Replace(string(read(t, nil, "settings.json"))))); err != nil {
			t.Fatal(err)
		}
		var p planFile
		plan := strings.ReplaceAll(inChina.Replace(string(read(t, nil, "plan.json"))), ".amazonaws.com\"", suffix+"\"")
		if err := json.Unmarshal([]byte(plan), &p); err != nil {
			t.Fatal(err)
		}
		s.plan, s.route = p.plan(t, s.snapshot), route.Routes(s.snapshot)[0]
		if v := s.check(); v.Decision != want {
			t.Errorf("%s: want %s, got %s", suffix, want, text(v))
		}
	}
}

// TestPinsThatAreGone: each thing of the approved route, changed alone, is refused, and the reason names it. What is not in this
// table (storage class, priority, replication time, metrics) widens neither who gets something nor what nor where.
func TestPinsThatAreGone(t *testing.T) {
	t.Parallel()
	rule := func(change string) string {
		return fmt.Sprintf(`{"buckets": {"amzn-s3-demo-source": {"replication": {"Rules": {"0": %s}}}}}`, change)
	}
	tests := map[string]struct{ snapshot, want string }{
		"source account":      {`{"buckets": {"amzn-s3-demo-source": {"account": "777788889999"}}}`, "source account"},
		"source region":       {`{"buckets": {"amzn-s3-demo-source": {"region": "us-east-2"}}}`, "source region"},
		"destination account": {`{"buckets": {"amzn-s3-demo-destination": {"account": "777788889999"}}}`, "destination account"},
		"destination region":  {`{"buckets": {"amzn-s3-demo-destination": {"region": "eu-west-2"}}}`, "destination region"},
		"destination claimed": {rule(`{"Destination": {"Account": "777788889999"}}`), "rule destination account"},
		"shorter prefix":      {rule(`{"Filter": {"Prefix": "l"}}`), "rule prefix"},
		"no prefix":           {rule(`{"Filter": {"Prefix": "delete me"}}`), "rule prefix"},
		"more tags":           {rule(`{"Filter": {"And": {"Prefix": "ledger/", "Tags": [{"Key": "k", "Value": "v"}]}}}`), "rule tags"},
		"delete markers":      {rule(`{"DeleteMarkerReplication": {"Status": "Enabled"}}`), "rule delete markers"},
		"owner override":      {rule(`{"Destination": {"AccessControlTranslation": "delete me"}}`), "rule owner override"},
		"replica key":         {rule(`{"Destination": {"EncryptionConfiguration": {"ReplicaKmsKeyID": "arn:aws:kms:eu-west-1:444455556666:key/other"}}}`), "replica key"},
		"no replica key":      {rule(`{"Destination": {"EncryptionConfiguration": "delete me"}}`), "replica key"},
		"rule id":             {rule(`{"ID": "r2"}`), "rule id"},
		"unique id":           {`{"roles": {"arn:aws:iam::111122223333:role/service-role/replication": {"uniqueId": "AROAOTHER"}}}`, "role unique id"},
		"trust":               {`{"roles": {"arn:aws:iam::111122223333:role/service-role/replication": {"trust": {"Statement": {"0": {"Principal": {"Service": ["s3.amazonaws.com", "ec2.amazonaws.com"]}}}}}}}`, "role trust"},
		"source key":          {`{"buckets": {"amzn-s3-demo-source": {"encryption": {"Rules": {"0": {"ApplyServerSideEncryptionByDefault": {"KMSMasterKeyID": "arn:aws:kms:us-east-1:111122223333:key/other"}}}}}}}`, "source key"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := load(t, map[string]string{"snapshot.json": tt.snapshot}).check()
			if v.Decision != guard.Refuse || !strings.Contains(text(v), "not as approved in route ledger: "+tt.want+":") {
				t.Errorf("verdict %s", text(v))
			}
		})
	}
}

// TestTheHubStopsEveryAccount: whoever asks for one account hears of the hub's switch, too.
func TestTheHubStopsEveryAccount(t *testing.T) {
	t.Parallel()
	h := guard.History{KillSwitches: []string{guard.Hub}}
	if !h.Stopped("111122223333") || (guard.History{KillSwitches: []string{"444455556666"}}).Stopped("111122223333") {
		t.Error("a kill switch stops what it should not, or does not stop what it should")
	}
}

// TestSizesToTheByte: the last size that fits and the first one that does not.
func TestSizesToTheByte(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ref           snapshot.Ref
		before, after int // in bytes; before 0: no document
		want          string
	}{
		"inline policy that fits":           {snapshot.Ref{Kind: snapshot.RolePolicy, ID: approvedRole, Name: "Replimend"}, 0, 10_240, ""},
		"inline policy that does not":       {snapshot.Ref{Kind: snapshot.RolePolicy, ID: approvedRole, Name: "Replimend"}, 0, 10_241, "refuse"},
		"trust that fits":                   {snapshot.Ref{Kind: snapshot.RoleTrust, ID: approvedRole}, 1_000, 2_048, ""},
		"trust beyond the quota":            {snapshot.Ref{Kind: snapshot.RoleTrust, ID: approvedRole}, 1_000, 2_049, "ask"},
		"trust at the quota before":         {snapshot.Ref{Kind: snapshot.RoleTrust, ID: approvedRole}, 2_048, 3_000, "ask"},
		"trust beyond the quota before":     {snapshot.Ref{Kind: snapshot.RoleTrust, ID: approvedRole}, 2_049, 3_000, ""},
		"trust at the most":                 {snapshot.Ref{Kind: snapshot.RoleTrust, ID: approvedRole}, 1_000, 4_096, "ask"},
		"trust beyond the most":             {snapshot.Ref{Kind: snapshot.RoleTrust, ID: approvedRole}, 1_000, 4_097, "refuse"},
		"trust beyond the most, raised":     {snapshot.Ref{Kind: snapshot.RoleTrust, ID: approvedRole}, 3_000, 4_097, "refuse"},
		"trust at the most, raised":         {snapshot.Ref{Kind: snapshot.RoleTrust, ID: approvedRole}, 3_000, 4_096, ""},
		"bucket policy that fits":           {snapshot.Ref{Kind: snapshot.DestinationBucketPolicy, ID: destName}, 1_000, 20_480, ""},
		"bucket policy that does not":       {snapshot.Ref{Kind: snapshot.DestinationBucketPolicy, ID: destName}, 1_000, 20_481, "refuse"},
		"policy of a source key that fits":  {snapshot.Ref{Kind: snapshot.SourceKeyPolicy, ID: sourceKeyARN}, 1_000, 32_768, ""},
		"policy of a replica key, not":      {snapshot.Ref{Kind: snapshot.ReplicaKeyPolicy, ID: replicaKey}, 1_000, 32_769, "refuse"},
		"policy of a source key, not":       {snapshot.Ref{Kind: snapshot.SourceKeyPolicy, ID: sourceKeyARN}, 1_000, 32_769, "refuse"},
		"policy of a replica key that fits": {snapshot.Ref{Kind: snapshot.ReplicaKeyPolicy, ID: replicaKey}, 1_000, 32_768, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := load(t, map[string]string{"snapshot.json": `{"roles": {"arn:aws:iam::111122223333:role/service-role/replication": {"inline": {"replication": "delete me"}}}}`})
			e := patch.Edit{Document: tt.ref, Account: ownerOf(tt.ref.ID), Class: patch.Automatic, Before: snapshot.None[policy.Document]()}
			start := mustParse(`{"Version": "2012-10-17", "Statement": []}`)
			if tt.before > 0 {
				start = padded(t, start, tt.before)
				e.Before = snapshot.Of(start)
			}
			e.After = snapshot.Of(padded(t, start, tt.after))
			s.plan.Edits = []patch.Edit{e}
			var got []string
			for _, r := range s.check().Reasons {
				if r.Rule == "document-size" {
					got = append(got, r.Decision.String())
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("decisions %q, want %q", got, tt.want)
			}
		})
	}
}

// padded is a document with one more statement, whose Sid makes it exactly as long as is asked for.
func padded(t *testing.T, d policy.Document, size int) policy.Document {
	t.Helper()
	spec := policy.StatementSpec{Sid: "Replimend", Effect: policy.Allow, Actions: []string{"s3:ListBucket"}}
	for range 2 {
		s, err := spec.Build()
		if err != nil {
			t.Fatal(err)
		}
		out := d.Append(s)
		if out.Size() == size {
			return out
		}
		spec.Sid += strings.Repeat("x", size-out.Size())
	}
	t.Fatalf("no document of %d bytes", size)
	return d
}

// TestLookAlikes: which names are taken for that of an approved destination.
func TestLookAlikes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		approved, live string
		want           bool
	}{
		{"store", "st0re", true}, // the same to the eye, however short
		{"logs-1a", "logs-2a", false},
		{"reportsa", "reportsx", true}, // eight characters, one slip
		{"ledger-archive", "ledgre-archive", true},
		{"ledger-archive", "ledgxy-archive", true},
		{"ledger-archive", "legdxy-archive", false}, // more than two slips
		{"ledger-archive", "reader-website", false}, // as long, and another name
		{"modern-store", "modem-store", true},
	} {
		s := load(t, map[string]string{
			"settings.json": fmt.Sprintf(`{"routes": {"0": {"destination": {"bucket": %q}}}}`, tt.approved),
			"snapshot.json": fmt.Sprintf(`{"buckets": {"amzn-s3-demo-source": {"replication": {"Rules": {"0": {"Destination": {"Bucket": "arn:aws:s3:::%s"}}}}}}}`, tt.live),
		})
		if got := objects(s.check(), "look-alike-destination"); got != tt.want {
			t.Errorf("%s for %s: look-alike %t, want %t", tt.live, tt.approved, got, tt.want)
		}
	}
}
