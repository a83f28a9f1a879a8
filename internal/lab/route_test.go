package lab_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/snapshot"
)

func TestCompleteRouteReplicates(t *testing.T) {
	c := newWorld().cloud(t)
	v := put(t, c, "a/b.txt", lab.PutOptions{Size: 7, Tags: map[string]string{"k": "v"}})
	if got := status(v); got != "PENDING" {
		t.Fatalf("after the write the status is %s, want PENDING", got)
	}
	if _, err := c.Head("dst", v.Key, ""); code(err) != "NoSuchKey" {
		t.Fatalf("the replica is there before S3 worked: %v", err)
	}
	replicate(t, c)
	if got := status(head(t, c, "src", v)); got != "COMPLETED" {
		t.Fatalf("status %s, events %s", got, reasons(t, c))
	}
	want := snapshot.Object{
		Bucket: "dst", Key: "a/b.txt", VersionID: v.VersionID, ReplicationStatus: snapshot.Of("REPLICA"),
		Encryption: snapshot.Of("aws:kms"), KMSKeyID: keyB, StorageClass: "STANDARD", Owner: accountB, Size: 7,
		Tags: snapshot.Of(map[string]string{"k": "v"}),
	}
	if diff := cmp.Diff(want, head(t, c, "dst", v)); diff != "" {
		t.Errorf("replica (-want +got):\n%s", diff)
	}
	if got := reasons(t, c); got != "" {
		t.Errorf("events of a success: %s", got)
	}
}

// fault is one thing that is wrong with the route, the hop that must find it, and what S3 says then.
type fault struct {
	hop, name string
	edit      func(*world)
	object    lab.PutOptions
	marker    bool // it is a delete marker that S3 replicates
	reason    string
}

func without(document, sid string) func(*world) {
	return func(w *world) { w.drop(document, sid) }
}

func with(document string, statements ...object) func(*world) {
	return func(w *world) { w.add(document, statements...) }
}

// all makes the edits one after the other.
func all(edits ...func(*world)) func(*world) {
	return func(w *world) {
		for _, edit := range edits {
			edit(w)
		}
	}
}

func locked(w *world) {
	w.src.ObjectLock = snapshot.Of(snapshot.ObjectLock{ObjectLockEnabled: "Enabled"})
	w.dst.ObjectLock = w.src.ObjectLock
}

func bucketKeys(w *world) { w.src.Encryption = encryption("aws:kms", keyA, true) }

// legacy is a world before S3 encrypted everything.
func legacy(w *world) {
	w.options.Now = func() time.Time { return time.Date(2022, 6, 1, 0, 0, 0, 0, time.UTC) }
	w.src.Encryption = snapshot.None[snapshot.Encryption]()
	w.dst.Encryption = encryption("aws:kms", keyB, false)
}

func publicACL(w *world) {
	w.src.Ownership = snapshot.Of("ObjectWriter")
	w.rules[0].Destination.AccessControlTranslation = nil
}

var large = lab.PutOptions{Size: 6 << 30}

