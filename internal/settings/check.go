package settings

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/replimend/replimend/internal/policy"
)

// Sets of characters. What is no more than a set and a length is checked without package regexp: compiling a dozen expressions was a
// third of a function's cold start, and written out repetitions such as {1,128} more than that.
const (
	digits   = "0123456789"
	lower    = "abcdefghijklmnopqrstuvwxyz"
	upper    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	alphabet = lower + upper + digits
	ofNames  = alphabet + "_+=,.@-" // of users, roles and sessions
)

// longestName is how long the name of a user, a role or a session is at most.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const longestName = 64

// within says whether a text has from least to most bytes, all of the set.
func within(s string, least, most int, set string) bool {
	return least <= len(s) && len(s) <= most && strings.Trim(s, set) == ""
}

var regionPattern = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]+$`)

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
func checkOrganization(s string) string {
	if id, ok := strings.CutPrefix(s, "o-"); !ok || !within(id, 10, 32, lower+digits) {
		return fmt.Sprintf("invalid organization %q: want an id such as o-a1b2c3d4e5", clip(s))
	}
	return ""
}

func checkExternalID(s string) string {
	if !within(s, 2, 1224, ofNames+":/") {
		return fmt.Sprintf("invalid external id %q: want 2 to 1224 letters, digits and _+=,.@:/-", clip(s))
	}
	return ""
}

func checkName(s string) string {
	if !within(s, 1, 63, lower+digits+"-") || s[0] == '-' {
		return fmt.Sprintf("invalid name %q: want at most 63 small letters, digits and hyphens", clip(s))
	}
	return ""
}

func checkAccount(s string) string {
	if !policy.IsAccountID(s) {
		return fmt.Sprintf("invalid account id %q: want 12 digits", clip(s))
	}
	return ""
}

func checkRegion(s string) string {
	if !regionPattern.MatchString(s) {
		return fmt.Sprintf("invalid Region %q: want one like us-east-1", clip(s))
	}
	return ""
}

// checkBucket checks a name by the rules of its Region. Those of buckets that were made in us-east-1 before March 2018 are older.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func checkBucket(s, region string) string {
	if region == "us-east-1" && within(s, 3, 255, alphabet+"._-") {
		return ""
	}
	_, err := netip.ParseAddr(s)
	if !within(s, 3, 63, lower+digits+".-") || strings.Trim(s, ".-") != s || strings.Contains(s, "..") || err == nil {
		return fmt.Sprintf("invalid bucket name %q", clip(s))
	}
	return ""
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func checkUniqueID(s string) string {
	if id, ok := strings.CutPrefix(s, "AROA"); !ok || !within(id, 1, 124, upper+digits) {
		return fmt.Sprintf("invalid unique id %q: want the role's RoleId, which starts with AROA", clip(s))
	}
	return ""
}

// checkTrusted checks one entry of who may assume the role.
func checkTrusted(s string) string {
	if name, ok := strings.CutSuffix(strings.TrimSuffix(s, ".cn"), ".amazonaws.com"); ok && within(name, 1, len(s), lower+digits+".-") {
		return ""
	}
	kind, value, _ := strings.Cut(s, ":")
	if k, err := policy.ParsePrincipalKind(kind); err == nil && k != policy.PrincipalService && value != "" {
		if value == "*" {
			return "anybody may assume this role: such a route cannot be approved"
		}
		return ""
	}
	return fmt.Sprintf("invalid principal %q: want a service principal such as s3.amazonaws.com, or AWS:…, Federated:… or CanonicalUser:…", clip(s))
}

func atMost(what string, n int) func(string) string {
	return func(s string) string {
		if len(s) > n {
			return fmt.Sprintf("%s has %d bytes, the limit is %d", what, len(s), n)
		}
		return ""
	}
}

// isKey says whether the resource of an ARN is a key.
func isKey(resource string) bool {
	id, ok := strings.CutPrefix(resource, "key/")
	return ok && within(id, 1, 64, alphabet+"-")
}

// identity takes the resource of an ARN apart that is a user or role, with a path or without; false: it is neither.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-friendly-names
func identity(resource string) (kind, path, name string, ok bool) {
	kind, rest, _ := strings.Cut(resource, "/")
	at := strings.LastIndexByte(rest, '/') + 1
	path, name = rest[:at], rest[at:]
	printable := !strings.ContainsFunc(path, func(r rune) bool { return r < '!' || r > '~' })
	return kind, path, name, (kind == "user" || kind == "role") && path != "/" && printable && within(name, 1, longestName, ofNames)
}

// isRole says whether the resource of an ARN is a role, with its path.
func isRole(resource string) bool {
	kind, _, _, ok := identity(resource)
	return ok && kind == "role"
}

// checkRole checks that an ARN is that of a role, of that account where one is given.
func checkRole(a policy.ARN, account string) string {
	switch {
	case a.Service != "iam" || a.Region != "" || !policy.IsAccountID(a.Account) || !isRole(a.Resource):
		return fmt.Sprintf("%s is not the ARN of a role", clip(a.String()))
	case a.HasWildcard():
		return "the ARN has a wildcard"
	case account != "" && a.Account != account:
		return fmt.Sprintf("the role belongs to account %s: want %s, the source's", a.Account, account)
	}
	return ""
}

// Who may stand in protected: roles and users by name, of one account or of every one, and root.
var protectedPattern = regexp.MustCompile(`^(role/|user/)[A-Za-z0-9_+=,.@/-]+[*]?$|^root$`)

func checkProtected(a policy.ARN) string {
	if a.Service != "iam" || a.Region != "" || a.Account != "*" && !policy.IsAccountID(a.Account) || !protectedPattern.MatchString(a.Resource) {
		return fmt.Sprintf("%s is not the ARN of a role, a user or root: a star stands for the account or at the end of a name", clip(a.String()))
	}
	return ""
}

// checkApprover takes what checkProtected takes, without root: an answer of root names nobody.
func checkApprover(a policy.ARN) string {
	if fault := checkProtected(a); fault != "" || a.Resource == "root" {
		return fmt.Sprintf("%s is not the ARN of a role or a user: a star stands for the account or at the end of a name", clip(a.String()))
	}
	return checkRoleName(a)
}

// checkRoleName refuses a role that has no name but a path. The ARN of a session does not say under which path its role is, so that such
// an entry would mean every role.
func checkRoleName(a policy.ARN) string {
	if strings.HasPrefix(a.Resource, "role/") && a.Name() == "*" {
		return fmt.Sprintf("%s would mean every role, because the ARN of a session does not have the path: want at least the beginning of a name", clip(a.String()))
	}
	return ""
}

func checkNamedSessions(a policy.ARN) string {
	if fault := checkRoleName(a); fault != "" {
		return fault
	}
	if fault := checkApprover(a); fault != "" || !strings.HasPrefix(a.Resource, "role/") {
		return fmt.Sprintf("%s is not the ARN of a role: a star stands for the account or at the end of a name", clip(a.String()))
	}
	return ""
}

func checkSelf(a policy.ARN) string {
	switch {
	case a.Service == "iam" && strings.HasPrefix(a.Resource, "role/"), a.Service == "kms" && strings.HasPrefix(a.Resource, "key/"),
		a.Service == "s3" && !strings.Contains(a.Resource, "/"):
		return ""
	}
	return fmt.Sprintf("%s is not the ARN of a role, a key or a bucket", clip(a.String()))
}

// checkKey checks that an ARN is that of a key, of that Region where one is given.
func checkKey(a policy.ARN, region string) string {
	switch {
	case a.Service != "kms" || !policy.IsAccountID(a.Account):
		return fmt.Sprintf("%s is not the ARN of a key", clip(a.String()))
	case strings.HasPrefix(a.Resource, "alias/"):
		return "an alias can be pointed at another key: want the ARN of the key itself"
	case !isKey(a.Resource):
		return fmt.Sprintf("%s is not the ARN of a key", clip(a.String()))
	case region != "" && a.Region != region:
		return fmt.Sprintf("the key is in %s: want %s, where its bucket is", a.Region, region)
	}
	return ""
}
