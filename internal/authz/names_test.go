package authz

import (
	"testing"

	"github.com/replimend/replimend/internal/policy"
)

func principal(t *testing.T, text string) Principal {
	t.Helper()
	p, err := ParsePrincipal(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestHowAPrincipalElementNamesTheCaller(t *testing.T) {
	t.Parallel()
	const roleID, userID = "AROAEXAMPLEEXAMPLE01", "AIDAEXAMPLEEXAMPLE01"
	role, err := policy.ParseARN("arn:aws:iam::111122223333:role/team/copier")
	if err != nil {
		t.Fatal(err)
	}
	callers := map[string]Principal{
		"session":   SessionOf(role, "s3-replication", roleID),
		"role":      {Kind: Role, ARN: role, Issuer: role, Account: role.Account, UniqueID: roleID},
		"user":      principal(t, "arn:aws:iam::111122223333:user/team/alice"),
		"root":      principal(t, "arn:aws:iam::111122223333:root"),
		"federated": principal(t, "arn:aws:sts::111122223333:federated-user/bob"),
		"provider":  principal(t, "arn:aws:iam::111122223333:oidc-provider/idp.example.com"),
		"service":   principal(t, "s3.amazonaws.com"),
		"anonymous": principal(t, "anonymous"),
		"china":     principal(t, "arn:aws-cn:iam::111122223333:user/team/alice"),
	}
	for name, id := range map[string]string{"user": userID, "federated": userID} {
		p := callers[name]
		p.UniqueID = id
		callers[name] = p
	}
	federated := callers["federated"]
	federated.Issuer = callers["user"].ARN
	callers["federated"] = federated

	type ways map[string]naming // by caller; callers that are left out are not named
	everyone := ways{}
	for name := range callers {
		everyone[name] = namesEveryone
	}
	account := ways{"session": namesAccount, "role": namesAccount, "user": namesAccount, "federated": namesAccount, "root": namesAccount}
	tests := []struct {
		kind  policy.PrincipalKind
		value string
		want  ways
	}{
		{policy.PrincipalAWS, "*", everyone},

		{policy.PrincipalAWS, "111122223333", ways{
			"session": namesAccount, "role": namesAccount, "user": namesAccount, "federated": namesAccount, "root": namesAccount,
			"china": namesAccount, // a bare id means the account of the partition that holds the document
		}},
		{policy.PrincipalAWS, "111122223334", nil},
		{policy.PrincipalAWS, "arn:aws:iam::111122223333:root", ways{
			"session": account["session"], "role": namesAccount, "user": namesAccount, "federated": namesAccount,
			"root": namesCaller | namesAccount,
		}},
		{policy.PrincipalAWS, "arn:aws-cn:iam::111122223333:root", ways{"china": namesAccount}},
		{policy.PrincipalAWS, "arn:aws:iam::111122223334:root", nil},
		{policy.PrincipalAWS, "arn:aws:sts::111122223333:root", nil},
		{policy.PrincipalAWS, "arn:aws:iam:us-east-1:111122223333:root", nil},
		{policy.PrincipalAWS, "arn:aws:iam::444455556666:user/x:iam::111122223333:root", nil},
		{policy.PrincipalAWS, "arn:aws:iam::444455556666:root/111122223333:root", nil},
		{policy.PrincipalAWS, "arn:aws:iam::1111222233330:root", nil},
		{policy.PrincipalAWS, "arn:aws:iam::0111122223333:root", nil},
		{policy.PrincipalAWS, "arn:aws:iam::111122223333:Root", nil},
		{policy.PrincipalAWS, "arn:aws:iam::111122223333:root/", nil},

		{policy.PrincipalAWS, "arn:aws:iam::111122223333:role/team/copier", ways{"session": namesIssuer, "role": namesIssuer}},
		{policy.PrincipalAWS, "arn:aws:iam::111122223333:role/copier", nil},
		{policy.PrincipalAWS, "arn:aws:iam::111122223333:role/team/other/copier", nil},
		{policy.PrincipalAWS, "arn:aws:iam::111122223333:role/team/copier2", nil},
		{policy.PrincipalAWS, "arn:aws:iam::111122223333:role/team/copier/role/team/copier", nil},
		{policy.PrincipalAWS, "arn:aws:iam::111122223333:role/team/Copier", nil},
		{policy.PrincipalAWS, "arn:aws:iam::111122223333:role/team/*", nil},
		{policy.PrincipalAWS, "arn:aws:iam::444455556666:role/team/copier", nil},
		{policy.PrincipalAWS, "arn:aws-us-gov:iam::111122223333:role/team/copier", nil},
		{policy.PrincipalAWS, "arn:aws:sts::111122223333:assumed-role/copier/s3-replication", ways{"session": namesCaller}},
		{policy.PrincipalAWS, "arn:aws:sts::111122223333:assumed-role/copier/other", nil},
		{policy.PrincipalAWS, "arn:aws:sts::111122223333:assumed-role/copier", nil},
		{policy.PrincipalAWS, "arn:aws:sts::111122223333:assumed-role/team/copier/s3-replication", nil},

		{policy.PrincipalAWS, "arn:aws:iam::111122223333:user/team/alice", ways{"user": namesCaller, "federated": namesIssuer}},
		{policy.PrincipalAWS, "arn:aws:iam::111122223333:user/alice", nil},
		{policy.PrincipalAWS, "arn:aws-cn:iam::111122223333:user/team/alice", ways{"china": namesCaller}},
		{policy.PrincipalAWS, "arn:aws:sts::111122223333:federated-user/bob", ways{"federated": namesCaller}},
		{policy.PrincipalAWS, "arn:aws:sts::111122223333:federated-user/bo", nil},

		{policy.PrincipalAWS, roleID, ways{"session": namesIssuer, "role": namesIssuer}},
		{policy.PrincipalAWS, userID, ways{"user": namesCaller, "federated": namesIssuer}},
		{policy.PrincipalAWS, "AROAEXAMPLEEXAMPLE02", nil},

		{policy.PrincipalService, "s3.amazonaws.com", ways{"service": namesCaller}},
		{policy.PrincipalService, "s3.us-east-1.amazonaws.com", nil},
		{policy.PrincipalService, "S3.amazonaws.com", nil},
		{policy.PrincipalService, "*", nil},
		{policy.PrincipalFederated, "arn:aws:iam::111122223333:oidc-provider/idp.example.com", ways{"provider": namesCaller}},
		{policy.PrincipalFederated, "arn:aws:iam::111122223333:oidc-provider/idp.example.com/", nil},
		{policy.PrincipalFederated, "arn:aws:iam::444455556666:oidc-provider/idp.example.com", nil},
		{policy.PrincipalAWS, "arn:aws:iam::111122223333:oidc-provider/idp.example.com", nil},
		{policy.PrincipalCanonicalUser, "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be", nil},
	}
	for _, test := range tests {
		t.Run(test.kind.String()+" "+test.value, func(t *testing.T) {
			t.Parallel()
			for name, p := range callers {
				v := policy.Principal{Kind: test.kind, Value: test.value}
				if got := nameOf(&v, &p); got != test.want[name] {
					t.Errorf("names the %s %04b, want %04b", name, got, test.want[name])
				}
			}
		})
	}
}

func TestEqualARN(t *testing.T) {
	t.Parallel()
	bucket := policy.BucketARN("aws", "bucket")
	role := policy.ARN{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "role/a:b"}
	tests := []struct {
		text string
		arn  policy.ARN
		want bool
	}{
		{"arn:aws:s3:::bucket", bucket, true},
		{"arn:aws:iam::111122223333:role/a:b", role, true},
		{"", policy.ARN{}, false},
		{"arn:::::", policy.ARN{}, false},
		{"bucket", bucket, false},
		{"arn:aws:s3:::bucket", policy.BucketARN("aws", "ucket"), false},
		{"arn:aws:s3:::my-bucket", bucket, false},
		{"arn:aws:s3:::bucket/", bucket, false},
		{"arn:aws:s3:::bucket/bucket", bucket, false},
		{"xarn:aws:s3:::bucket", bucket, false},
		{"arn:aws-cn:s3:::bucket", bucket, false},
		{"arn:aw:s3:::bucket", bucket, false},
		{"arn:aws:s3::bucket", bucket, false},
		{"arn:aws:s3::::bucket", bucket, false},
		{"arn:aws:s3:us-east-1::bucket", bucket, false},
		{"arn:aws:iam::111122223333:role/a", role, false},
		{"arn:aws:iam::111122223333:b", role, false},
	}
	for _, test := range tests {
		if got := equalARN(test.text, &test.arn); got != test.want {
			t.Errorf("equalARN(%q, %s) = %t", test.text, test.arn, got)
		}
	}
}
