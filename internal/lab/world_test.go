package lab_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// The route of these tests: two accounts, two regions, a customer managed key on each side, owner override, Bucket Keys off.
const (
	accountA = "111122223333"
	accountB = "444455556666"
	regionA  = "eu-west-1"
	regionB  = "us-east-1"
	role     = "arn:aws:iam::111122223333:role/service-role/replication"
	roleID   = "AROAEXAMPLEREPLICATION"
	keyA     = "arn:aws:kms:eu-west-1:111122223333:key/11111111-1111-1111-1111-111111111111"
	keyB     = "arn:aws:kms:us-east-1:444455556666:key/22222222-2222-2222-2222-222222222222"
)

var today = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// object is a JSON object.
type object = map[string]any

// world is a snapshot in the making. Its documents are lists of statements by Sid, so that a test can take one out.
type world struct {
	documents    map[string][]object
	src, dst     snapshot.Bucket
	srcKey       snapshot.Key
	dstKey       snapshot.Key
	rules        []snapshot.Rule
	boundary     snapshot.Value[snapshot.Boundary]
	organization *snapshot.Organization
	guardrails   map[string]snapshot.Guardrails
	objects      []snapshot.Object
	options      lab.Options
	roleARN      string // in the configuration
	noDst        bool
	noDstKey     bool
}

func allow(sid, principal, action, resource string, condition object) object {
	s := object{"Sid": sid, "Effect": "Allow", "Action": action}
	if principal != "" {
		s["Principal"] = object{"AWS": principal}
	}
	if resource != "" {
		s["Resource"] = resource
	}
	if condition != nil {
		s["Condition"] = condition
	}
	return s
}

func deny(principal, action, resource string, condition object) object {
	s := allow("Deny", principal, action, resource, condition)
	s["Effect"] = "Deny"
	return s
}

// through is the condition of a statement about a key: S3 of that region, for that bucket and its objects.
func through(region, bucket string) object {
	return object{
		"StringEquals": object{"kms:ViaService": "s3." + region + ".amazonaws.com"},
		"StringLike":   object{"kms:EncryptionContext:aws:s3:arn": []string{"arn:aws:s3:::" + bucket, "arn:aws:s3:::" + bucket + "/*"}},
	}
}

