package lab_test

import (
	"testing"

	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestFaultHelpers: each makes the route fail as its name says, and is refused for what is not there.
func TestFaultHelpers(t *testing.T) {
	const none = "arn:aws:iam::111122223333:role/none"
	noKey := arn(keyA + "2")
	nothing := snapshot.Of(snapshot.Boundary{Document: document(allow("None", "", "ec2:*", "*", nil))})
	noS3 := snapshot.Of([][]policy.Document{{document(allow("None", "", "ec2:*", "*", nil))}})
	for name, row := range map[string]struct {
		fault   func(*lab.Cloud) error
		want    string
		missing func(*lab.Cloud) error
		code    string
	}{
		"EditRole": {
			func(c *lab.Cloud) error {
				return c.EditRole(arn(role), func(r *snapshot.Role) { r.Boundary = nothing })
			}, "SrcGetObjectNotPermitted",
			func(c *lab.Cloud) error { return c.EditRole(arn(none), func(*snapshot.Role) { panic("edited") }) }, "NoSuchEntity",
		},
		"EditBucket": {
			func(c *lab.Cloud) error {
				return c.EditBucket("dst", func(b *snapshot.Bucket) { b.Versioning = snapshot.Value[string]{} })
			}, "DstBucketUnversioned",
			func(c *lab.Cloud) error { return c.EditBucket("none", func(*snapshot.Bucket) { panic("edited") }) }, "NoSuchBucket",
		},
		"SuspendVersioning": {
			func(c *lab.Cloud) error { return c.SuspendVersioning("dst") }, "DstBucketUnversioned",
			func(c *lab.Cloud) error { return c.SuspendVersioning("none") }, "NoSuchBucket",
		},
		"DeleteBucket": {
			func(c *lab.Cloud) error { return c.DeleteBucket("dst") }, "DstBucketNotFound",
			func(c *lab.Cloud) error { return c.DeleteBucket("none") }, "NoSuchBucket",
		},
		"SetGuardrails": {
			func(c *lab.Cloud) error { c.SetGuardrails(accountA, snapshot.Guardrails{SCPs: noS3}); return nil }, "SrcGetObjectNotPermitted",
			nil, "",
		},
		"SetReplication": {
			func(c *lab.Cloud) error {
				return c.SetReplication("src", snapshot.Replication{Role: none, Rules: []snapshot.Rule{rule("r9")}})
			}, "AssumeRoleNotPermitted",
			func(c *lab.Cloud) error {
				return c.SetReplication("src", snapshot.Replication{Rules: []snapshot.Rule{rule("r1"), rule("r2")}})
			}, "InvalidRequest",
		},
		"SetRule": {
			func(c *lab.Cloud) error {
				r := rule("r1")
				r.Destination.Bucket = "arn:aws:s3:::elsewhere"
				return c.SetRule("src", r)
			}, "DstBucketNotFound",
			func(c *lab.Cloud) error { return c.SetRule("none", rule("r1")) }, "NoSuchBucket",
		},
		"DisableKey": {
			func(c *lab.Cloud) error { return c.DisableKey(arn(keyB)) }, "DstKmsKeyInvalidState",
			func(c *lab.Cloud) error { return c.DisableKey(noKey) }, "NotFoundException",
		},
		"DeleteKey": {
			func(c *lab.Cloud) error { return c.DeleteKey(arn(keyB)) }, "DstKmsKeyNotFound",
			func(c *lab.Cloud) error { return c.DeleteKey(noKey) }, "NotFoundException",
		},
		"DeleteRole": {
			func(c *lab.Cloud) error { return c.DeleteRole(arn(role)) }, "AssumeRoleNotPermitted",
			func(c *lab.Cloud) error { return c.DeleteRole(arn(none)) }, "NoSuchEntity",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.guardrails = nil
			c := w.cloud(t)
			put(t, c, "a/b.txt", lab.PutOptions{})
			if row.missing != nil {
				if err := row.missing(c); code(err) != row.code {
					t.Errorf("of what is not there: %v, want %s", err, row.code)
				}
			}
			if err := row.fault(c); err != nil {
				t.Fatal(err)
			}
			replicate(t, c)
			if got := reasons(t, c); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func TestEditsLeaveNothingUnknown(t *testing.T) {
	c := newWorld().cloud(t)
	if err := c.EditBucket("dst", func(b *snapshot.Bucket) { *b = snapshot.Bucket{Account: b.Account, Region: b.Region} }); err != nil {
		t.Fatal(err)
	}
	if got := look(t, c).Buckets["dst"].V; got.Versioning.State != snapshot.Absent || got.RequestPayer.V != "BucketOwner" {
		t.Errorf("the bucket is %+v", got)
	}
	if err := c.Put(t.Context(), dstRef, snapshot.None[policy.Document](), newWorld().document("dst")); err != nil {
		t.Errorf("a policy where there is none: %v", err)
	}
}

func TestIgnoredHopLetsTheNextOneSpeak(t *testing.T) {
	w := newWorld()
	w.noDst, w.options.Ignore = true, map[string]bool{"read-acl": true}
	w.drop("role", "GetObjectVersionAcl")
	if got := w.outcome(t, lab.PutOptions{}); got != "FAILED DstBucketNotFound" {
		t.Errorf("got %s", got)
	}
}

func TestLastRuleTakesTheConfigurationAlong(t *testing.T) {
	w := newWorld()
	second := rule("r2")
	second.Priority = 2
	w.rules = append(w.rules, second)
	c := w.cloud(t)
	for i, id := range []string{"r1", "r2"} {
		if err := c.DeleteRule("src", id); err != nil {
			t.Fatal(err)
		}
		if got := look(t, c).Buckets["src"].V.Replication; len(got.V.Rules) != 1-i || got.State == snapshot.Absent != (i == 1) {
			t.Errorf("after %s the configuration is %+v", id, got)
		}
	}
}

// TestDeletedRoleInATrust: a trust that named the role by ARN names its unique id, too.
func TestDeletedRoleInATrust(t *testing.T) {
	s := newWorld().snapshot()
	other := arn("arn:aws:iam::111122223333:role/other")
	trust := document(
		object{"Sid": "Several", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": object{"AWS": []string{role, accountB}, "Service": "s3.amazonaws.com"}},
		allow("One", role, "sts:AssumeRole", "", nil),
	)
	s.Roles[other] = snapshot.Of(snapshot.Role{Trust: snapshot.Of(trust)})
	c, err := lab.New(s, lab.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteRole(arn(role)); err != nil {
		t.Fatal(err)
	}
	after := look(t, c)
	if got := after.Roles[arn(role)].State; got != snapshot.Absent {
		t.Errorf("the role is in state %d", got)
	}
	if got := after.Document(keyBRef).V.Statements[1].Principal.Values[0].Value; got != roleID {
		t.Errorf("the key policy names %s", got)
	}
	for _, st := range after.Roles[other].V.Trust.V.Statements {
		if got := st.Principal.Values[0].Value; got != roleID {
			t.Errorf("statement %s names %s", st.Sid, got)
		}
	}
}
