package lab_test

import (
	"testing"

	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/snapshot"
)

const (
	srcBucket = "arn:aws:s3:::src"
	dstBucket = "arn:aws:s3:::dst"
	srcObject = "arn:aws:s3:::src/a/b.txt"
	dstObject = "arn:aws:s3:::dst/a/b.txt"
)

// only makes the role's statements about keys want exactly that encryption context.
func only(w *world, source, replica string) {
	for _, s := range w.documents["role"] {
		want := replica
		switch s["Sid"] {
		case "DecryptA":
			want = source
		case "EncryptB", "DecryptB", "GenerateDataKeyB":
		default:
			continue
		}
		s["Condition"] = object{"StringEquals": object{"kms:EncryptionContext:aws:s3:arn": want}}
	}
}

// TestEncryptionContext is the table of
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html and
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html, each row with the contexts that it must not present.
func TestEncryptionContext(t *testing.T) {
	for name, row := range map[string]struct {
		source, destination bool // Bucket Keys
		reading             string
		ofSource, ofReplica string
		replicaBucketKey    bool
	}{
		"off off":                     {false, false, "", srcObject, dstObject, false},
		"on off: the replica keeps":   {true, false, "", srcBucket, dstBucket, true},
		"off on: the bucket's":        {false, true, "", srcObject, dstBucket, true},
		"on on":                       {true, true, "", srcBucket, dstBucket, true},
		"off on, object reading":      {false, true, "object-context", srcObject, dstObject, false},
		"off on, bucket reading":      {false, true, "bucket-context", srcBucket, dstBucket, true},
		"off off, bucket reading too": {false, false, "bucket-context", srcObject, dstObject, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, source := range []string{srcBucket, srcObject} {
				for _, replica := range []string{dstBucket, dstObject} {
					w := newWorld()
					if row.reading != "" {
						disputed(row.reading)(w)
					}
					w.src.Encryption = encryption("aws:kms", keyA, row.source)
					w.dst.Encryption = encryption("AES256", "", row.destination)
					only(w, source, replica)
					want := "COMPLETED"
					if replica != row.ofReplica {
						want = "FAILED DstPutObjectNotPermitted"
					}
					if source != row.ofSource {
						want = "FAILED SrcGetObjectNotPermitted"
					}
					if got := w.outcome(t, lab.PutOptions{}); got != want {
						t.Errorf("contexts %s, %s: got %s, want %s", source, replica, got, want)
					}
				}
			}
			w := newWorld()
			if row.reading != "" {
				disputed(row.reading)(w)
			}
			w.src.Encryption = encryption("aws:kms", keyA, row.source)
			w.dst.Encryption = encryption("AES256", "", row.destination)
			c := w.cloud(t)
			v := put(t, c, "a/b.txt", lab.PutOptions{})
			replicate(t, c)
			if got := head(t, c, "dst", v).BucketKey; got != row.replicaBucketKey {
				t.Errorf("replica has a Bucket Key: %t, want %t", got, row.replicaBucketKey)
			}
		})
	}
}

func TestBucketKeyIsFixedAtWriteTime(t *testing.T) {
	w := newWorld()
	only(w, srcObject, dstObject)
	c := w.cloud(t)
	before := put(t, c, "a/b.txt", lab.PutOptions{})
	if err := c.EditBucket("src", func(b *snapshot.Bucket) { b.Encryption = encryption("aws:kms", keyA, true) }); err != nil {
		t.Fatal(err)
	}
	after := put(t, c, "a/b.txt", lab.PutOptions{})
	off := false
	overridden := put(t, c, "a/b.txt", lab.PutOptions{Encryption: "aws:kms", KMSKeyID: keyA, BucketKey: &off})
	replicate(t, c)
	for _, v := range []struct {
		name string
		of   snapshot.Object
		want string
	}{{"before", before, "COMPLETED"}, {"after", after, "FAILED"}, {"overridden", overridden, "COMPLETED"}} {
		if got := status(head(t, c, "src", v.of)); got != v.want {
			t.Errorf("%s: %s, want %s", v.name, got, v.want)
		}
	}
}