// newWorld is the complete route. Every permission has a statement of its own, whose Sid is the action's name.
func newWorld() *world {
	const src, srcObjects, dstObjects = "arn:aws:s3:::src", "arn:aws:s3:::src/*", "arn:aws:s3:::dst/*"
	onA, onB := through(regionA, "src"), through(regionB, "dst")
	trust := object{"Sid": "Trust", "Effect": "Allow", "Principal": object{"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
	return &world{
		roleARN: role,
		documents: map[string][]object{
			"trust": {trust},
			"role": {
				allow("GetReplicationConfiguration", "", "s3:GetReplicationConfiguration", src, nil),
				allow("ListBucket", "", "s3:ListBucket", src, nil),
				allow("GetObjectVersionForReplication", "", "s3:GetObjectVersionForReplication", srcObjects, nil),
				allow("GetObjectVersionAcl", "", "s3:GetObjectVersionAcl", srcObjects, nil),
				allow("GetObjectVersionTagging", "", "s3:GetObjectVersionTagging", srcObjects, nil),
				allow("GetObjectRetention", "", "s3:GetObjectRetention", srcObjects, nil),
				allow("GetObjectLegalHold", "", "s3:GetObjectLegalHold", srcObjects, nil),
				allow("ReplicateObject", "", "s3:ReplicateObject", dstObjects, nil),
				allow("ReplicateDelete", "", "s3:ReplicateDelete", dstObjects, nil),
				allow("ObjectOwnerOverrideToBucketOwner", "", "s3:ObjectOwnerOverrideToBucketOwner", dstObjects, nil),
				allow("DecryptA", "", "kms:Decrypt", keyA, onA),
				allow("EncryptB", "", "kms:Encrypt", keyB, onB),
				allow("DecryptB", "", "kms:Decrypt", keyB, onB),
				allow("GenerateDataKeyB", "", "kms:GenerateDataKey", keyB, onB),
			},
			"src": nil,
			"dst": {
				allow("ReplicateObject", role, "s3:ReplicateObject", dstObjects, nil),
				allow("ReplicateDelete", role, "s3:ReplicateDelete", dstObjects, nil),
				allow("ObjectOwnerOverrideToBucketOwner", role, "s3:ObjectOwnerOverrideToBucketOwner", dstObjects, nil),
			},
			"keyA": {
				allow("Account", "arn:aws:iam::111122223333:root", "kms:*", "*", nil),
			},
			"keyB": {
				allow("Account", "arn:aws:iam::444455556666:root", "kms:*", "*", nil),
				allow("Encrypt", role, "kms:Encrypt", "*", nil),
				allow("Decrypt", role, "kms:Decrypt", "*", nil),
				allow("GenerateDataKey", role, "kms:GenerateDataKey", "*", nil),
			},
		},
		src: snapshot.Bucket{
			Account: accountA, Region: regionA, Versioning: snapshot.Of("Enabled"), Encryption: encryption("aws:kms", keyA, false),
			Ownership: snapshot.Of("BucketOwnerEnforced"), Notifications: notifications("s3:Replication:OperationFailedReplication"),
		},
		dst: snapshot.Bucket{
			Account: accountB, Region: regionB, Versioning: snapshot.Of("Enabled"), Encryption: encryption("AES256", "", false),
			Ownership: snapshot.Of("ObjectWriter"),
		},
		rules:      []snapshot.Rule{rule("r1")},
		guardrails: map[string]snapshot.Guardrails{},
		options:    lab.Options{Now: func() time.Time { return today }},
	}
}

func rule(id string) snapshot.Rule {
	r := snapshot.Rule{
		ID: id, Status: "Enabled", Priority: 1, Filter: &snapshot.Filter{},
		DeleteMarkerReplication: &snapshot.Switch{Status: "Enabled"},
		SourceSelectionCriteria: &snapshot.SourceSelectionCriteria{SseKmsEncryptedObjects: &snapshot.Switch{Status: "Enabled"}},
	}
	fill(&r.Destination, object{
		"Bucket": "arn:aws:s3:::dst", "Account": accountB, "Metrics": object{"Status": "Enabled"},
		"AccessControlTranslation": object{"Owner": "Destination"}, "EncryptionConfiguration": object{"ReplicaKmsKeyID": keyB},
	})
	return r
}

// fill reads the members of an AWS structure, whose inner types have no name.
func fill(into any, from object) {
	data, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		panic(err)
	}
}

func encryption(algorithm, key string, bucketKey bool) snapshot.Value[snapshot.Encryption] {
	var e snapshot.Encryption
	by := object{"SSEAlgorithm": algorithm, "KMSMasterKeyID": key}
	fill(&e, object{"Rules": []object{{"ApplyServerSideEncryptionByDefault": by, "BucketKeyEnabled": bucketKey}}})
	return snapshot.Of(e)
}

func node(v any) snapshot.Value[jsontree.Node] {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	n, err := jsontree.Parse(data, len(data))
	if err != nil {
		panic(err)
	}
	return snapshot.Of(n)
}

func notifications(event string) snapshot.Value[jsontree.Node] {
	return node(object{"QueueConfigurations": []object{{"Id": "failures", "QueueArn": "arn:aws:sqs:::q", "Events": []string{event}}}})
}

// drop takes a statement out of a document.
func (w *world) drop(document, sid string) {
	before := len(w.documents[document])
	w.documents[document] = slices.DeleteFunc(w.documents[document], func(s object) bool { return s["Sid"] == sid })
	if len(w.documents[document]) == before {
		panic("no statement " + sid + " in " + document)
	}
}

func (w *world) add(document string, statements ...object) {
	w.documents[document] = append(w.documents[document], statements...)
}

func document(statements ...object) policy.Document {
	data, err := json.Marshal(object{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err)
	}
	d, err := policy.Parse(data)
	if err != nil {
		panic(err)
	}
	return d
}

// document is that document, absent when it has no statements.
func (w *world) document(name string) snapshot.Value[policy.Document] {
	if len(w.documents[name]) == 0 {
		return snapshot.None[policy.Document]()
	}
	return snapshot.Of(document(w.documents[name]...))
}

func arn(s string) policy.ARN {
	a, err := policy.ParseARN(s)
	if err != nil {
		panic(err)
	}
	return a
}

func (w *world) snapshot() *snapshot.Snapshot {
	w.src.Replication = snapshot.Of(snapshot.Replication{Role: w.roleARN, Rules: w.rules})
	w.src.Policy, w.dst.Policy = w.document("src"), w.document("dst")
	w.srcKey.Policy, w.dstKey.Policy = w.document("keyA"), w.document("keyB")
	inline := map[string]policy.Document{}
	if d, ok := w.document("role").Get(); ok {
		inline["replication"] = d
	}
	s := &snapshot.Snapshot{
		TakenAt:      today.Format(time.RFC3339),
		Organization: w.organization,
		Buckets:      map[string]snapshot.Value[snapshot.Bucket]{"src": snapshot.Of(w.src), "dst": snapshot.Of(w.dst)},
		Roles: map[policy.ARN]snapshot.Value[snapshot.Role]{arn(role): snapshot.Of(snapshot.Role{
			UniqueID: roleID, Trust: w.document("trust"), Inline: snapshot.Of(inline), Boundary: w.boundary,
			Tags: snapshot.Of(map[string]string{"team": "data"}),
		})},
		Keys:       map[policy.ARN]snapshot.Value[snapshot.Key]{arn(keyA): snapshot.Of(w.srcKey), arn(keyB): snapshot.Of(w.dstKey)},
		Guardrails: w.guardrails,
		Objects:    w.objects,
	}
	if w.noDst {
		s.Buckets["dst"] = snapshot.None[snapshot.Bucket]()
	}
	if w.noDstKey {
		s.Keys[arn(keyB)] = snapshot.None[snapshot.Key]()
	}
	return s
}

func (w *world) cloud(t *testing.T) *lab.Cloud {
	t.Helper()
	c, err := lab.New(w.snapshot(), w.options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func put(t *testing.T, c *lab.Cloud, key string, o lab.PutOptions) snapshot.Object {
	t.Helper()
	v, err := c.PutObject("src", key, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func replicate(t *testing.T, c *lab.Cloud) {
	t.Helper()
	if err := c.Replicate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func head(t *testing.T, c *lab.Cloud, bucket string, v snapshot.Object) snapshot.Object {
	t.Helper()
	out, err := c.Head(bucket, v.Key, v.VersionID)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// status is the status of a version as a test prints it.
func status(o snapshot.Object) string {
	if s, ok := o.ReplicationStatus.Get(); ok {
		return s
	}
	return "none"
}

// reasons is the failure reasons of the events since the last call.
func reasons(t *testing.T, c *lab.Cloud) string {
	t.Helper()
	var out []string
	for _, body := range c.Events() {
		var m struct {
			Records []struct {
				Data struct {
					Reason string `json:"failureReason"`
				} `json:"replicationEventData"`
			}
		}
		if err := json.Unmarshal(body, &m); err != nil {
			t.Fatal(err)
		}
		for _, r := range m.Records {
			out = append(out, r.Data.Reason)
		}
	}
	return strings.Join(out, " ")
}

// outcome writes one object, lets S3 replicate and says "STATUS reason".
func (w *world) outcome(t *testing.T, o lab.PutOptions) string {
	t.Helper()
	c := w.cloud(t)
	v := put(t, c, "a/b.txt", o)
	replicate(t, c)
	return strings.TrimSpace(status(head(t, c, "src", v)) + " " + reasons(t, c))
}

func code(err error) string {
	if e := (*lab.Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}