var faults = []fault{
	{hop: "assume-role", name: "trust without S3", edit: func(w *world) {
		w.documents["trust"][0]["Principal"] = object{"Service": "batchoperations.s3.amazonaws.com"}
	}, reason: "AssumeRoleNotPermitted"},
	{hop: "read-config", name: "role", edit: without("role", "GetReplicationConfiguration"), reason: "SrcGetObjectNotPermitted"},
	{hop: "list-source", name: "role", edit: without("role", "ListBucket"), reason: "SrcHeadObjectNotPermitted"},
	{hop: "read-object", name: "role", edit: without("role", "GetObjectVersionForReplication"), reason: "SrcGetObjectNotPermitted"},
	{
		hop: "read-object", name: "GetObjectVersion does not do for KMS", reason: "SrcGetObjectNotPermitted",
		edit: all(without("role", "GetObjectVersionForReplication"), with("role", allow("Old", "", "s3:GetObjectVersion", "arn:aws:s3:::src/*", nil))),
	},
	{hop: "read-object", name: "source bucket policy denies", edit: with("src", deny("*", "s3:GetObjectVersionForReplication", "arn:aws:s3:::src/*", nil)), reason: "SrcGetObjectNotPermitted"},
	{hop: "read-acl", name: "role", edit: without("role", "GetObjectVersionAcl"), reason: "SrcGetAclNotPermitted"},
	{
		hop: "read-acl", name: "another account's object", reason: "SrcGetAclNotPermitted",
		edit:   func(w *world) { w.src.Ownership = snapshot.Of("ObjectWriter") },
		object: lab.PutOptions{Owner: "777788889999", Encryption: "AES256"},
	},
	{
		hop: "read-tags", name: "role, in the other reading", edit: all(without("role", "GetObjectVersionTagging"), disputed("read-tags")),
		object: lab.PutOptions{Tags: map[string]string{"k": "v"}}, reason: "SrcGetTaggingNotPermitted",
	},
	{hop: "read-retention", name: "role", edit: all(locked, without("role", "GetObjectRetention")), reason: "SrcGetRetentionNotPermitted"},
	{hop: "read-legal-hold", name: "role", edit: all(locked, without("role", "GetObjectLegalHold")), reason: "SrcGetLegalHoldNotPermitted"},
	{hop: "decrypt-source", name: "role", edit: without("role", "DecryptA"), reason: "SrcGetObjectNotPermitted"},
	{
		hop: "decrypt-source", name: "key policy delegates to nobody", reason: "SrcGetObjectNotPermitted",
		edit: all(without("keyA", "Account"), with("keyA", allow("Admin", "arn:aws:iam::111122223333:role/admin", "kms:*", "*", nil))),
	},
	{hop: "source-key-state", name: "pending deletion", edit: func(w *world) {
		w.objects = []snapshot.Object{{
			Bucket: "src", Key: "old", VersionID: "v1", ReplicationStatus: snapshot.Of("PENDING"),
			Encryption: snapshot.Of("aws:kms"), KMSKeyID: keyA, Owner: accountA,
		}}
		w.src.Encryption = encryption("AES256", "", false)
		w.srcKey.State = "PendingDeletion"
	}, reason: "SrcKmsKeyInvalidState"},
	{hop: "find-destination", name: "of another partition", edit: func(w *world) { w.dst.Region = "cn-north-1" }, reason: "DstBucketNotFound"},
	{hop: "find-destination", name: "no bucket", edit: func(w *world) { w.noDst = true }, reason: "DstBucketNotFound"},
	{hop: "destination-account", name: "another owner than configured", edit: func(w *world) { w.rules[0].Destination.Account = "777788889999" }, reason: "DstPutObjectNotPermitted"},
	{hop: "destination-payer", name: "requester pays", edit: func(w *world) { w.dst.RequestPayer = snapshot.Of("Requester") }, reason: "DstPutObjectNotPermitted"},
	{hop: "destination-versioning", name: "suspended", edit: func(w *world) { w.dst.Versioning = snapshot.Of("Suspended") }, reason: "DstBucketUnversioned"},
	{hop: "destination-lock", name: "only at the source", edit: all(locked, func(w *world) { w.dst.ObjectLock = snapshot.None[snapshot.ObjectLock]() }), reason: "DstBucketObjectLockConfigMissing"},
	{
		hop: "destination-sse-c", name: "blocked", edit: func(w *world) { w.dst.Encryption = blockingSSEC() },
		object: lab.PutOptions{Encryption: "SSE-C"}, reason: "DstPutObjectNotPermitted",
	},
	{hop: "find-replica-key", name: "no key", edit: func(w *world) { w.noDstKey = true }, reason: "DstKmsKeyNotFound"},
	{hop: "find-replica-key", name: "of another region", edit: func(w *world) { w.rules[0].Destination.EncryptionConfiguration.ReplicaKmsKeyID = keyA }, reason: "DstKmsKeyNotFound"},
	{hop: "write-replica", name: "role", edit: without("role", "ReplicateObject"), reason: "DstPutObjectNotPermitted"},
	{hop: "write-replica", name: "bucket policy", edit: without("dst", "ReplicateObject"), reason: "DstPutObjectNotPermitted"},
	{hop: "write-replica", name: "bucket policy, in parts", edit: without("dst", "ReplicateObject"), object: large, reason: "DstMultipartInitNotPermitted"},
	{hop: "write-replica", name: "bucket policy denies", edit: with("dst", deny("*", "s3:Replicate?bject", "arn:aws:s3:::dst/*", nil)), reason: "DstPutObjectNotPermitted"},
	{hop: "replica-key-manager", name: "another account's managed key", edit: func(w *world) {
		w.dstKey.Manager = "AWS" // with a policy that would let everybody in
	}, reason: "DstPutObjectNotPermitted"},
	{hop: "encrypt-replica", name: "role", edit: without("role", "EncryptB"), reason: "DstPutObjectNotPermitted"},
	{hop: "encrypt-replica", name: "key policy", edit: without("keyB", "Encrypt"), reason: "DstPutObjectNotPermitted"},
	{hop: "encrypt-replica", name: "key policy, in parts", edit: without("keyB", "Encrypt"), object: large, reason: "DstMultipartInitNotPermitted"},
	{hop: "generate-replica-key", name: "plaintext, role", edit: all(legacy, without("role", "GenerateDataKeyB")), reason: "DstPutObjectNotPermitted"},
	{hop: "generate-replica-key", name: "plaintext, key policy", edit: all(legacy, without("keyB", "GenerateDataKey")), reason: "DstPutObjectNotPermitted"},
	{hop: "generate-replica-key", name: "in the other reading", edit: all(without("keyB", "GenerateDataKey"), disputed("generate-replica-key")), reason: "DstPutObjectNotPermitted"},
	{hop: "verify-replica-key", name: "role", edit: all(bucketKeys, without("role", "DecryptB")), reason: "DstPutObjectNotPermitted"},
	{
		hop: "verify-replica-key", name: "role, Bucket Key of the destination alone", reason: "DstPutObjectNotPermitted",
		edit: all(without("role", "DecryptB"), func(w *world) { w.dst.Encryption = encryption("AES256", "", true) }),
	},
	{hop: "verify-replica-key", name: "key policy", edit: all(bucketKeys, without("keyB", "Decrypt")), reason: "DstPutObjectNotPermitted"},
	{hop: "verify-replica-key", name: "key policy, in parts", edit: without("keyB", "Decrypt"), object: large, reason: "DstMultipartUploadNotPermitted"},
	{hop: "replica-key-state", name: "disabled", edit: func(w *world) { w.dstKey.State = "Disabled" }, reason: "DstKmsKeyInvalidState"},
	{hop: "replica-key-state", name: "asymmetric", edit: func(w *world) { w.dstKey.Spec = "RSA_2048" }, reason: "DstKmsKeyInvalidState"},
	{hop: "replica-key-state", name: "for signing", edit: func(w *world) { w.dstKey.Usage = "SIGN_VERIFY" }, reason: "DstKmsKeyInvalidState"},
	{hop: "own-replica", name: "role", edit: without("role", "ObjectOwnerOverrideToBucketOwner"), reason: "DstPutObjectNotPermitted"},
	{hop: "own-replica", name: "bucket policy", edit: without("dst", "ObjectOwnerOverrideToBucketOwner"), reason: "DstPutObjectNotPermitted"},
	{
		hop: "write-acl", name: "public ACLs blocked", reason: "DstPutAclNotPermitted", object: lab.PutOptions{ACL: "public-read"},
		edit: all(publicACL, func(w *world) { w.dst.PublicAccessBlock = node(object{"BlockPublicAcls": true}) }),
	},
	{
		hop: "write-tags", name: "denied, in the other reading", edit: all(disputed("deny-tags"), with("dst", deny("*", "s3:ReplicateTags", "arn:aws:s3:::dst/*", nil))),
		object: lab.PutOptions{Tags: map[string]string{"k": "v"}}, reason: "DstPutTaggingNotPermitted",
	},
	{
		hop: "write-tags", name: "not allowed, in the other reading", edit: disputed("write-tags"),
		object: lab.PutOptions{Tags: map[string]string{"k": "v"}}, reason: "DstPutTaggingNotPermitted",
	},
	{
		hop: "write-retention", name: "denied", edit: all(locked, with("dst", deny("*", "s3:PutObjectRetention", "arn:aws:s3:::dst/*", nil))),
		object: lab.PutOptions{Retention: true}, reason: "DstPutRetentionNotPermitted",
	},
	{
		hop: "write-legal-hold", name: "not allowed, in the other reading", edit: all(locked, disputed("write-lock")),
		object: lab.PutOptions{LegalHold: true}, reason: "DstPutLegalHoldNotPermitted",
	},
	{hop: "write-delete-marker", name: "role", edit: without("role", "ReplicateDelete"), marker: true, reason: "DstDelObjNotPermitted"},
	{hop: "write-delete-marker", name: "bucket policy", edit: without("dst", "ReplicateDelete"), marker: true, reason: "DstDelObjNotPermitted"},
}