func TestDSSENeverHasABucketKey(t *testing.T) {
	w := newWorld()
	w.src.Encryption, w.dst.Encryption = encryption("aws:kms:dsse", keyA, true), encryption("aws:kms", keyB, true)
	only(w, srcObject, dstObject)
	w.drop("role", "DecryptB")
	c := w.cloud(t)
	on := true
	for _, o := range []lab.PutOptions{{}, {Encryption: "aws:kms:dsse", KMSKeyID: keyA, BucketKey: &on}} {
		v := put(t, c, "a/b.txt", o)
		replicate(t, c)
		if got := status(head(t, c, "src", v)); got != "COMPLETED" || v.BucketKey {
			t.Fatalf("status %s (%s), Bucket Key %t", got, reasons(t, c), v.BucketKey)
		}
		if r := head(t, c, "dst", v); r.Encryption.V != "aws:kms:dsse" || r.BucketKey || r.KMSKeyID != keyB {
			t.Errorf("replica is %+v", r)
		}
	}
}

// TestOtherEncryption is about sources that need no key: their replicas keep the type of the source whatever the destination's
// default is, and plaintext alone takes that default.
func TestOtherEncryption(t *testing.T) {
	noKeys := func(w *world) {
		for _, sid := range []string{"DecryptA", "EncryptB", "DecryptB"} {
			w.drop("role", sid)
		}
		w.dst.Encryption = encryption("aws:kms", keyB, true)
	}
	for name, row := range map[string]struct {
		edit   func(*world)
		object lab.PutOptions
		want   string
	}{
		"SSE-S3 stays SSE-S3":                           {all(noKeys, without("role", "GenerateDataKeyB")), lab.PutOptions{Encryption: "AES256"}, "AES256"},
		"SSE-C stays SSE-C":                             {all(noKeys, without("role", "GenerateDataKeyB")), lab.PutOptions{Encryption: "SSE-C"}, "SSE-C"},
		"plaintext takes the destination's default":     {legacy, lab.PutOptions{}, "aws:kms"},
		"plaintext into a bucket without default stays": {all(legacy, func(w *world) { w.dst.Encryption = snapshot.None[snapshot.Encryption]() }), lab.PutOptions{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			row.edit(w)
			c := w.cloud(t)
			v := put(t, c, "a/b.txt", row.object)
			if v.Encryption.State == snapshot.Missing {
				t.Error("the source's encryption is not known")
			}
			replicate(t, c)
			if got := status(head(t, c, "src", v)); got != "COMPLETED" {
				t.Fatalf("%s %s", got, reasons(t, c))
			}
			if got := head(t, c, "dst", v).Encryption.V; got != row.want {
				t.Errorf("the replica is under %q, want %q", got, row.want)
			}
		})
	}
}

func TestGetObjectVersionDoesWithoutKMS(t *testing.T) {
	w := newWorld()
	w.drop("role", "GetObjectVersionForReplication")
	w.add("role", allow("Old", "", "s3:GetObjectVersion", "arn:aws:s3:::src/*", nil))
	if got := w.outcome(t, lab.PutOptions{Encryption: "AES256"}); got != "COMPLETED" {
		t.Errorf("got %s", got)
	}
}

func TestManagedKeyAtTheSource(t *testing.T) {
	w := newWorld()
	w.drop("role", "DecryptA") // the managed key lets in the whole account through S3
	c := w.cloud(t)
	v := put(t, c, "a/b.txt", lab.PutOptions{Encryption: "aws:kms"})
	replicate(t, c)
	if got := status(head(t, c, "src", v)); got != "COMPLETED" {
		t.Fatalf("%s %s", got, reasons(t, c))
	}
	again := put(t, c, "c.txt", lab.PutOptions{Encryption: "aws:kms"})
	if again.KMSKeyID != v.KMSKeyID || again.KMSKeyID == keyA {
		t.Errorf("keys %s and %s, want one managed key", v.KMSKeyID, again.KMSKeyID)
	}
	s := look(t, c)
	if k := s.Keys[arn(v.KMSKeyID)].V; k.Manager != "AWS" || k.Aliases.V[0] != "alias/aws/s3" {
		t.Errorf("the managed key is %+v", k)
	}
}

