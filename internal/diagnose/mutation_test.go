package diagnose_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestEachRequirementIsBlamedOnTheDocumentThatLacksIt takes every permission that a complete cross-account KMS route needs out of
// each document that grants it, one at a time. A model that forgot one of the requirements would call such a route healthy.
func TestEachRequirementIsBlamedOnTheDocumentThatLacksIt(t *testing.T) {
	t.Parallel()
	const (
		source      = "amzn-s3-demo-source"
		destination = "amzn-s3-demo-destination"
		role        = "arn:aws:iam::111122223333:role/service-role/replication"
		replicaKey  = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-0987654321ab"
	)
	roleDocument := []string{"roles", role, "inline", "replication"}
	destinationDocument := []string{"buckets", destination, "policy"}
	keyDocument := []string{"keys", replicaKey, "policy"}
	for _, c := range []struct {
		base, sid, action string
		path              []string
		kind              snapshot.Kind
		hop               string
		severity          diagnose.Severity
	}{
		{"cross-account-kms", "", "sts:AssumeRole", []string{"roles", role, "trust"}, snapshot.RoleTrust, "assume-role", diagnose.Fault},
		{"cross-account-kms", "ReadSource", "s3:GetReplicationConfiguration", roleDocument, snapshot.RolePolicy, "read-config", diagnose.Fault},
		{"cross-account-kms", "ReadSource", "s3:ListBucket", roleDocument, snapshot.RolePolicy, "read-config", diagnose.Fault},
		{"cross-account-kms", "ReadObjects", "s3:GetObjectVersionForReplication", roleDocument, snapshot.RolePolicy, "read-object", diagnose.Fault},
		{"cross-account-kms", "ReadObjects", "s3:GetObjectVersionAcl", roleDocument, snapshot.RolePolicy, "read-object", diagnose.Fault},
		{"cross-account-kms", "ReadObjects", "s3:GetObjectVersionTagging", roleDocument, snapshot.RolePolicy, "write-tags", diagnose.Warning},
		{"cross-account-kms", "DecryptSource", "kms:Decrypt", roleDocument, snapshot.RolePolicy, "decrypt-source", diagnose.Fault},
		{"cross-account-kms", "WriteReplicas", "s3:ReplicateObject", roleDocument, snapshot.RolePolicy, "write-replica", diagnose.Fault},
		{"cross-account-kms", "WriteReplicas", "s3:ObjectOwnerOverrideToBucketOwner", roleDocument, snapshot.RolePolicy, "own-replica", diagnose.Fault},
		{"cross-account-kms", "EncryptReplica", "kms:Encrypt", roleDocument, snapshot.RolePolicy, "encrypt-replica", diagnose.Fault},
		{"cross-account-kms", "AllowReplication", "s3:ReplicateObject", destinationDocument, snapshot.DestinationBucketPolicy, "write-replica", diagnose.Fault},
		{"cross-account-kms", "AllowReplication", "s3:ObjectOwnerOverrideToBucketOwner", destinationDocument, snapshot.DestinationBucketPolicy, "own-replica", diagnose.Fault},
		{"cross-account-kms", "AllowReplication", "kms:Encrypt", keyDocument, snapshot.ReplicaKeyPolicy, "encrypt-replica", diagnose.Fault},
		{"cross-account-bucket-keys", "EncryptReplica", "kms:Decrypt", roleDocument, snapshot.RolePolicy, "encrypt-replica", diagnose.Warning},
		{"cross-account-bucket-keys", "EncryptReplica", "kms:GenerateDataKey", roleDocument, snapshot.RolePolicy, "encrypt-replica", diagnose.Warning},
		{"cross-account-bucket-keys", "AllowReplication", "kms:Decrypt", keyDocument, snapshot.ReplicaKeyPolicy, "encrypt-replica", diagnose.Warning},
		{"cross-account-bucket-keys", "AllowReplication", "kms:GenerateDataKey", keyDocument, snapshot.ReplicaKeyPolicy, "encrypt-replica", diagnose.Warning},
		{"cross-account-delete-markers", "WriteReplicas", "s3:ReplicateDelete", roleDocument, snapshot.RolePolicy, "write-delete-marker", diagnose.Fault},
		{"cross-account-delete-markers", "AllowReplication", "s3:ReplicateDelete", destinationDocument, snapshot.DestinationBucketPolicy, "write-delete-marker", diagnose.Fault},
		{"cross-account-object-lock", "ReadObjects", "s3:GetObjectRetention", roleDocument, snapshot.RolePolicy, "lock-replica", diagnose.Fault},
		{"cross-account-object-lock", "ReadObjects", "s3:GetObjectLegalHold", roleDocument, snapshot.RolePolicy, "lock-replica", diagnose.Fault},
	} {
		t.Run(c.base+"/"+string(c.kind)+"/"+c.action, func(t *testing.T) {
			t.Parallel()
			var w tree
			if err := json.Unmarshal(readBases(t)[c.base], &w); err != nil {
				t.Fatal(err)
			}
			dropAction(t, w, c.path, c.sid, c.action)
			data, err := json.Marshal(w)
			if err != nil {
				t.Fatal(err)
			}
			s, err := snapshot.Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			r := diagnose.Diagnose(s, nil).Routes[0]
			if len(r.Findings) != 1 {
				t.Fatalf("want one finding, got %+v", r.Findings)
			}
			if f := r.Findings[0]; f.Document.Kind != c.kind || f.Document.ID != c.path[1] || f.Hop != c.hop || f.Severity != c.severity {
				t.Errorf("want a %s of the %s of %s at %s, got %+v", c.severity, c.kind, c.path[1], c.hop, f)
			}
			if r.Plan == nil || len(r.Plan.Edits) != 1 || r.Plan.Proof.After != string(diagnose.Healthy) {
				t.Fatalf("want one edit that cures, got %+v", r.Plan)
			}
			e := r.Plan.Edits[0]
			if len(e.Adds) != 1 || e.Adds[0][1] != c.action || e.Document.ID != c.path[1] || e.Document.Kind != c.kind {
				t.Errorf("want %s in the %s, got %v in %s", c.action, c.kind, e.Adds, e.Document)
			}
		})
	}
}

func dropAction(t *testing.T, w tree, path []string, sid, action string) {
	t.Helper()
	at := w
	for _, name := range path {
		at = at[name].(tree)
	}
	for _, statement := range at["Statement"].([]any) {
		s := statement.(tree)
		if id, _ := s["Sid"].(string); id != sid {
			continue
		}
		all := texts(s["Action"])
		left := slices.DeleteFunc(slices.Clone(all), func(a any) bool { return a == action })
		if len(left) == len(all) {
			continue
		}
		if len(left) == 0 {
			left = []any{strings.SplitN(action, ":", 2)[0] + ":NothingHere"}
		}
		s["Action"] = left
		return
	}
	t.Fatalf("no statement %q with %s", sid, action)
}
