package lab_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestRecreatedRole: documents that named the role by ARN keep the id of the one that is gone, name nobody, and cannot even be
// saved again as they are.
func TestRecreatedRole(t *testing.T) {
	w := newWorld()
	w.dstKey.Grants = snapshot.Of([]snapshot.Grant{{GrantID: "g", GranteePrincipal: role, Operations: []string{"Encrypt"}}})
	w.add("trust", allow("Itself", role, "sts:AssumeRole", "", nil))
	c := w.cloud(t)
	if err := c.RecreateRole(arn(role)); err != nil {
		t.Fatal(err)
	}
	v := put(t, c, "a/b.txt", lab.PutOptions{})
	replicate(t, c)
	if got := status(head(t, c, "src", v)) + " " + reasons(t, c); got != "FAILED DstPutObjectNotPermitted" {
		t.Fatalf("got %s", got)
	}
	s := look(t, c)
	if id := s.Roles[arn(role)].V.UniqueID; id == roleID || !strings.HasPrefix(id, "AROA") {
		t.Errorf("the role's unique id is %s", id)
	}
	if got := s.Document(trustRef).V.Statements[1].Principal.Values[0].Value; got != role {
		t.Errorf("the trust that was made with the new role names %s", got)
	}
	for _, ref := range []snapshot.Ref{dstRef, keyBRef} {
		for _, st := range s.Document(ref).V.Statements {
			if p := st.Principal.Values[0].Value; p != roleID && p != "arn:aws:iam::444455556666:root" {
				t.Errorf("%s: statement %s names %s", ref, st.Sid, p)
			}
		}
	}
	if g := s.Keys[arn(keyB)].V.Grants.V[0].GranteePrincipal; g != roleID {
		t.Errorf("the grantee is %s", g)
	}
	stale := s.Document(dstRef)
	statement := document(allow("New", role, "s3:ReplicateObject", "arn:aws:s3:::dst/*", nil)).Statements[0]
	if err := c.Put(t.Context(), dstRef, stale, snapshot.Of(stale.V.Append(statement))); code(err) != "MalformedPolicy" {
		t.Errorf("with the stale principals left in: %v", err)
	}
	for ref, name := range map[snapshot.Ref]string{dstRef: "dst", keyBRef: "keyB"} {
		if err := c.Put(t.Context(), ref, s.Document(ref), w.document(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Replay(t.Context(), "src", s.Objects); err != nil {
		t.Fatal(err)
	}
	replicate(t, c)
	if got := status(head(t, c, "src", v)); got != "COMPLETED" {
		t.Errorf("after the principals were saved again: %s %s", got, reasons(t, c))
	}
}

func TestRoleThatIsNotThere(t *testing.T) {
	for name, edit := range map[string]func(*testing.T, *world) *lab.Cloud{
		"deleted": func(t *testing.T, w *world) *lab.Cloud {
			c := w.cloud(t)
			if err := c.DeleteRole(arn(role)); err != nil {
				t.Fatal(err)
			}
			return c
		},
		"under another path": func(t *testing.T, w *world) *lab.Cloud {
			w.roleARN = "arn:aws:iam::111122223333:role/replication"
			return w.cloud(t)
		},
		"nonsense": func(t *testing.T, w *world) *lab.Cloud {
			w.roleARN = "replication"
			return w.cloud(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.options.Ignore = map[string]bool{"assume-role": true} // does not conjure it up
			c := edit(t, w)
			put(t, c, "a/b.txt", lab.PutOptions{})
			replicate(t, c)
			if got := reasons(t, c); got != "AssumeRoleNotPermitted" {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestWorldNeedsTrustAndKeyPolicy(t *testing.T) {
	w := newWorld()
	for name, edit := range map[string]func(*snapshot.Snapshot){
		"trust": func(s *snapshot.Snapshot) {
			v := s.Roles[arn(role)]
			v.V.Trust = snapshot.Value[policy.Document]{}
			s.Roles[arn(role)] = v
		},
		"key policy": func(s *snapshot.Snapshot) {
			v := s.Keys[arn(keyB)]
			v.V.Policy = snapshot.Value[policy.Document]{}
			s.Keys[arn(keyB)] = v
		},
		"bucket of an object": func(s *snapshot.Snapshot) { s.Objects = []snapshot.Object{{Bucket: "none", Key: "k"}} },
	} {
		s := w.snapshot()
		edit(s)
		if _, err := lab.New(s, w.options); err == nil {
			t.Errorf("a world without %s", name)
		}
	}
}

func TestCancelledContextChangesNothing(t *testing.T) {
	w := newWorld()
	c := w.cloud(t)
	v := put(t, c, "a/b.txt", lab.PutOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, look := c.Snapshot(ctx, "src")
	for name, err := range map[string]error{
		"replicate": c.Replicate(ctx), "snapshot": look, "replay": c.Replay(ctx, "src", nil),
		"put": c.Put(ctx, dstRef, w.document("dst"), snapshot.None[policy.Document]()),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := status(head(t, c, "src", v)); got != "PENDING" {
		t.Errorf("the object is %s", got)
	}
}

func TestSnapshotShowsWhatDoesNotExist(t *testing.T) {
	w := newWorld()
	w.noDst, w.noDstKey = true, true
	s := look(t, w.cloud(t))
	if s.Buckets["dst"].State != snapshot.Absent || s.Keys[arn(keyB)].State != snapshot.Absent {
		t.Errorf("the bucket is in state %d, the key in state %d", s.Buckets["dst"].State, s.Keys[arn(keyB)].State)
	}
}

// TestNothingIsMerelyNotKnown: what the snapshot does not know of a thing does not exist, or is AWS's default.
func TestNothingIsMerelyNotKnown(t *testing.T) {
	key := document(allow("S", "arn:aws:iam::111122223333:root", "kms:*", "*", nil))
	c, err := lab.New(&snapshot.Snapshot{
		Organization: &snapshot.Organization{ID: "o-exampleorgid", Accounts: []string{accountA}},
		Buckets:      map[string]snapshot.Value[snapshot.Bucket]{"src": snapshot.Of(snapshot.Bucket{Account: accountA, Region: regionA})},
		Roles:        map[policy.ARN]snapshot.Value[snapshot.Role]{arn(role): snapshot.Of(snapshot.Role{UniqueID: roleID, Trust: newWorld().document("trust")})},
		Keys:         map[policy.ARN]snapshot.Value[snapshot.Key]{arn(keyA): snapshot.Of(snapshot.Key{Policy: snapshot.Of(key)})},
	}, newWorld().options)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "schema": "replimend/snapshot/v1",
  "takenAt": "2026-11-22T12:00:00Z",
  "organization": {"id": "o-exampleorgid", "accounts": ["111122223333"]},
  "buckets": {"src": {
    "account": "111122223333", "region": "eu-west-1", "versioning": null, "replication": null, "policy": null,
    "encryption": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": false}]},
    "ownership": null, "publicAccessBlock": null, "objectLock": null, "requestPayer": "BucketOwner", "notifications": {}, "tags": null
  }},
  "roles": {"arn:aws:iam::111122223333:role/service-role/replication": {
    "uniqueId": "AROAEXAMPLEREPLICATION",
    "trust": {"Version": "2012-10-17", "Statement": [
      {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Sid": "Trust"}
    ]},
    "inline": {}, "attached": {}, "boundary": null, "tags": null
  }},
  "keys": {"arn:aws:kms:eu-west-1:111122223333:key/11111111-1111-1111-1111-111111111111": {
    "state": "Enabled", "manager": "CUSTOMER", "spec": "SYMMETRIC_DEFAULT", "usage": "ENCRYPT_DECRYPT", "multiRegion": false,
    "policy": {"Version": "2012-10-17", "Statement": [
      {"Action": "kms:*", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Resource": "*", "Sid": "S"}
    ]},
    "grants": [], "aliases": [], "tags": null
  }}
}`
	var expected, got any
	if err := json.Unmarshal([]byte(want), &expected); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(look(t, c).Indent()), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestBucketsOfOldHadNoDefaultEncryption: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
func TestBucketsOfOldHadNoDefaultEncryption(t *testing.T) {
	w := newWorld()
	legacy(w)
	if got := look(t, w.cloud(t)).Buckets["src"].V.Encryption.State; got != snapshot.Absent {
		t.Errorf("the encryption is in state %d", got)
	}
}

// TestWhatIsNotKnownOfAnObject is what the bucket would give it.
func TestWhatIsNotKnownOfAnObject(t *testing.T) {
	w := newWorld()
	w.objects = []snapshot.Object{{Bucket: "src", Key: "k"}, {Bucket: "src", Key: "gone", VersionID: "m", DeleteMarker: true}}
	c := w.cloud(t)
	got := head(t, c, "src", snapshot.Object{Key: "k"})
	if len(got.VersionID) != 32 {
		t.Errorf("the version is %q", got.VersionID)
	}
	got.VersionID = ""
	want := snapshot.Object{
		Bucket: "src", Key: "k", ReplicationStatus: snapshot.None[string](), Encryption: snapshot.Of("aws:kms"), KMSKeyID: keyA,
		StorageClass: "STANDARD", Owner: accountA, Tags: snapshot.Of(map[string]string{}),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if marker := head(t, c, "src", w.objects[1]); marker.StorageClass != "" || marker.Encryption.State == snapshot.Present {
		t.Errorf("the delete marker is %+v", marker)
	}
}

// TestLogicalClock begins when the snapshot was taken and never stands.
func TestLogicalClock(t *testing.T) {
	w := newWorld()
	w.options.Now = nil
	c := w.cloud(t)
	first, second := look(t, c).TakenAt, look(t, c).TakenAt
	if first <= today.Format(time.RFC3339) || second <= first || !strings.HasPrefix(second, "2026-11-22T12:00:") {
		t.Errorf("the clock shows %s and %s", first, second)
	}
}

func TestIdentifiersAreTheSameInEveryRun(t *testing.T) {
	var first []snapshot.Object
	for range 8 {
		s := newWorld().snapshot()
		for _, name := range []string{"a", "b", "c"} {
			s.Roles[arn(role+name)] = snapshot.Of(snapshot.Role{Trust: newWorld().document("trust")})
		}
		c, err := lab.New(s, lab.Options{})
		if err != nil {
			t.Fatal(err)
		}
		v := put(t, c, "a/b.txt", lab.PutOptions{})
		v.Owner = look(t, c).Roles[arn(role+"b")].V.UniqueID
		if !strings.HasPrefix(v.Owner, "AROA") {
			t.Fatalf("a role has the unique id %q", v.Owner)
		}
		if first = append(first, v); v.VersionID != first[0].VersionID || v.Owner != first[0].Owner {
			t.Fatalf("ids %s and %s, and then %s and %s", first[0].VersionID, first[0].Owner, v.VersionID, v.Owner)
		}
	}
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	w := newWorld()
	w.drop("role", "ReplicateObject")
	w.options.Now = nil
	c := w.cloud(t)
	live := w.document("dst")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			v, err := c.PutObject("src", fmt.Sprintf("k%d", i), lab.PutOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			_ = c.Replicate(t.Context())
			_ = c.Put(t.Context(), dstRef, live, live)
			_, _ = c.Snapshot(t.Context(), "src")
			_ = c.Replay(t.Context(), "src", []snapshot.Object{v})
			_ = c.RecreateRole(arn(role))
			_ = c.Events()
			if _, err := c.Head("src", v.Key, v.VersionID); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
