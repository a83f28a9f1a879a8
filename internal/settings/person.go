package settings

import (
	"regexp"
	"strings"

	"github.com/replimend/replimend/internal/policy"
)

// Person is who answers for what principals do. Principals of one Person are one human being, or cannot be told apart from one. The zero
// Person is nobody: there is no human being of whom anything is known.
type Person string

// Person is who stands behind a caller, by the ARN that AWS says its credentials have.
//
// A user and a session that is named after whoever has it are the person of that name, in whichever account: an administrator is one
// person with two permission sets, and as a user who assumes a role besides. Every session of another role is the same person: whoever
// assumes a role chooses the name of the session. Root, federated users, services and what cannot be read are nobody.
//
// Names are compared without their case. IAM tells no two users or roles of an account apart by it, and two people whose names differ in
// nothing else are taken for one.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
func (a Approvals) Person(principal string) Person {
	c, ok := readCaller(principal)
	switch {
	case !ok || c.kind == "role": // of a role alone nobody knows who had it
		return ""
	case c.kind == "user":
		return c.person("name", c.name)
	case a.named(c):
		return c.person("name", c.session)
	}
	return c.person("role", c.account+"/"+c.name)
}

// Admits says whether a caller is one of those who may answer.
func (a Approvals) Admits(principal string) bool {
	c, ok := readCaller(principal)
	return ok && c.kind != "role" && c.among(a.Approvers)
}

// permissionSet is the name of a role that IAM Identity Center made for a permission set. It names the sessions after its users. The path
// of such a role, aws-reserved/sso.amazonaws.com, is not in the ARN of a session.
// https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
var permissionSet = regexp.MustCompile(`^AWSReservedSSO_.+_[0-9a-f]{16}$`)

// named says whether the session of a role is named after who has it.
func (a Approvals) named(c caller) bool {
	return permissionSet.MatchString(c.name) || c.among(a.NamedSessions)
}

// canBeTwo says whether there can be two people among the approvers. That there cannot is certain: of whatever an entry leaves open, two
// examples are tried.
func (a Approvals) canBeTwo() bool {
	people := map[Person]bool{}
	for _, e := range a.Approvers {
		for _, account := range examples(e.Account, "000000000000", "000000000001") {
			for _, name := range examples(e.Name(), "a", "b") {
				if !strings.HasPrefix(e.Resource, "role/") {
					user := policy.ARN{Partition: e.Partition, Service: "iam", Account: account, Resource: "user/" + name}
					people[a.Person(user.String())] = true
					continue
				}
				for _, session := range []string{"/aa", "/bb"} {
					had := policy.ARN{Partition: e.Partition, Service: "sts", Account: account, Resource: "assumed-role/" + name + session}
					people[a.Person(had.String())] = true
				}
			}
		}
	}
	delete(people, "")
	return len(people) > 1
}

// examples is the text, or two that a star in it can stand for.
func examples(text, one, other string) []string {
	if !strings.Contains(text, "*") {
		return []string{text}
	}
	return []string{strings.ReplaceAll(text, "*", one), strings.ReplaceAll(text, "*", other)}
}

// caller is an ARN of credentials, taken apart.
type caller struct {
	partition, account string
	kind               string // user, role or session
	path, name         string // of the user or role; that of a session has no path
	session            string
}

func (c caller) person(kind, name string) Person {
	return Person(kind + ":" + c.partition + ":" + strings.ToLower(name))
}

var partitionPattern = regexp.MustCompile(`^aws(-[a-z]+)*$`)

// readCaller takes the ARN of a user, a role or a session apart; false: it is that of something else.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
func readCaller(principal string) (caller, bool) {
	arn, err := policy.ParseARN(principal)
	if err != nil || !partitionPattern.MatchString(arn.Partition) || arn.Region != "" || !policy.IsAccountID(arn.Account) {
		return caller{}, false
	}
	c := caller{partition: arn.Partition, account: arn.Account}
	switch arn.Service {
	case "iam":
		var ok bool
		c.kind, c.path, c.name, ok = identity(arn.Resource)
		return c, ok
	case "sts": // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
		kind, rest, _ := strings.Cut(arn.Resource, "/")
		c.kind = "session"
		c.name, c.session, _ = strings.Cut(rest, "/")
		return c, kind == "assumed-role" && within(c.name, 1, longestName, ofNames) && within(c.session, 2, longestName, ofNames)
	}
	return caller{}, false
}

// among says whether one of the entries means the caller. The path of a session's role is not known, so that there the name of the role
// decides: no account has two roles of one name.
func (c caller) among(entries []policy.ARN) bool {
	for _, e := range entries {
		kind, rest, _ := strings.Cut(e.Resource, "/")
		path := strings.TrimSuffix(rest, e.Name())
		if e.Partition == c.partition && policy.Star(e.Account, c.account) && policy.Star(e.Name(), c.name) &&
			(kind == "user" && c.kind == "user" && path == c.path || kind == "role" && c.kind != "user") {
			return true
		}
	}
	return false
}