func disputed(reading string) func(*world) {
	return func(w *world) { w.options.Disputed = map[string]bool{reading: true} }
}

func blockingSSEC() snapshot.Value[snapshot.Encryption] {
	e := encryption("AES256", "", false)
	fill(&e.V.Rules[0], object{"BlockedEncryptionTypes": object{"EncryptionType": []string{"SSE-C"}}})
	return e
}

// outcomeOf is outcome for what the fault is about: an object, a delete marker, or an object that was there before.
func (f fault) outcomeOf(t *testing.T, w *world) string {
	t.Helper()
	if !f.marker && w.objects == nil {
		return w.outcome(t, f.object)
	}
	c := w.cloud(t)
	v := snapshot.Object{Key: "old", VersionID: "v1"}
	if f.marker {
		var err error
		if v, err = c.DeleteObject("src", "a/b.txt"); err != nil {
			t.Fatal(err)
		}
	}
	replicate(t, c)
	return strings.TrimSpace(status(head(t, c, "src", v)) + " " + reasons(t, c))
}

// TestFaultsFailWithTheirReason holds each fault against S3, and each hop against the fault: with that hop ignored the object
// must get through, or the next hop's reason would hide behind this one's.
func TestFaultsFailWithTheirReason(t *testing.T) {
	for _, f := range faults {
		t.Run(f.hop+"/"+strings.ReplaceAll(f.name, " ", "_"), func(t *testing.T) {
			w := newWorld()
			f.edit(w)
			if got := f.outcomeOf(t, w); got != "FAILED "+f.reason {
				t.Errorf("got %s, want FAILED %s", got, f.reason)
			}
			want := "COMPLETED"
			if f.hop == "find-destination" || f.hop == "find-replica-key" {
				want = "FAILED" // there is nothing to write to or with
			}
			w.options.Ignore = map[string]bool{f.hop: true}
			if got := f.outcomeOf(t, w); !strings.HasPrefix(got, want) {
				t.Errorf("with %s ignored: got %s, want %s", f.hop, got, want)
			}
		})
	}
}

