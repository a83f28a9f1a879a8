package awscloud

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
)

// maxConcurrent bounds the calls that wait for answers at the same time, of one Accounts.
const maxConcurrent = 64

// Access is how to get into accounts.
type Access struct {
	// Base has the credentials of whoever runs: a function's role, or a person's default. It assumes the roles of members, and
	// reads what belongs to an account that nothing else leads into.
	Base aws.Config
	// Direct has credentials that are of an account already, by account id: a person's profiles. They come before a member's
	// reader role.
	Direct map[string]aws.Config
	// Members are the accounts that have Replimend's roles.
	Members []settings.Member
}

// Accounts opens sessions in accounts, each for one purpose and no other. It can be used by many goroutines.
type Accounts struct {
	access Access

	mu      sync.Mutex
	readers map[string]aws.Config // by account
}

// NewAccounts makes no call.
func NewAccounts(a Access) *Accounts {
	return &Accounts{access: a, readers: map[string]aws.Config{}}
}

// Known is the accounts that there is a way into, sorted.
func (a *Accounts) Known() []string {
	known := map[string]bool{}
	for account := range a.access.Direct {
		known[account] = true
	}
	for _, m := range a.access.Members {
		known[m.Account] = true
	}
	return slices.Sorted(maps.Keys(known))
}

// Reader has the credentials that read documents of an account, in a Region of its partition. Without a way into the account, or
// with an account that is not known, it is the base: then the other account's policies decide what it may see.
func (a *Accounts) Reader(account, region string) aws.Config {
	a.mu.Lock()
	defer a.mu.Unlock()
	cfg, ok := a.readers[account]
	if !ok {
		cfg = a.reader(account, region)
		a.readers[account] = cfg
	}
	return in(cfg, region)
}

func (a *Accounts) reader(account, region string) aws.Config {
	if direct, ok := a.access.Direct[account]; ok {
		return direct
	}
	if m, ok := a.member(account); ok {
		return a.assume(m, settings.Reader, region, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "replimend"
			o.SourceIdentity = aws.String(robot)
		})
	}
	return a.access.Base
}

// Purpose is what a narrowed session is for.
type Purpose struct {
	Role settings.MemberRole
	// Policy is the session policy, as JSON. The session may do what both it and the role's policies allow.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
	Policy string
	// Incident names the session, so that CloudTrail shows why it was opened.
	Incident string
	// Approver is the ARN of who approved; "" for nobody. It becomes the source identity.
	Approver string
}

// Narrowed is a session of 15 minutes, the shortest that STS gives, that may do no more than the purpose says. An account that is no
// member has no role to narrow: there the credentials that a person has for the account are used as they are, and there are none
// for a function.
func (a *Accounts) Narrowed(account, region string, p Purpose) (aws.Config, error) {
	m, ok := a.member(account)
	if !ok {
		if direct, ok := a.access.Direct[account]; ok {
			return in(direct, region), nil
		}
		return aws.Config{}, fmt.Errorf("account %s is no member, and no credentials lead into it", account)
	}
	return a.assume(m, p.Role, region, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = SourceIdentity(p.Incident)
		o.SourceIdentity = aws.String(SourceIdentity(p.Approver))
		o.Duration = 15 * time.Minute
		if p.Policy != "" {
			o.Policy = aws.String(p.Policy)
		}
	}), nil
}

func (a *Accounts) member(account string) (settings.Member, bool) {
	return (&settings.Settings{Members: a.access.Members}).Member(account)
}

func (a *Accounts) assume(m settings.Member, role settings.MemberRole, region string, set func(*stscreds.AssumeRoleOptions)) aws.Config {
	cfg := in(a.access.Base, region)
	client := sts.NewFromConfig(cfg)
	arn := role.ARN(policy.Partition(region), m.Account).String()
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(client, arn, func(o *stscreds.AssumeRoleOptions) {
		if m.ExternalID != "" {
			o.ExternalID = aws.String(m.ExternalID)
		}
		set(o)
	}))
	return cfg
}

func in(cfg aws.Config, region string) aws.Config {
	cfg = cfg.Copy()
	if region != "" {
		cfg.Region = region
	}
	return cfg
}

// robot is the source identity of what nobody approved.
const robot = "replimend"

// notInIdentity is what neither a source identity nor the name of a session may have.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var notInIdentity = regexp.MustCompile(`[^A-Za-z0-9_+=,.@-]+`)

// SourceIdentity is what an ARN or another name becomes in CloudTrail: of an ARN what tells people apart, which is its account and
// what follows it. It has at most 64 characters; of a longer one the end is kept.
func SourceIdentity(name string) string {
	if parts := strings.SplitN(name, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		name = parts[4] + "-" + parts[5]
	}
	name = strings.Trim(notInIdentity.ReplaceAllString(name, "-"), "-")
	if len(name) < 2 {
		return robot
	}
	return strings.TrimLeft(name[max(0, len(name)-64):], "-")
}

// s3Client addresses buckets by path where the endpoint is not S3's own: an emulator has one host name, and no bucket is before it.
func s3Client(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
}
