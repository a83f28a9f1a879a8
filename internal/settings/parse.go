package settings

import (
	"fmt"
	"slices"

	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// Parse reads the file. The error is of type *Error and holds every fault; settings with a fault are not given out. Nothing in the error
// quotes what is a secret by its form.
func Parse(data []byte) (*Settings, error) { return parse(data, nil) }

// parse reads the file, and has what was read checked once more. Secrets are looked for where there is a check, and where something is
// wrong: a function that starts with settings that were checked when they were deployed need not do it again.
func parse(data []byte, check func(*reader, *Settings, jsontree.Node)) (*Settings, error) {
	n, faults := tree(data)
	var r reader
	var s *Settings
	if len(faults) == 0 {
		s = r.settings(n)
		if check != nil {
			check(&r, s, n)
		}
		faults = r.faults
	}
	if len(data) <= MaxSize && (check != nil || len(faults) > 0) {
		faults = withoutQuotes(revealed(string(data)), faults)
	}
	if len(faults) > 0 {
		return nil, newError(faults)
	}
	return s, nil
}

func (r *reader) settings(n jsontree.Node) *Settings {
	s := &Settings{Limits: DefaultLimits()}
	if !n.Present() {
		r.fault(n, "", "the file is empty")
		return s
	}
	r.object(
		n, "",
		member{"version", true, func(n jsontree.Node, path string) {
			if n.Kind != jsontree.Number || n.Text != "1" {
				r.fault(n, path, "unknown version: want %d", Version)
			}
			s.Version = Version
		}},
		member{"routes", true, r.list(func(n jsontree.Node, path string) { s.Routes = append(s.Routes, r.route(n, path)) })},
		member{"accounts", false, r.list(func(n jsontree.Node, path string) {
			var account string
			r.text(&account, checkAccount)(n, path)
			s.Accounts = append(s.Accounts, account)
		})},
		member{"protected", false, r.arns(&s.Protected, checkProtected)},
		member{"self", false, r.arns(&s.Self, checkSelf)},
		member{"members", false, r.list(func(n jsontree.Node, path string) { s.Members = append(s.Members, r.member(n, path)) })},
		member{"hub", false, func(n jsontree.Node, path string) { r.hub(&s.Hub, n, path) }},
		member{"organization", false, r.text(&s.Organization, checkOrganization)},
		member{"managementAccount", false, r.text(&s.ManagementAccount, checkAccount)},
		member{"limits", false, func(n jsontree.Node, path string) { r.limits(&s.Limits, n, path) }},
		member{"approvals", false, func(n jsontree.Node, path string) { r.approvals(&s.Approvals, n, path) }},
		member{"chat", false, func(n jsontree.Node, path string) { r.chat(&s.Chat, n, path) }},
	)
	r.unique(s.Routes, n.Get("routes"))
	r.uniqueMembers(s.Members, n.Get("members"))
	r.listed(s, n)
	return s
}

// The form of an external id: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (r *reader) member(n jsontree.Node, path string) Member {
	var m Member
	r.object(
		n, path,
		member{"account", true, r.text(&m.Account, checkAccount)},
		member{"regions", true, r.list(func(n jsontree.Node, path string) {
			var region string
			r.text(&region, checkRegion)(n, path)
			if slices.Contains(m.Regions, region) {
				r.fault(n, path, "the Region stands twice")
			}
			m.Regions = append(m.Regions, region)
		})},
		member{"externalId", false, r.text(&m.ExternalID, checkExternalID)},
	)
	if regions := n.Get("regions"); regions.Kind == jsontree.Array && len(regions.Items) == 0 {
		r.fault(regions, path+".regions", "the member has no Region")
	}
	return m
}

// uniqueMembers reports accounts that stand twice.
func (r *reader) uniqueMembers(members []Member, n jsontree.Node) {
	first := map[string]int{}
	for i, m := range members {
		k, twice := first[m.Account]
		if twice && m.Account != "" {
			r.fault(n.Items[i], jsontree.Index("members", i), "account %s is that of members[%d], too", m.Account, k)
			continue
		}
		first[m.Account] = i
	}
}

func (r *reader) limits(l *Limits, n jsontree.Node, path string) {
	r.object(
		n, path,
		member{"patchesPerRoutePerHour", false, r.number(&l.PatchesPerRoutePerHour, 0, 100)},
		member{"patchesPerAccountPerHour", false, r.number(&l.PatchesPerAccountPerHour, 0, 1000)},
		member{"failedCuresBeforeOpen", false, r.number(&l.FailedCuresBeforeOpen, 1, 10)},
		member{"removalsBeforeOpen", false, r.number(&l.RemovalsBeforeOpen, 1, 10)},
		member{"incidentHours", false, r.number(&l.IncidentHours, 1, 720)},
	)
}

