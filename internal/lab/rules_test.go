package lab_test

import (
	"testing"

	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestSilentSkips: what no rule takes has no status, no failure and no event, however broken the route is.
func TestSilentSkips(t *testing.T) {
	text := func(s string) *string { return &s }
	tagged := lab.PutOptions{Tags: map[string]string{"class": "public"}}
	for name, row := range map[string]struct {
		edit   func(*world)
		object lab.PutOptions
		want   string // the status after the write
	}{
		"KMS without opt-in":       {func(w *world) { w.rules[0].SourceSelectionCriteria = nil }, lab.PutOptions{}, "none"},
		"KMS with opt-in disabled": {func(w *world) { w.rules[0].SourceSelectionCriteria.SseKmsEncryptedObjects.Status = "Disabled" }, lab.PutOptions{}, "none"},
		"DSSE without opt-in":      {func(w *world) { w.rules[0].SourceSelectionCriteria = nil }, lab.PutOptions{Encryption: "aws:kms:dsse", KMSKeyID: keyA}, "none"},
		"SSE-S3 needs no opt-in":   {func(w *world) { w.rules[0].SourceSelectionCriteria = nil }, lab.PutOptions{Encryption: "AES256"}, "PENDING"},
		"rule disabled":            {func(w *world) { w.rules[0].Status = "Disabled" }, lab.PutOptions{}, "none"},
		"versioning suspended":     {func(w *world) { w.src.Versioning = snapshot.Of("Suspended") }, lab.PutOptions{}, "none"},
		"never versioned":          {func(w *world) { w.src.Versioning = snapshot.None[string]() }, lab.PutOptions{}, "none"},
		"prefix of another key":    {func(w *world) { w.rules[0].Filter.Prefix = text("b/") }, lab.PutOptions{}, "none"},
		"prefix of the key":        {func(w *world) { w.rules[0].Filter.Prefix = text("a/") }, lab.PutOptions{}, "PENDING"},
		"star in a prefix is text": {func(w *world) { w.rules[0].Filter.Prefix = text("*") }, lab.PutOptions{}, "none"},
		"prefix of a version 1":    {func(w *world) { w.rules[0].Filter, w.rules[0].Prefix = nil, text("b/") }, lab.PutOptions{}, "none"},
		"tag missing":              {func(w *world) { w.rules[0].Filter.Tag = &snapshot.Tag{Key: "class", Value: "public"} }, lab.PutOptions{}, "none"},
		"tag of another value":     {func(w *world) { w.rules[0].Filter.Tag = &snapshot.Tag{Key: "class", Value: "secret"} }, tagged, "none"},
		"tag given":                {func(w *world) { w.rules[0].Filter.Tag = &snapshot.Tag{Key: "class", Value: "public"} }, tagged, "PENDING"},
		"prefix and tag, tag wrong": {func(w *world) {
			fill(w.rules[0].Filter, object{"And": object{"Prefix": "a/", "Tags": []object{{"Key": "class", "Value": "x"}}}})
		}, tagged, "none"},
		"prefix and tag, prefix wrong": {func(w *world) {
			fill(w.rules[0].Filter, object{"And": object{"Prefix": "b/", "Tags": []object{{"Key": "class", "Value": "public"}}}})
		}, tagged, "none"},
		"prefix and tag": {func(w *world) {
			fill(w.rules[0].Filter, object{"And": object{"Prefix": "a/", "Tags": []object{{"Key": "class", "Value": "public"}}}})
		}, tagged, "PENDING"},
		"archived":          {func(*world) {}, lab.PutOptions{StorageClass: "DEEP_ARCHIVE"}, "none"},
		"instant retrieval": {func(*world) {}, lab.PutOptions{StorageClass: "GLACIER_IR"}, "PENDING"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.documents["role"] = nil // everything would fail
			row.edit(w)
			c := w.cloud(t)
			v := put(t, c, "a/b.txt", row.object)
			if got := status(v); got != row.want || v.ReplicationStatus.State == snapshot.Missing {
				t.Fatalf("after the write: %s (%d), want %s", got, v.ReplicationStatus.State, row.want)
			}
			replicate(t, c)
			got := status(head(t, c, "src", v)) + " " + reasons(t, c)
			if want := map[string]string{"none": "none ", "PENDING": "FAILED SrcGetObjectNotPermitted"}[row.want]; got != want {
				t.Errorf("after S3 worked: %s, want %s", got, want)
			}
		})
	}
}

// TestNullVersion: without versioning there is one version, and the last write is it.
func TestNullVersion(t *testing.T) {
	w := newWorld()
	w.src.Versioning = snapshot.Of("Suspended")
	c := w.cloud(t)
	first, second := put(t, c, "k", lab.PutOptions{Size: 1}), put(t, c, "k", lab.PutOptions{Size: 2})
	if first.VersionID != "null" || second.VersionID != "null" || head(t, c, "src", first).Size != 2 {
		t.Errorf("versions %q and %q, and then %+v", first.VersionID, second.VersionID, head(t, c, "src", first))
	}
}