func TestEveryHopHasAFault(t *testing.T) {
	for _, name := range lab.Hops() {
		if !slices.ContainsFunc(faults, func(f fault) bool { return f.hop == name }) {
			t.Errorf("no fault shows what %s finds", name)
		}
	}
}

// TestNothingMoreIsAsked is the near-misses of the faults: what is missing or denied is not needed for this version.
func TestNothingMoreIsAsked(t *testing.T) {
	blocked := func(w *world) { w.dst.PublicAccessBlock = node(object{"BlockPublicAcls": true}) }
	denied := func(action string) func(*world) { return with("dst", deny("*", action, "arn:aws:s3:::dst/*", nil)) }
	withoutKeys := all(without("role", "DecryptA"), without("role", "EncryptB"), without("role", "DecryptB"), without("role", "GenerateDataKeyB"))
	for _, f := range []fault{
		{name: "a delete marker is not read", marker: true, edit: all(
			without("role", "GetObjectVersionForReplication"), without("role", "GetObjectVersionAcl"), without("role", "GetObjectVersionTagging"),
		)},
		{name: "a delete marker is not an object", marker: true, edit: all(
			denied("s3:ReplicateObject"), denied("s3:ReplicateTags"), denied("s3:ObjectOwnerOverrideToBucketOwner"), withoutKeys, blocked,
			func(w *world) { w.dst.Encryption = blockingSSEC() },
		)},
		{name: "a delete marker is not locked", marker: true, edit: all(
			locked, without("role", "GetObjectRetention"), without("role", "GetObjectLegalHold"),
			func(w *world) { w.dst.ObjectLock = snapshot.None[snapshot.ObjectLock]() },
		)},
		{name: "an object is not a delete marker", edit: without("role", "ReplicateDelete")},
		{name: "no tags to read", edit: all(without("role", "GetObjectVersionTagging"), disputed("read-tags"))},
		{name: "no tags to write", edit: denied("s3:ReplicateTags")},
		{name: "tags that the owner does not want", edit: denied("s3:ReplicateTags"), object: lab.PutOptions{Tags: map[string]string{"k": "v"}}},
		{
			name: "no tags to write once they are lost", edit: all(without("role", "GetObjectVersionTagging"), denied("s3:ReplicateTags")),
			object: lab.PutOptions{Tags: map[string]string{"k": "v"}},
		},
		{
			name: "tags that may be written, in the other reading", object: lab.PutOptions{Tags: map[string]string{"k": "v"}},
			edit: all(disputed("write-tags"), with("role", allow("Tags", "", "s3:ReplicateTags", "arn:aws:s3:::dst/*", nil)),
				with("dst", allow("Tags", role, "s3:ReplicateTags", "arn:aws:s3:::dst/*", nil))),
		},
		{name: "no lock at the source", edit: all(without("role", "GetObjectRetention"), without("role", "GetObjectLegalHold"))},
		{name: "no lock on the object", edit: all(locked, denied("s3:PutObjectRetention"), denied("s3:PutObjectLegalHold"))},
		{name: "a lock on the object", edit: locked, object: lab.PutOptions{Retention: true, LegalHold: true}},
		{name: "SSE-C is blocked for others", edit: func(w *world) { w.dst.Encryption = blockingSSEC() }},
		{name: "no Bucket Key", edit: without("role", "DecryptB")},
		{name: "no Bucket Key, in one part", edit: without("role", "DecryptB"), object: lab.PutOptions{Size: 5 << 30}},
		{name: "a key of its own to encrypt with", edit: without("role", "GenerateDataKeyB")},
		{name: "plaintext gets its data key otherwise", edit: all(legacy, without("role", "EncryptB"))},
		{name: "no key at all", edit: withoutKeys, object: lab.PutOptions{Encryption: "AES256"}},
		{name: "private ACL", edit: all(publicACL, blocked)},
		{
			name: "public ACL under an override", object: lab.PutOptions{ACL: "public-read"},
			edit: all(blocked, func(w *world) { w.src.Ownership = snapshot.Of("ObjectWriter") }),
		},
		{
			name: "public ACL into a bucket without ACLs", object: lab.PutOptions{ACL: "public-read"},
			edit: all(blocked, publicACL, func(w *world) { w.dst.Ownership = snapshot.Of("BucketOwnerEnforced") }),
		},
		{
			name: "another account's object with its consent", edit: func(w *world) { w.src.Ownership = snapshot.Of("ObjectWriter") },
			object: lab.PutOptions{Owner: "777788889999", Encryption: "AES256", ACL: "bucket-owner-full-control"},
		},
		{
			name: "another account's object in a bucket without ACLs", edit: func(*world) {},
			object: lab.PutOptions{Owner: "777788889999", Encryption: "AES256"},
		},
		{name: "no account in the rule", edit: func(w *world) { w.rules[0].Destination.Account = "" }},
		{name: "the owner pays", edit: func(w *world) { w.dst.RequestPayer = snapshot.Of("BucketOwner") }},
	} {
		t.Run(strings.ReplaceAll(f.name, " ", "_"), func(t *testing.T) {
			w := newWorld()
			f.edit(w)
			if got := f.outcomeOf(t, w); got != "COMPLETED" {
				t.Errorf("got %s, want COMPLETED", got)
			}
		})
	}
}