func (r *reader) hub(h *Hub, n jsontree.Node, path string) {
	r.object(
		n, path,
		member{"account", true, r.text(&h.Account, checkAccount)},
		member{"region", true, r.text(&h.Region, checkRegion)},
		member{"logDays", false, func(n jsontree.Node, path string) {
			r.number(&h.LogDays, 1, 3653)(n, path)
			if h.LogDays != 0 && !slices.Contains(logDays, h.LogDays) {
				r.fault(n, path, "CloudWatch Logs keeps logs for one of %v days", logDays)
			}
		}},
		member{"alarmTopic", false, func(n jsontree.Node, path string) {
			r.arn(&h.AlarmTopic)(n, path)
			if a := h.AlarmTopic; !a.IsZero() && (a.Service != "sns" || a.Region != h.Region || !policy.IsAccountID(a.Account) || a.HasWildcard()) {
				r.fault(n, path, "%s is not the ARN of a topic in the hub's Region: alarms reach no other", clip(a.String()))
			}
		}},
	)
}

// logDays is the retention that CloudWatch Logs knows.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var logDays = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func (r *reader) approvals(a *Approvals, n jsontree.Node, path string) {
	r.object(
		n, path,
		member{"approvers", false, r.arns(&a.Approvers, checkApprover)},
		member{"namedSessions", false, r.arns(&a.NamedSessions, checkNamedSessions)},
		member{"hours", false, r.number(&a.Hours, 1, 72)},
		member{"twoForKeyPolicies", false, r.flag(&a.TwoForKeyPolicies)},
		member{"people", false, r.list(func(n jsontree.Node, path string) { a.People = append(a.People, r.identity(n, path)) })},
		member{"slack", false, r.slackApp(&a.Slack)},
		member{"page", false, r.page(&a.Page)},
	)
	r.identities(*a, n, path)
	// Found out now, and not when a key policy is to be mended at night.
	if a.TwoForKeyPolicies && !slices.ContainsFunc(a.Approvers, policy.ARN.IsZero) && !a.canBeTwo() {
		r.fault(n.Get("twoForKeyPolicies"), path+".twoForKeyPolicies", "there are not two people among approvers: no key policy could ever be mended")
	}
}

// route reads one route. Members are read first and compared after, so that a fault in one is reported beside the others.
func (r *reader) route(n jsontree.Node, path string) ApprovedRoute {
	a := ApprovedRoute{Mode: Observe}
	r.object(
		n, path,
		member{"name", true, r.text(&a.Name, checkName)},
		member{"mode", false, r.mode(&a.Mode)},
		member{"source", true, r.bucket(&a.Source)},
		member{"destination", true, r.bucket(&a.Destination)},
		member{"rule", true, func(n jsontree.Node, path string) { r.rule(&a.Rule, n, path) }},
		member{"role", true, func(n jsontree.Node, path string) { r.role(&a.Role, n, path) }},
		member{"sourceKeys", false, r.list(func(n jsontree.Node, path string) {
			var key policy.ARN
			r.arn(&key)(n, path)
			a.SourceKeys = append(a.SourceKeys, key)
		})},
		member{"replicaKey", false, r.arn(&a.ReplicaKey)},
		member{"allow", false, func(n jsontree.Node, path string) {
			r.object(
				n, path,
				member{"roleTrust", false, r.flag(&a.Allow.RoleTrust)},
				member{"noBoundary", false, r.flag(&a.Allow.NoBoundary)},
				member{"stackDrift", false, r.flag(&a.Allow.StackDrift)},
				member{"canary", false, r.flag(&a.Allow.Canary)},
			)
		}},
		member{"labels", false, r.labels(&a.Labels)},
	)
	r.consistent(a, n, path)
	return a
}

func (r *reader) report(n jsontree.Node, path, fault string) {
	if fault != "" {
		r.fault(n, path, "%s", fault)
	}
}

func (r *reader) mode(into *Mode) read {
	return func(n jsontree.Node, path string) {
		var text string
		r.text(&text, func(s string) string {
			m, err := ParseMode(s)
			if err != nil {
				return err.Error()
			}
			*into = m
			return ""
		})(n, path)
	}
}

func (r *reader) arn(into *policy.ARN) read {
	return func(n jsontree.Node, path string) {
		var text string
		r.text(&text, func(s string) string {
			a, err := policy.ParseARN(s)
			if err != nil {
				return err.Error()
			}
			*into = a
			return ""
		})(n, path)
	}
}

// arns reads a list of ARNs. check says what is wrong with one of them, "" for nothing.
func (r *reader) arns(into *[]policy.ARN, check func(policy.ARN) string) read {
	return r.list(func(n jsontree.Node, path string) {
		var a policy.ARN
		r.arn(&a)(n, path)
		if !a.IsZero() {
			r.report(n, path, check(a))
		}
		*into = append(*into, a)
	})
}

func (r *reader) bucket(b *Bucket) read {
	return func(n jsontree.Node, path string) {
		r.object(
			n, path,
			member{"bucket", true, r.text(&b.Bucket, nil)},
			member{"account", true, r.text(&b.Account, checkAccount)},
			member{"region", true, r.text(&b.Region, checkRegion)},
		)
		if name := n.Get("bucket"); name.Kind == jsontree.String {
			r.report(name, path+".bucket", checkBucket(name.Text, b.Region))
		}
	}
}