func TestHighestPriorityWinsForOneDestination(t *testing.T) {
	high, low := rule("high"), rule("low")
	high.Priority, high.Destination.StorageClass = 7, "STANDARD_IA"
	low.Priority, low.Destination.StorageClass = 3, "ONEZONE_IA"
	for name, rules := range map[string][]snapshot.Rule{"high first": {high, low}, "low first": {low, high}} {
		w := newWorld()
		w.rules = rules
		c := w.cloud(t)
		v := put(t, c, "a/b.txt", lab.PutOptions{})
		replicate(t, c)
		if got := head(t, c, "dst", v).StorageClass; got != "STANDARD_IA" {
			t.Errorf("%s: the replica is in %s", name, got)
		}
	}

	// A rule that outranks the other decides even where it then does not take the object.
	high.SourceSelectionCriteria = nil
	w := newWorld()
	w.rules = []snapshot.Rule{low, high}
	if got := w.outcome(t, lab.PutOptions{}); got != "none" {
		t.Errorf("below a rule without opt-in: %s", got)
	}
	disputed("opt-in-before-priority")(w)
	if got := w.outcome(t, lab.PutOptions{}); got != "COMPLETED" {
		t.Errorf("below a rule without opt-in, in the other reading: %s", got)
	}
	w.options.Disputed = nil
	w.rules[1].Status = "Disabled"
	if got := w.outcome(t, lab.PutOptions{}); got != "COMPLETED" {
		t.Errorf("below a disabled rule: %s", got)
	}
}

// TestSeveralDestinations: COMPLETED when all have it; one that fails fails the object, and the others still get it.
func TestSeveralDestinations(t *testing.T) {
	w := newWorld()
	second := rule("r2")
	second.Priority, second.Destination.Bucket = 2, "arn:aws:s3:::gone"
	w.rules = append(w.rules, second)
	c := w.cloud(t)
	v := put(t, c, "a/b.txt", lab.PutOptions{})
	replicate(t, c)
	if got := status(head(t, c, "src", v)) + " " + reasons(t, c); got != "FAILED DstBucketNotFound" {
		t.Errorf("got %s", got)
	}
	if got := status(head(t, c, "dst", v)); got != "REPLICA" {
		t.Errorf("the good destination has %s", got)
	}
}

func TestReplicaOfAReplicaIsNotMade(t *testing.T) {
	w := newWorld()
	back := rule("back")
	back.Destination.Bucket, back.Destination.Account = "arn:aws:s3:::src", accountA
	w.dst.Replication = snapshot.Of(snapshot.Replication{Role: role, Rules: []snapshot.Rule{back}})
	c := w.cloud(t)
	v := put(t, c, "a/b.txt", lab.PutOptions{})
	replicate(t, c)
	replicate(t, c)
	if got := status(head(t, c, "dst", v)) + " " + reasons(t, c); got != "REPLICA " {
		t.Errorf("got %s", got)
	}
}

func TestDeleteMarkers(t *testing.T) {
	for name, row := range map[string]struct {
		edit func(*snapshot.Rule)
		want string
	}{
		"switched on":  {func(*snapshot.Rule) {}, "COMPLETED"},
		"switched off": {func(r *snapshot.Rule) { r.DeleteMarkerReplication.Status = "Disabled" }, "none"},
		"not said":     {func(r *snapshot.Rule) { r.DeleteMarkerReplication = nil }, "none"},
		"version 1":    {func(r *snapshot.Rule) { r.Filter, r.DeleteMarkerReplication = nil, nil }, "COMPLETED"},
		"tag filter":   {func(r *snapshot.Rule) { r.Filter.Tag = &snapshot.Tag{Key: "k"} }, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			row.edit(&w.rules[0])
			w.drop("role", "GetObjectVersionForReplication") // a delete marker has nothing to read
			c := w.cloud(t)
			if _, err := c.DeleteObject("none", "a/b.txt"); code(err) != "NoSuchBucket" {
				t.Errorf("in no bucket: %v", err)
			}
			v, err := c.DeleteObject("src", "a/b.txt")
			if err != nil {
				t.Fatal(err)
			}
			replicate(t, c)
			if got := status(head(t, c, "src", v)); got != row.want {
				t.Fatalf("got %s %s, want %s", got, reasons(t, c), row.want)
			}
			if row.want != "COMPLETED" {
				return
			}
			if r := head(t, c, "dst", v); !r.DeleteMarker || r.Owner != accountB {
				t.Errorf("the replica is %+v", r)
			}
		})
	}
}

func TestTagsAreLostInSilence(t *testing.T) {
	w := newWorld()
	w.drop("role", "GetObjectVersionTagging")
	c := w.cloud(t)
	v := put(t, c, "a/b.txt", lab.PutOptions{Tags: map[string]string{"k": "v"}})
	replicate(t, c)
	if got := status(head(t, c, "src", v)) + " " + reasons(t, c); got != "COMPLETED " {
		t.Fatalf("got %s", got)
	}
	if tags := head(t, c, "dst", v).Tags.V; len(tags) != 0 {
		t.Errorf("the replica has tags %v", tags)
	}
}