func TestDeniedTagsStayBehind(t *testing.T) {
	w := newWorld()
	with("dst", deny("*", "s3:ReplicateTags", "arn:aws:s3:::dst/*", nil))(w)
	c := w.cloud(t)
	v := put(t, c, "a/b.txt", lab.PutOptions{Tags: map[string]string{"k": "v"}})
	replicate(t, c)
	if got := head(t, c, "dst", v).Tags.V; len(got) != 0 {
		t.Errorf("the replica has tags %v", got)
	}
}

// TestRulesThatS3Refuses is what PutBucketReplication does not take.
func TestRulesThatS3Refuses(t *testing.T) {
	timed := func(rtc, metrics object) func(*snapshot.Rule) {
		return func(r *snapshot.Rule) { fill(&r.Destination, object{"ReplicationTime": rtc, "Metrics": metrics}) }
	}
	minutes := func(n int) object { return object{"Minutes": n} }
	for name, c := range map[string]struct {
		edit    func(*snapshot.Rule)
		refused bool
	}{
		"into itself":       {func(r *snapshot.Rule) { r.Destination.Bucket = "arn:aws:s3:::src" }, true},
		"directory bucket":  {func(r *snapshot.Rule) { r.Destination.Bucket = "arn:aws:s3:::logs--use1-az4--x-s3" }, true},
		"time control":      {timed(object{"Status": "Enabled", "Time": minutes(15)}, object{"Status": "Enabled", "EventThreshold": minutes(15)}), false},
		"half an hour":      {timed(object{"Status": "Enabled", "Time": minutes(30)}, object{"Status": "Enabled", "EventThreshold": minutes(30)}), true},
		"without metrics":   {timed(object{"Status": "Enabled", "Time": minutes(15)}, object{"Status": "Disabled"}), true},
		"without threshold": {timed(object{"Status": "Enabled", "Time": minutes(15)}, object{"Status": "Enabled"}), true},
		"switched off":      {timed(object{"Status": "Disabled"}, object{"Status": "Enabled"}), false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			c.edit(&w.rules[0])
			err := newWorld().cloud(t).SetRule("src", w.rules[0])
			if (err != nil) != c.refused {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

func TestRoleOfAnotherAccountCannotBePassed(t *testing.T) {
	err := newWorld().cloud(t).SetReplication("src", snapshot.Replication{Role: "arn:aws:iam::444455556666:role/replication"})
	var refusal *lab.Error
	if !errors.As(err, &refusal) || refusal.Code != "AccessDenied" {
		t.Errorf("got %v", err)
	}
}

func TestSourceKeyThatIsGone(t *testing.T) {
	c := newWorld().cloud(t)
	v := put(t, c, "a/b.txt", lab.PutOptions{})
	if err := c.DeleteKey(arn(keyA)); err != nil {
		t.Fatal(err)
	}
	replicate(t, c)
	if got := status(head(t, c, "src", v)) + " " + reasons(t, c); got != "FAILED SrcGetObjectNotPermitted" {
		t.Errorf("got %s", got)
	}
}

func TestFirstFailingHopGivesTheReason(t *testing.T) {
	w := newWorld()
	w.drop("role", "DecryptA")
	w.drop("keyB", "Encrypt")
	w.drop("role", "GetObjectVersionAcl")
	if got := w.outcome(t, lab.PutOptions{}); got != "FAILED SrcGetAclNotPermitted" {
		t.Errorf("got %s", got)
	}
}

func TestSameAccountNeedsNoBucketPolicy(t *testing.T) {
	w := newWorld()
	w.dst.Account, w.rules[0].Destination.Account = accountA, accountA
	w.documents["dst"] = nil
	w.drop("role", "ObjectOwnerOverrideToBucketOwner") // S3 applies it without asking
	w.src.Encryption = encryption("AES256", "", false)
	if got := w.outcome(t, lab.PutOptions{}); got != "COMPLETED" {
		t.Errorf("got %s", got)
	}
}

func TestOptionsNameWhatThereIs(t *testing.T) {
	w := newWorld()
	w.options.Ignore = map[string]bool{"decrypt": true}
	if _, err := lab.New(w.snapshot(), w.options); err == nil {
		t.Error("an unknown hop is ignored in silence")
	}
	w.options = lab.Options{Disputed: map[string]bool{"decrypt": true}}
	if _, err := lab.New(w.snapshot(), w.options); err == nil {
		t.Error("an unknown reading is taken in silence")
	}
}