// The limits of a rule: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html
// The limits of object tags: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
func (r *reader) rule(rule *Rule, n jsontree.Node, path string) {
	r.object(
		n, path,
		member{"id", true, r.text(&rule.ID, func(s string) string {
			if s == "" {
				return "the rule's ID is empty"
			}
			return atMost("the rule's ID", 255)(s)
		})},
		member{"prefix", false, r.text(&rule.Prefix, atMost("the prefix", 1024))},
		member{"tags", false, func(n jsontree.Node, path string) {
			if n.Kind != jsontree.Object {
				r.fault(n, path, "want names and values, this is %s", n.Kind)
				return
			}
			for _, f := range n.Fields {
				var value string
				at := jsontree.Join(path, clip(f.Name))
				r.text(&value, atMost("the tag's value", 1024))(f.Value, at)
				r.report(f.Value, at, atMost("the tag's key", 512)(f.Name))
				if rule.Tags == nil {
					rule.Tags = make(map[string]string, len(n.Fields))
				}
				rule.Tags[f.Name] = value
			}
		}},
		member{"deleteMarkers", false, r.flag(&rule.DeleteMarkers)},
		member{"ownerOverride", false, r.flag(&rule.OwnerOverride)},
		member{"kmsObjects", false, r.optional(&rule.KMSObjects)},
		member{"replicaModifications", false, r.optional(&rule.ReplicaModifications)},
	)
}

func (r *reader) role(role *Role, n jsontree.Node, path string) {
	r.object(
		n, path,
		member{"arn", true, r.arn(&role.ARN)},
		member{"uniqueId", true, r.text(&role.UniqueID, checkUniqueID)},
		member{"trust", true, r.list(func(n jsontree.Node, path string) {
			var who string
			r.text(&who, checkTrusted)(n, path)
			role.Trust = append(role.Trust, who)
		})},
	)
}

// consistent compares the members of a route with each other. Members that have a fault of their own are empty here.
func (r *reader) consistent(a ApprovedRoute, n jsontree.Node, path string) {
	role := n.Get("role")
	if !a.Role.ARN.IsZero() {
		r.report(role.Get("arn"), path+".role.arn", checkRole(a.Role.ARN, a.Source.Account))
	}
	if trust := role.Get("trust"); trust.Kind == jsontree.Array && len(trust.Items) == 0 {
		r.fault(trust, path+".role.trust", "nobody may assume the role: want at least s3.amazonaws.com")
	}
	keys := n.Get("sourceKeys").Items
	seen := map[policy.ARN]bool{}
	for i, key := range a.SourceKeys {
		if key.IsZero() {
			continue
		}
		at := jsontree.Index(path+".sourceKeys", i)
		r.report(keys[i], at, checkKey(key, a.Source.Region))
		if seen[key] {
			r.fault(keys[i], at, "the key stands twice")
		}
		seen[key] = true
	}
	if !a.ReplicaKey.IsZero() {
		r.report(n.Get("replicaKey"), path+".replicaKey", checkKey(a.ReplicaKey, a.Destination.Region))
	}
	if a.Source.Bucket != "" && a.Source.Bucket == a.Destination.Bucket {
		r.fault(n.Get("destination"), path+".destination", "a bucket does not replicate to itself")
	}
	for _, key := range append([]policy.ARN{a.ReplicaKey}, a.SourceKeys...) {
		if !key.IsZero() && !a.Role.ARN.IsZero() && key.Partition != a.Role.ARN.Partition {
			r.fault(n, path, "%s and %s are of different partitions", clip(key.String()), clip(a.Role.ARN.String()))
		}
	}
}

// listed reports routes of accounts that the file itself does not list.
func (r *reader) listed(s *Settings, n jsontree.Node) {
	if len(s.Accounts) == 0 {
		return
	}
	for i, a := range s.Routes {
		for _, side := range []struct{ name, account string }{{"source", a.Source.Account}, {"destination", a.Destination.Account}} {
			if side.account != "" && !slices.Contains(s.Accounts, side.account) {
				at := n.Get("routes").Items[i].Get(side.name).Get("account")
				r.fault(at, jsontree.Index("routes", i)+"."+side.name+".account", "account %s is not one of accounts", side.account)
			}
		}
	}
}

// unique reports names and rules that stand twice: which of the two is meant must never be a question.
func (r *reader) unique(routes []ApprovedRoute, n jsontree.Node) {
	first := map[string]int{}
	once := func(i int, what string) {
		k, twice := first[what]
		if twice {
			r.fault(n.Items[i], jsontree.Index("routes", i), "%s is that of routes[%d], too", what, k)
			return
		}
		first[what] = i
	}
	for i, a := range routes {
		if a.Name != "" {
			once(i, fmt.Sprintf("name %q", a.Name))
		}
		if a.Rule.ID != "" && a.Source.Bucket != "" && a.Destination.Bucket != "" {
			once(i, fmt.Sprintf("rule %q from bucket %q to %q", a.Rule.ID, a.Source.Bucket, a.Destination.Bucket))
		}
	}
}