// TestWhoOwnsTheObject: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
func TestWhoOwnsTheObject(t *testing.T) {
	const writer, full = "777788889999", "bucket-owner-full-control"
	for _, row := range []struct{ ownership, acl, want string }{
		{"BucketOwnerEnforced", "", accountA},
		{"BucketOwnerEnforced", full, accountA},
		{"BucketOwnerPreferred", "", writer},
		{"BucketOwnerPreferred", full, accountA},
		{"ObjectWriter", "", writer},
		{"ObjectWriter", full, writer},
	} {
		w := newWorld()
		w.src.Ownership = snapshot.Of(row.ownership)
		if got := put(t, w.cloud(t), "k", lab.PutOptions{Owner: writer, ACL: row.acl, Encryption: "AES256"}).Owner; got != row.want {
			t.Errorf("%s with ACL %q: owner %s, want %s", row.ownership, row.acl, got, row.want)
		}
	}
	w := newWorld()
	w.src.Ownership, w.src.PublicAccessBlock = snapshot.Of("ObjectWriter"), node(object{"BlockPublicAcls": true})
	if _, err := w.cloud(t).PutObject("src", "k", lab.PutOptions{ACL: "public-read"}); code(err) != "AccessDenied" {
		t.Errorf("a public object where public ACLs are blocked: %v", err)
	}
}

func TestWhoOwnsTheReplica(t *testing.T) {
	for name, row := range map[string]struct {
		edit func(*world)
		want string
	}{
		"override":    {func(*world) {}, accountB},
		"no override": {func(w *world) { w.rules[0].Destination.AccessControlTranslation = nil }, accountA},
		"bucket owner enforced": {func(w *world) {
			w.rules[0].Destination.AccessControlTranslation = nil
			w.dst.Ownership = snapshot.Of("BucketOwnerEnforced")
		}, accountB},
	} {
		w := newWorld()
		row.edit(w)
		if row.want == accountA || name != "override" {
			w.drop("role", "ObjectOwnerOverrideToBucketOwner")
		}
		c := w.cloud(t)
		v := put(t, c, "a/b.txt", lab.PutOptions{})
		replicate(t, c)
		if got := head(t, c, "dst", v).Owner; got != row.want {
			t.Errorf("%s: owner %s, want %s", name, got, row.want)
		}
	}
}

func TestSetRuleRefusesWhatS3Refuses(t *testing.T) {
	for name, row := range map[string]struct {
		edit func(*snapshot.Rule)
		want string
	}{
		"as it is":                       {func(*snapshot.Rule) {}, ""},
		"key without opt-in":             {func(r *snapshot.Rule) { r.SourceSelectionCriteria = nil }, "InvalidRequest"},
		"opt-in without key":             {func(r *snapshot.Rule) { r.Destination.EncryptionConfiguration = nil }, "InvalidRequest"},
		"override without account":       {func(r *snapshot.Rule) { r.Destination.Account = "" }, "InvalidRequest"},
		"delete markers with tag filter": {func(r *snapshot.Rule) { r.Filter.Tag = &snapshot.Tag{Key: "k"} }, "InvalidRequest"},
		"priority taken":                 {func(r *snapshot.Rule) { r.ID = "r2" }, "InvalidRequest"},
		"key that does not exist":        {func(r *snapshot.Rule) { r.Destination.EncryptionConfiguration.ReplicaKmsKeyID = "alias/none" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := newWorld().cloud(t)
			r := rule("r1")
			row.edit(&r)
			if err := c.SetRule("src", r); code(err) != row.want {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
	if err := newWorld().cloud(t).SuspendVersioning("src"); code(err) != "InvalidBucketState" {
		t.Errorf("versioning of a source: %v", err)
	}
	w := newWorld()
	w.src.Versioning = snapshot.Of("Suspended")
	if err := w.cloud(t).SetRule("src", rule("r1")); code(err) != "InvalidRequest" {
		t.Errorf("a rule on a bucket that is not versioned: %v", err)
	}
	if err := newWorld().cloud(t).SetRule("dst", rule("r1")); code(err) != "ReplicationConfigurationNotFoundError" {
		t.Errorf("a rule without a configuration: %v", err)
	}
}

func TestRuleThatGoesTakesItsObjectsAlong(t *testing.T) {
	c := newWorld().cloud(t)
	v := put(t, c, "a/b.txt", lab.PutOptions{})
	if err := c.DeleteRule("src", "r1"); err != nil {
		t.Fatal(err)
	}
	replicate(t, c)
	if got := status(head(t, c, "src", v)) + " " + reasons(t, c); got != "FAILED " {
		t.Errorf("got %s", got)
	}
}
