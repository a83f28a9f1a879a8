package settings

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/replimend/replimend/internal/policy"
)

// pattern is what texts of at most that many bytes match. Lengths are no part of the expressions: package regexp writes out a
// counted repetition, so that {1,128} is as many copies of its class, and compiling those was a third of a function's cold start.
type pattern struct {
	expression *regexp.Regexp
	longest    int
}

func (p pattern) matches(s string) bool { return len(s) <= p.longest && p.expression.MatchString(s) }

var (
	namePattern = pattern{regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`), 63}
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
	bucketPattern = pattern{regexp.MustCompile(`^[a-z0-9][a-z0-9.-]+[a-z0-9]$`), 63}
	// The rules of buckets that were made in us-east-1 before March 2018.
	oldBucketPattern = pattern{regexp.MustCompile(`^[A-Za-z0-9._-]{3}[A-Za-z0-9._-]*$`), 255}
	regionPattern    = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-[0-9]+$`)
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
	uniqueIDPattern = pattern{regexp.MustCompile(`^AROA[A-Z0-9]+$`), 128}
	rolePath        = regexp.MustCompile(`^role/([!-~]+/)?$`)
	roleName        = pattern{regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]+$`), 64}
	keyPattern      = pattern{regexp.MustCompile(`^key/[A-Za-z0-9-]+$`), len("key/") + 64}
	servicePattern  = regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$`)
)

var externalIDPattern = pattern{regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]{2}[A-Za-z0-9_+=,.@:/-]*$`), 1224}

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
var organizationPattern = regexp.MustCompile(`^o-[a-z0-9]+$`)

func checkOrganization(s string) string {
	if n := len(s) - len("o-"); n < 10 || n > 32 || !organizationPattern.MatchString(s) {
		return fmt.Sprintf("invalid organization %q: want an id such as o-a1b2c3d4e5", clip(s))
	}
	return ""
}

func checkExternalID(s string) string {
	if !externalIDPattern.matches(s) {
		return fmt.Sprintf("invalid external id %q: want 2 to 1224 letters, digits and _+=,.@:/-", clip(s))
	}
	return ""
}

func checkName(s string) string {
	if !namePattern.matches(s) {
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

// checkBucket checks a name by the rules of its Region.
func checkBucket(s, region string) string {
	if region == "us-east-1" && oldBucketPattern.matches(s) {
		return ""
	}
	_, err := netip.ParseAddr(s)
	if !bucketPattern.matches(s) || strings.Contains(s, "..") || err == nil {
		return fmt.Sprintf("invalid bucket name %q", clip(s))
	}
	return ""
}

func checkUniqueID(s string) string {
	if !uniqueIDPattern.matches(s) {
		return fmt.Sprintf("invalid unique id %q: want the role's RoleId, which starts with AROA", clip(s))
	}
	return ""
}

// checkTrusted checks one entry of who may assume the role.
func checkTrusted(s string) string {
	if servicePattern.MatchString(s) {
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

// isRole says whether the resource of an ARN is a role, with its path.
func isRole(resource string) bool {
	name := strings.LastIndexByte(resource, '/') + 1
	return rolePath.MatchString(resource[:name]) && roleName.matches(resource[name:])
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
	case !keyPattern.matches(a.Resource):
		return fmt.Sprintf("%s is not the ARN of a key", clip(a.String()))
	case region != "" && a.Region != region:
		return fmt.Sprintf("the key is in %s: want %s, where its bucket is", a.Region, region)
	}
	return ""
}
