package lab_test

import (
	"testing"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

type jsonNode = jsontree.Node

// TestRequestsCarryTheirContext denies each action unless a key has its value. With the value that S3 sends the object gets
// through; with another one it does not.
func TestRequestsCarryTheirContext(t *testing.T) {
	const (
		everyS3, everyKMS = "s3:*", "kms:*"
		onDst             = "s3:ReplicateObject"
	)
	for _, row := range []struct{ action, operator, key, value, other string }{
		{"*", "StringNotEquals", "aws:PrincipalArn", role, "arn:aws:iam::111122223333:role/replication"},
		{"*", "StringNotEquals", "aws:PrincipalAccount", accountA, accountB},
		{"*", "StringNotEquals", "aws:PrincipalType", "AssumedRole", "User"},
		{"*", "StringNotEquals", "aws:userid", roleID + ":s3-replication", roleID},
		{"*", "StringNotEquals", "aws:PrincipalTag/team", "data", "web"},
		{"*", "StringNotEquals", "aws:PrincipalOrgID", "o-exampleorgid", "o-otherorgid"},
		{"*", "ForAllValues:StringNotLike", "aws:PrincipalOrgPaths", "o-exampleorgid/*", "o-otherorgid/*"},
		{"*", "BoolIfExists", "aws:PrincipalIsAWSService", "true", "false"},
		{"*", "BoolIfExists", "aws:SecureTransport", "false", "true"},
		{"*", "Null", "aws:CurrentTime", "true", "false"},
		{"*", "DateLessThan", "aws:CurrentTime", "2026-11-22T11:59:59Z", "2026-11-22T12:00:01Z"},
		{"*", "Null", "aws:EpochTime", "true", "false"},
		{"*", "Null", "aws:TokenIssueTime", "true", "false"},
		{"*", "Bool", "aws:MultiFactorAuthPresent", "true", "false"},
		{"*", "Null", "aws:SourceIp", "false", "true"},
		{"*", "Null", "aws:SourceVpce", "false", "true"},
		{onDst, "StringNotEquals", "aws:ResourceAccount", accountB, accountA},
		{onDst, "StringNotEquals", "aws:ResourceOrgID", "o-exampleorgid", "o-otherorgid"},
		{onDst, "ForAllValues:StringNotLike", "aws:ResourceOrgPaths", "o-exampleorgid/*", "o-otherorgid/*"},
		{onDst, "StringNotEquals", "aws:RequestedRegion", regionB, regionA},
		{"s3:GetObjectVersionForReplication", "StringNotEquals", "aws:RequestedRegion", regionA, regionB},
		{everyS3, "StringNotEquals", "s3:signatureversion", "AWS4-HMAC-SHA256", "AWS"},
		{everyS3, "StringNotEquals", "s3:authType", "REST-HEADER", "POST"},
		{everyS3, "NumericLessThan", "s3:TlsVersion", "1.2", "1.4"},
		{everyS3, "Bool", "aws:ViaAWSService", "true", "false"},
		{onDst, "StringNotEquals", "s3:ResourceAccount", accountB, accountA},
		{onDst, "StringNotEquals", "s3:x-amz-server-side-encryption", "aws:kms", "AES256"},
		{onDst, "StringNotEquals", "s3:x-amz-server-side-encryption-aws-kms-key-id", keyB, keyA},
		{"s3:GetObjectVersionAcl", "StringNotEquals", "s3:ExistingObjectTag/k", "v", "w"},
		{"s3:GetObjectVersionAcl", "Null", "s3:VersionId", "true", "false"},
		{"s3:GetObjectVersionForReplication", "Null", "s3:ExistingObjectTag/k", "false", "true"},
		{"kms:Decrypt", "StringNotEquals", "kms:ViaService", "s3.eu-west-1.amazonaws.com", "s3.us-east-1.amazonaws.com"},
		{"kms:Encrypt", "StringNotEquals", "kms:ViaService", "s3.us-east-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"},
		{everyKMS, "StringNotEquals", "kms:CallerAccount", accountA, accountB},
		{"kms:Decrypt", "StringNotEquals", "kms:EncryptionContext:aws:s3:arn", srcObject, srcBucket},
		{"kms:Encrypt", "StringNotEquals", "kms:EncryptionContext:aws:s3:arn", dstObject, srcObject},
		{everyKMS, "ForAllValues:StringNotEquals", "kms:EncryptionContextKeys", "aws:s3:arn", "aws:s3"},
		{everyKMS, "StringNotEquals", "kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1"},
		{everyKMS, "StringNotEquals", "kms:KeySpec", "SYMMETRIC_DEFAULT", "RSA_2048"},
		{everyKMS, "StringNotEquals", "kms:KeyUsage", "ENCRYPT_DECRYPT", "SIGN_VERIFY"},
		{everyKMS, "Bool", "kms:MultiRegion", "true", "false"},
		{"kms:Encrypt", "ForAllValues:StringNotEquals", "kms:ResourceAliases", "alias/replica", "alias/source"},
		{"kms:Encrypt", "StringNotEquals", "aws:ResourceTag/tier", "gold", "tin"},
		{everyKMS, "Bool", "aws:ViaAWSService", "false", "true"},
	} {
		t.Run(row.action+" "+row.key, func(t *testing.T) {
			for _, c := range []struct{ value, want string }{{row.value, "COMPLETED"}, {row.other, "FAILED"}} {
				w := newWorld()
				w.organization = &snapshot.Organization{ID: "o-exampleorgid", Accounts: []string{accountA, accountB}}
				w.dstKey.Aliases = snapshot.Of([]string{"alias/replica"})
				w.dstKey.Tags = snapshot.Of(map[string]string{"tier": "gold"})
				w.add("role", deny("", row.action, "*", object{row.operator: object{row.key: c.value}}))
				cloud := w.cloud(t)
				v := put(t, cloud, "a/b.txt", lab.PutOptions{Tags: map[string]string{"k": "v"}})
				replicate(t, cloud)
				if got := status(head(t, cloud, "src", v)); got != c.want {
					t.Errorf("denied by %s %s %s: got %s, want %s", row.operator, row.key, c.value, got, c.want)
				}
			}
		})
	}
}

// TestWriteNamesItsEncryption is the header keys of a replica that is under no key of KMS.
func TestWriteNamesItsEncryption(t *testing.T) {
	const customer = "s3:x-amz-server-side-encryption-customer-algorithm"
	for _, row := range []struct{ encryption, key, value, want string }{
		{"AES256", "s3:x-amz-server-side-encryption", "AES256", "COMPLETED"},
		{"AES256", "s3:x-amz-server-side-encryption", "aws:kms", "FAILED DstPutObjectNotPermitted"},
		{"AES256", customer, "AES256", "FAILED DstPutObjectNotPermitted"},
		{"SSE-C", customer, "AES256", "COMPLETED"},
		{"SSE-C", "s3:x-amz-server-side-encryption", "AES256", "FAILED DstPutObjectNotPermitted"},
	} {
		w := newWorld()
		w.add("dst", deny("*", "s3:ReplicateObject", "arn:aws:s3:::dst/*", object{"StringNotEquals": object{row.key: row.value}}))
		if got := w.outcome(t, lab.PutOptions{Encryption: row.encryption}); got != row.want {
			t.Errorf("%s, unless %s is %s: got %s, want %s", row.encryption, row.key, row.value, got, row.want)
		}
	}
}

// TestTrustIsAskedAsTheService holds the trust's conditions against what S3 sends when it assumes the role.
func TestTrustIsAskedAsTheService(t *testing.T) {
	for _, row := range []struct{ operator, key, value, other string }{
		{"Bool", "aws:PrincipalIsAWSService", "true", "false"},
		{"StringEquals", "aws:PrincipalServiceName", "s3.amazonaws.com", "ec2.amazonaws.com"},
		{"StringEquals", "sts:RoleSessionName", "s3-replication", "s3"},
		{"StringEquals", "aws:ResourceAccount", accountA, accountB},
		{"StringEquals", "aws:ResourceTag/team", "data", "web"},
		{"StringEquals", "iam:ResourceTag/team", "data", "web"},
		{"StringEquals", "aws:RequestedRegion", regionA, regionB},
		{"Null", "aws:PrincipalArn", "true", "false"},
		{"Null", "aws:SourceOrgID", "true", "false"},
	} {
		for value, want := range map[string]string{row.value: "COMPLETED", row.other: "FAILED AssumeRoleNotPermitted"} {
			w := newWorld()
			w.documents["trust"][0]["Condition"] = object{row.operator: object{row.key: value}}
			if got := w.outcome(t, lab.PutOptions{}); got != want {
				t.Errorf("%s %s %s: got %s, want %s", row.operator, row.key, value, got, want)
			}
		}
	}
}

func TestOutsideTheOrganization(t *testing.T) {
	w := newWorld()
	w.organization = &snapshot.Organization{ID: "o-exampleorgid", Accounts: []string{accountB}}
	w.add("dst", deny("*", "s3:*", "arn:aws:s3:::dst/*", object{"StringNotEquals": object{"aws:PrincipalOrgID": "o-exampleorgid"}}))
	if got := w.outcome(t, lab.PutOptions{}); got != "FAILED DstPutObjectNotPermitted" {
		t.Errorf("a role of no member: %s", got)
	}
	w.organization.Accounts = append(w.organization.Accounts, accountA)
	if got := w.outcome(t, lab.PutOptions{}); got != "COMPLETED" {
		t.Errorf("a role of a member: %s", got)
	}
}

// TestSourceContextOfTheTrust: nothing says that S3 sends it, so that the lab does so only in the other reading.
func TestSourceContextOfTheTrust(t *testing.T) {
	w := newWorld()
	w.documents["trust"][0]["Condition"] = object{"StringEquals": object{"aws:SourceAccount": accountA}, "ArnLike": object{"aws:SourceArn": srcBucket}}
	if got := w.outcome(t, lab.PutOptions{}); got != "FAILED AssumeRoleNotPermitted" {
		t.Errorf("got %s", got)
	}
	disputed("source-context")(w)
	if got := w.outcome(t, lab.PutOptions{}); got != "COMPLETED" {
		t.Errorf("in the other reading: %s", got)
	}
	w.organization = &snapshot.Organization{ID: "o-exampleorgid", Accounts: []string{accountA}}
	w.documents["trust"][0]["Condition"] = object{"StringEquals": object{"aws:SourceOrgID": "o-exampleorgid"}}
	if got := w.outcome(t, lab.PutOptions{}); got != "COMPLETED" {
		t.Errorf("of the organization, in the other reading: %s", got)
	}
	w.documents["trust"][0]["Condition"] = object{"StringEquals": object{"aws:SourceAccount": accountB}}
	if got := w.outcome(t, lab.PutOptions{}); got != "FAILED AssumeRoleNotPermitted" {
		t.Errorf("of another account, in the other reading: %s", got)
	}
}

// TestGuardrails: each layer above the policies can stop S3, at the hop where it stands.
func TestGuardrails(t *testing.T) {
	everything := document(allow("All", "", "*", "*", nil))
	anybody := func(s object) policy.Document {
		s["Principal"] = "*"
		return document(s)
	}
	levels := func(d policy.Document) snapshot.Value[[][]policy.Document] {
		return snapshot.Of([][]policy.Document{{everything}, {everything, d}})
	}
	for name, row := range map[string]struct {
		edit func(*world)
		want string
	}{
		"boundary without KMS": {func(w *world) {
			w.boundary = snapshot.Of(snapshot.Boundary{Document: document(allow("S3", "", "s3:*", "*", nil))})
		}, "FAILED SrcGetObjectNotPermitted"},
		"boundary with everything": {func(w *world) { w.boundary = snapshot.Of(snapshot.Boundary{Document: everything}) }, "COMPLETED"},
		"SCP of the role's account": {func(w *world) {
			w.guardrails[accountA] = snapshot.Guardrails{SCPs: levels(document(deny("", "kms:Encrypt", "*", nil)))}
		}, "FAILED DstPutObjectNotPermitted"},
		"SCP of the destination's account": {func(w *world) {
			w.guardrails[accountB] = snapshot.Guardrails{SCPs: levels(document(deny("", "*", "*", nil)))}
		}, "COMPLETED"},
		"SCP level that allows nothing": {func(w *world) {
			w.guardrails[accountA] = snapshot.Guardrails{SCPs: snapshot.Of([][]policy.Document{{everything}, {document(allow("S3", "", "ec2:*", "*", nil))}})}
		}, "FAILED SrcGetObjectNotPermitted"},
		"RCP of the destination's account": {func(w *world) {
			w.guardrails[accountB] = snapshot.Guardrails{RCPs: levels(anybody(deny("", "s3:*", "*", nil)))}
		}, "FAILED DstPutObjectNotPermitted"},
		"RCP on the trust": {func(w *world) {
			w.guardrails[accountA] = snapshot.Guardrails{RCPs: levels(anybody(deny("", "sts:*", "*", nil)))}
		}, "FAILED AssumeRoleNotPermitted"},
		"SCP on the trust does not reach a service": {func(w *world) {
			w.guardrails[accountA] = snapshot.Guardrails{SCPs: levels(document(deny("", "sts:*", "*", nil)))}
		}, "COMPLETED"},
		"destination asks for a VPC endpoint": {func(w *world) {
			w.add("dst", deny("*", "s3:*", "arn:aws:s3:::dst/*", object{"StringNotEquals": object{"aws:SourceVpce": "vpce-1"}}))
		}, "FAILED DstPutObjectNotPermitted"},
		"destination asks for TLS": {func(w *world) {
			w.add("dst", deny("*", "s3:*", "arn:aws:s3:::dst/*", object{"Bool": object{"aws:SecureTransport": "false"}}))
		}, "COMPLETED"},
		"destination denies PutObject only": {func(w *world) {
			w.add("dst", deny("*", "s3:PutObject", "arn:aws:s3:::dst/*", nil))
		}, "COMPLETED"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			row.edit(w)
			if got := w.outcome(t, lab.PutOptions{}); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

// TestManagedKeyIsBeyondRCPs: https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
func TestManagedKeyIsBeyondRCPs(t *testing.T) {
	w := newWorld()
	s := deny("*", "kms:Decrypt", "*", nil)
	w.guardrails[accountA] = snapshot.Guardrails{RCPs: snapshot.Of([][]policy.Document{{document(allow("All", "*", "*", "*", nil), s)}})}
	if got := w.outcome(t, lab.PutOptions{}); got != "FAILED SrcGetObjectNotPermitted" {
		t.Errorf("a customer managed key: %s", got)
	}
	if got := w.outcome(t, lab.PutOptions{Encryption: "aws:kms"}); got != "COMPLETED" {
		t.Errorf("an AWS managed key: %s", got)
	}
}