// TestManagedKeyOfChina: that ViaService has China's DNS suffix there is deduced.
func TestManagedKeyOfChina(t *testing.T) {
	w := newWorld()
	w.src.Region, w.src.Replication = "cn-north-1", snapshot.None[snapshot.Replication]()
	w.src.Encryption = encryption("AES256", "", false)
	c := w.cloud(t)
	v := put(t, c, "k", lab.PutOptions{Encryption: "aws:kms"})
	k := look(t, c).Keys[arn(v.KMSKeyID)].V
	if got := arn(v.KMSKeyID).Partition; got != "aws-cn" {
		t.Errorf("the key is in partition %s", got)
	}
	for _, cond := range k.Policy.V.Statements[0].Conditions {
		if cond.Key == "kms:ViaService" && cond.Values[0] != "s3.cn-north-1.amazonaws.com.cn" {
			t.Errorf("the key is for %v", cond.Values)
		}
	}
}

// TestReplicaKeyByAlias: what is no ARN is resolved in the account of the role, an alias ARN where it says.
func TestReplicaKeyByAlias(t *testing.T) {
	for id, want := range map[string]string{
		"arn:aws:kms:us-east-1:444455556666:alias/replica": "COMPLETED",
		"arn:aws:kms:eu-west-1:444455556666:alias/replica": "FAILED DstKmsKeyNotFound",
		"arn:aws:s3:us-east-1:444455556666:alias/replica":  "FAILED DstKmsKeyNotFound",
		"arn:aws:kms:us-east-1":                            "FAILED DstKmsKeyNotFound",
		"alias/replica":                                    "FAILED DstKmsKeyNotFound",
		"22222222-2222-2222-2222-222222222222":             "FAILED DstKmsKeyNotFound",
		"":                                                 "FAILED DstKmsKeyNotFound",
	} {
		w := newWorld()
		w.dstKey.Aliases = snapshot.Of([]string{"alias/replica"})
		w.rules[0].Destination.EncryptionConfiguration.ReplicaKmsKeyID = id
		if got := w.outcome(t, lab.PutOptions{}); got != want {
			t.Errorf("%q: got %s, want %s", id, got, want)
		}
	}
	w := newWorld()
	w.rules[0].Destination.EncryptionConfiguration = nil
	if got := w.outcome(t, lab.PutOptions{}); got != "FAILED DstKmsKeyNotFound" {
		t.Errorf("no key at all: got %s", got)
	}
}

// TestPlaintextUnderBucketKey: what the destination's default encrypts takes the destination's Bucket Key, but not under DSSE.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
func TestPlaintextUnderBucketKey(t *testing.T) {
	for _, row := range []struct {
		algorithm        string
		enabled, want    bool
		context, dropped string
	}{
		{"aws:kms", true, true, dstBucket, "GetObjectRetention"},
		{"aws:kms", false, false, dstObject, "DecryptB"},
		{"aws:kms:dsse", true, false, dstObject, "DecryptB"},
	} {
		w := newWorld()
		legacy(w)
		w.dst.Encryption = encryption(row.algorithm, keyB, row.enabled)
		only(w, srcObject, row.context)
		w.drop("role", row.dropped)
		c := w.cloud(t)
		v := put(t, c, "a/b.txt", lab.PutOptions{})
		replicate(t, c)
		if got := status(head(t, c, "src", v)); got != "COMPLETED" {
			t.Fatalf("%s, Bucket Key %t: %s %s", row.algorithm, row.enabled, got, reasons(t, c))
		}
		if r := head(t, c, "dst", v); r.BucketKey != row.want || r.Encryption.V != row.algorithm || r.KMSKeyID != keyB {
			t.Errorf("%s, Bucket Key %t: the replica is %+v", row.algorithm, row.enabled, r)
		}
	}
}

