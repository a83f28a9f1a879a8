package settings_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

const (
	iam11 = "arn:aws:iam::111122223333:"
	sts11 = "arn:aws:sts::111122223333:assumed-role/"
	sts44 = "arn:aws:sts::444455556666:assumed-role/"
	sso   = "AWSReservedSSO_Admin_1234567890abcdef/"
	sso2  = "AWSReservedSSO_Read_abcdef1234567890/"
)

var approvals = settings.Approvals{
	Approvers: []policy.ARN{
		arn("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_*"), arn(iam11 + "role/team/on-call"),
		arn(iam11 + "user/jane"), arn(iam11 + "user/eng/*"), arn("arn:aws:iam::*:role/break-glass"),
	},
	NamedSessions: []policy.ARN{arn(iam11 + "role/team/on-call")},
}

// TestPeople: who is one person, and who is not.
func TestPeople(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		one, other string
		same       bool
	}{
		"a user":                                    {iam11 + "user/jane", iam11 + "user/jane", true},
		"two users":                                 {iam11 + "user/jane", iam11 + "user/john", false},
		"a user under a path":                       {iam11 + "user/eng/jane", iam11 + "user/jane", true},
		"a user in two accounts":                    {iam11 + "user/jane", "arn:aws:iam::444455556666:user/jane", true},
		"two permission sets":                       {sts11 + sso + "jane", sts11 + sso2 + "jane", true},
		"a permission set in two accounts":          {sts11 + sso + "jane", sts44 + sso + "jane", true},
		"two people of a permission set":            {sts11 + sso + "jane", sts11 + sso + "john", false},
		"the same name in another case":             {sts11 + sso + "Jane@example.com", sts11 + sso2 + "jane@Example.com", true},
		"a permission set and a named role":         {sts11 + sso + "jane", sts11 + "on-call/jane", true},
		"a user, and the role that it assumes":      {iam11 + "user/jane", sts11 + "on-call/jane", true},
		"two people of a named role":                {sts11 + "on-call/jane", sts11 + "on-call/john", false},
		"a role that is named in another account":   {sts44 + "on-call/jane", sts44 + "on-call/john", true},
		"two sessions of another role":              {sts11 + "admin/jane", sts11 + "admin/john", true},
		"another role in another case":              {sts11 + "admin/jane", sts11 + "Admin/john", true},
		"two other roles":                           {sts11 + "admin/jane", sts11 + "deploy/jane", false},
		"another role in two accounts":              {sts11 + "admin/jane", sts44 + "admin/jane", false},
		"another role, and a user of its name":      {sts11 + "admin/jane", iam11 + "user/admin", false},
		"what looks like a permission set":          {sts11 + "AWSReservedSSO_Admin/jane", sts11 + "AWSReservedSSO_Admin/john", true},
		"what looks like one, in another case":      {sts11 + "awsreservedsso_Admin_1234567890abcdef/jane", sts11 + "awsreservedsso_Admin_1234567890abcdef/john", true},
		"a user of another partition":               {iam11 + "user/jane", "arn:aws-cn:iam::111122223333:user/jane", false},
		"a permission set of another partition":     {sts11 + sso + "jane", "arn:aws-us-gov:sts::111122223333:assumed-role/" + sso + "jane", false},
		"a name that goes on is not the name":       {sts11 + sso + "jane", sts11 + sso + "jane.doe", false},
		"a person's name is no role's, whatever it": {sts11 + "on-call/admin", sts11 + "admin/jane", false},
	} {
		one, other := approvals.Person(tt.one), approvals.Person(tt.other)
		if one == "" || other == "" || (one == other) != tt.same {
			t.Errorf("%s: %q and %q", name, one, other)
		}
	}
	for _, nobody := range []string{
		"", "anonymous", "s3.amazonaws.com", iam11 + "root", iam11 + "role/admin", iam11 + "role/" + strings.TrimSuffix(sso, "/"), iam11 + "user/", iam11 + "group/jane",
		"arn:aws:sts::111122223333:federated-user/jane", sts11 + "admin", sts11 + "admin/", sts11 + "admin/j", sts11 + "admin/jane/john", sts11 + "/jane",
		"arn:aws:iam::1111:user/jane", "arn:aws:iam:us-east-1:111122223333:user/jane", "arn::iam::111122223333:user/jane", "arn:AWS:iam::111122223333:user/jane",
		"arn:aws:sts::111122223333:user/jane", "arn:aws:iam::111122223333:assumed-role/admin/jane", "arn:aws:sts::111122223333:assumed-role/admin/ja\nne", iam11 + "user/*",
	} {
		if p := approvals.Person(nobody); p != "" || approvals.Admits(nobody) {
			t.Errorf("%q is %q, admitted: %t", nobody, p, approvals.Admits(nobody))
		}
	}
}

// TestSessionsOfOneRoleAreOnePerson: whoever may assume a role cannot become two people by the name of a session.
func TestSessionsOfOneRoleAreOnePerson(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		role := rapid.StringMatching(`[A-Za-z0-9_+=,.@-]{1,20}`).Draw(t, "role")
		session := rapid.StringMatching(`[A-Za-z0-9_+=,.@-]{2,20}`)
		one, other := sts44+role+"/"+session.Draw(t, "one"), sts44+role+"/"+session.Draw(t, "other")
		if approvals.Person(one) != approvals.Person(other) || approvals.Person(one) == "" {
			t.Fatalf("%s and %s are %q and %q", one, other, approvals.Person(one), approvals.Person(other))
		}
	})
}

func TestWhoIsAdmitted(t *testing.T) {
	t.Parallel()
	for caller, want := range map[string]bool{
		sts11 + sso + "jane":                     true,
		sts44 + sso + "jane":                     false,
		sts11 + sso2 + "jane":                    false,
		sts11 + "on-call/jane":                   true, // its path is not in the ARN
		sts44 + "on-call/jane":                   false,
		sts11 + "On-Call/jane":                   false,
		sts11 + "on-call2/jane":                  false,
		iam11 + "user/jane":                      true,
		iam11 + "user/other/jane":                false, // a user's path is
		iam11 + "user/jane2":                     false,
		iam11 + "user/eng/john":                  true,
		iam11 + "user/eng/deep/john":             false,
		"arn:aws:iam::444455556666:user/jane":    false,
		sts44 + "break-glass/xx":                 true,
		iam11 + "role/break-glass":               false, // nobody calls as that
		iam11 + "root":                           false,
		"arn:aws-cn:iam::111122223333:user/jane": false,
	} {
		if got := approvals.Admits(caller); got != want {
			t.Errorf("%s is admitted: %t", caller, got)
		}
	}
	if (settings.Approvals{}).Admits(iam11 + "user/jane") {
		t.Error("somebody is admitted although nobody is an approver")
	}
	odd := settings.Approvals{Approvers: []policy.ARN{{}, arn(iam11 + "root"), {Partition: "aws", Service: "iam", Account: "*", Resource: "*"}}}
	if odd.Admits(iam11+"user/jane") || odd.Admits(iam11+"root") {
		t.Error("an entry that is none admits somebody")
	}
}