// TestPlaintextIntoTheManagedKey: a default without a key means the AWS managed key of whom S3 acts for, the role's account.
func TestPlaintextIntoTheManagedKey(t *testing.T) {
	w := newWorld()
	legacy(w)
	w.dst.Encryption = encryption("aws:kms", "", false)
	c := w.cloud(t)
	v := put(t, c, "a/b.txt", lab.PutOptions{})
	replicate(t, c)
	if got := status(head(t, c, "src", v)); got != "COMPLETED" {
		t.Fatalf("%s %s", got, reasons(t, c))
	}
	if k := arn(head(t, c, "dst", v).KMSKeyID); k.Account != accountA || k.Region != regionB {
		t.Errorf("the replica is under %s", k)
	}
}

func TestPutRefusesWhatCannotEncrypt(t *testing.T) {
	aliased := func(w *world) { w.srcKey.Aliases = snapshot.Of([]string{"alias/source"}) }
	for name, row := range map[string]struct {
		edit   func(*world)
		object lab.PutOptions
		want   string
	}{
		"disabled key":   {func(w *world) { w.srcKey.State = "Disabled" }, lab.PutOptions{}, "KMS.DisabledException"},
		"no such key":    {func(*world) {}, lab.PutOptions{Encryption: "aws:kms", KMSKeyID: "alias/none"}, "KMS.NotFoundException"},
		"own key id":     {func(*world) {}, lab.PutOptions{Encryption: "aws:kms", KMSKeyID: "11111111-1111-1111-1111-111111111111"}, ""},
		"foreign key id": {func(*world) {}, lab.PutOptions{Encryption: "aws:kms", KMSKeyID: "11111111-1111-1111-1111-111111111111", Owner: accountB}, "KMS.NotFoundException"},
		"own alias":      {aliased, lab.PutOptions{Encryption: "aws:kms", KMSKeyID: "alias/source"}, ""},
		"foreign alias":  {aliased, lab.PutOptions{Encryption: "aws:kms", KMSKeyID: "alias/source", Owner: accountB}, "KMS.NotFoundException"},
		"other region":   {func(*world) {}, lab.PutOptions{Encryption: "aws:kms", KMSKeyID: keyB}, "KMS.NotFoundException"},
		"asymmetric key": {func(w *world) { w.srcKey.Spec = "RSA_2048" }, lab.PutOptions{}, "KMS.KMSInvalidStateException"},
		"blocked SSE-C":  {func(w *world) { w.src.Encryption = blockingSSEC() }, lab.PutOptions{Encryption: "SSE-C"}, "AccessDenied"},
		"no ACLs":        {func(*world) {}, lab.PutOptions{ACL: "public-read"}, "AccessControlListNotSupported"},
		"nonsense":       {func(*world) {}, lab.PutOptions{Encryption: "rot13"}, "InvalidArgument"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			row.edit(w)
			if _, err := w.cloud(t).PutObject("src", "k", row.object); code(err) != row.want {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
}

func TestGrantOpensTheReplicaKey(t *testing.T) {
	w := newWorld()
	w.drop("keyB", "Encrypt")
	w.dstKey.Grants = snapshot.Of([]snapshot.Grant{{GrantID: "g", GranteePrincipal: role, Operations: []string{"Encrypt"}}})
	if got := w.outcome(t, lab.PutOptions{}); got != "COMPLETED" {
		t.Errorf("got %s", got)
	}
	w.dstKey.Grants.V[0].Constraints = &snapshot.GrantConstraints{EncryptionContextEquals: map[string]string{"aws:s3:arn": dstBucket}}
	if got := w.outcome(t, lab.PutOptions{}); got != "FAILED DstPutObjectNotPermitted" {
		t.Errorf("with a constraint on another context: got %s", got)
	}
	w.dstKey.Grants.V[0].Constraints = &snapshot.GrantConstraints{EncryptionContextSubset: map[string]string{"aws:s3:arn": dstObject}}
	if got := w.outcome(t, lab.PutOptions{}); got != "COMPLETED" {
		t.Errorf("with a constraint on this context: got %s", got)
	}
	w.dstKey.Grants.V[0].Constraints.SourceArn = srcBucket // which only a service on its own behalf sends
	if got := w.outcome(t, lab.PutOptions{}); got != "FAILED DstPutObjectNotPermitted" {
		t.Errorf("with a constraint on the source: got %s", got)
	}
}
