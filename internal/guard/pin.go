package guard

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// Pin is the approved route that a live route would be, in mode observe. It fails with everything that the snapshot does not
// say: a pin that is not known would pin nothing.
func Pin(r route.Route, s *snapshot.Snapshot) (settings.ApprovedRoute, error) {
	a, unknown := pins(r, s)
	if len(unknown) > 0 {
		return settings.ApprovedRoute{}, fmt.Errorf("pin route %s: %w", r, errors.New(strings.Join(unknown, "; ")))
	}
	return a, nil
}

// pins is every fact of a live route that an approval pins, and what of it the snapshot does not say.
func pins(r route.Route, s *snapshot.Snapshot) (a settings.ApprovedRoute, unknown []string) {
	missing := func(format string, args ...any) { unknown = append(unknown, fmt.Sprintf(format, args...)) }
	prefix, tags := r.Filter()
	a = settings.ApprovedRoute{
		Name:        routeName(r),
		Mode:        settings.Observe,
		Source:      settings.Bucket{Bucket: r.Source, Account: r.SourceAccount, Region: r.SourceRegion},
		Destination: settings.Bucket{Bucket: r.Destination, Account: r.DestinationAccount, Region: r.DestinationRegion},
		Rule: settings.Rule{
			ID: r.RuleID, Prefix: prefix, DeleteMarkers: r.ReplicatesDeleteMarkers(), OwnerOverride: r.OwnerOverride(),
			KMSObjects: new(r.SelectsKMS()), ReplicaModifications: new(replicaModifications(r)),
		},
		Role:       settings.Role{ARN: r.Role},
		ReplicaKey: r.ReplicaKey,
	}
	for _, t := range tags {
		if a.Rule.Tags == nil {
			a.Rule.Tags = make(map[string]string, len(tags))
		}
		a.Rule.Tags[t.Key] = t.Value
	}
	if r.DestinationAccount == "" {
		missing("the owner of the destination bucket %s is not known", r.Destination)
	}
	if r.ReplicaKeyText != "" && r.ReplicaKey.IsZero() {
		missing("the replica key %q cannot be resolved", r.ReplicaKeyText)
	}
	role, ok := s.Roles[r.Role].Get()
	if !ok || role.UniqueID == "" {
		missing("the unique id of role %q is not known", r.RoleText)
	}
	a.Role.UniqueID = role.UniqueID
	if role.Trust.State != snapshot.Present {
		missing("the trust policy of role %q is not known", r.RoleText)
	}
	a.Role.Trust = admitted(role.Trust.V)
	var complete bool
	if a.SourceKeys, complete = keysInUse(r, s); !complete {
		missing("the keys that objects of bucket %s are encrypted with are not all known", r.Source)
	}
	return a, unknown
}

// keysInUse is the keys of the objects that the rule covers: those of the samples and that of new objects. It is not complete
// when the encryption of the bucket or of a sample, or the key that one of them names, is not known.
func keysInUse(r route.Route, s *snapshot.Snapshot) (keys []policy.ARN, complete bool) {
	if c := r.Rule.SourceSelectionCriteria; c == nil || !c.SseKmsEncryptedObjects.On() {
		return nil, true // objects that are encrypted with KMS are not replicated
	}
	defaults := *s
	defaults.Objects = nil
	complete = true
	for _, p := range append(route.Populations(s, r, ""), route.Populations(&defaults, r, "")...) {
		switch {
		case p.DeleteMarker:
		case !p.EncryptionKnown:
			complete = false
		case !p.KMS():
		case p.Key.IsZero():
			complete = false
		case !slices.Contains(keys, p.Key):
			keys = append(keys, p.Key)
		}
	}
	slices.SortFunc(keys, func(a, b policy.ARN) int { return strings.Compare(a.String(), b.String()) })
	return keys, complete
}

// admitted is everybody whom a trust policy lets in, in the form of settings. An exclusion lets in everybody else.
func admitted(trust policy.Document) []string {
	var out []string
	for _, s := range trust.Statements {
		if s.Effect != policy.Allow || s.Principal == nil {
			continue
		}
		if s.Principal.Not {
			out = append(out, "AWS:*")
			continue
		}
		for _, p := range s.Principal.Values {
			out = append(out, trusted(p))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// trusted is a principal in the form of settings. An account is its id, whichever form the document uses.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func trusted(p policy.Principal) string {
	if p.Kind == policy.PrincipalService {
		return p.Value
	}
	if account := p.AccountOf(); account != "" {
		return p.Kind.String() + ":" + account
	}
	return p.Kind.String() + ":" + p.Value
}

// canonical is an entry of the settings in the form that trusted gives.
func canonical(who string) string {
	kind, value, ok := strings.Cut(who, ":")
	if k, err := policy.ParsePrincipalKind(kind); ok && err == nil {
		return trusted(policy.Principal{Kind: k, Value: value})
	}
	return who
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

func routeName(r route.Route) string {
	name := notInName.ReplaceAllString(strings.ToLower(r.Source+"-"+r.RuleID), "-")
	return strings.Trim(name[:min(len(name), 63)], "-")
}

// mismatch is one pin in which a live route differs from an approved one.
type mismatch struct{ pin, want, got string }

func (m mismatch) String() string { return fmt.Sprintf("%s: want %q, got %q", m.pin, m.want, m.got) }

// compare holds a live route against an approved one. Of keys and of who may assume the role the live route may have fewer:
// samples do not show every key, and a trust policy that lets in too few is a fault that can be repaired. The account that the
// rule itself names is a claim about the destination: it may be left out, not be another one.
func compare(want settings.ApprovedRoute, r route.Route, got settings.ApprovedRoute) []mismatch {
	var out []mismatch
	pin := func(name, w, g string) {
		if w != g {
			out = append(out, mismatch{name, w, g})
		}
	}
	bucket := func(name string, w, g settings.Bucket) {
		pin(name+" bucket", w.Bucket, g.Bucket)
		pin(name+" account", w.Account, g.Account)
		pin(name+" region", w.Region, g.Region)
	}
	bucket("source", want.Source, got.Source)
	bucket("destination", want.Destination, got.Destination)
	if claimed := r.Rule.Destination.Account; claimed != "" {
		pin("rule destination account", want.Destination.Account, claimed)
	}
	pin("rule id", want.Rule.ID, got.Rule.ID)
	pin("rule prefix", want.Rule.Prefix, got.Rule.Prefix)
	pin("rule tags", tagText(want.Rule.Tags), tagText(got.Rule.Tags))
	pin("rule delete markers", onOff(want.Rule.DeleteMarkers), onOff(got.Rule.DeleteMarkers))
	pin("rule owner override", onOff(want.Rule.OwnerOverride), onOff(got.Rule.OwnerOverride))
	optional := func(name string, w, g *bool) {
		if w != nil && g != nil {
			pin(name, onOff(*w), onOff(*g))
		}
	}
	optional("rule KMS objects", want.Rule.KMSObjects, got.Rule.KMSObjects)
	optional("rule replica modifications", want.Rule.ReplicaModifications, got.Rule.ReplicaModifications)
	pin("role arn", want.Role.ARN.String(), got.Role.ARN.String())
	pin("role unique id", want.Role.UniqueID, got.Role.UniqueID)
	trust := make([]string, len(want.Role.Trust))
	for i, who := range want.Role.Trust {
		trust[i] = canonical(who)
	}
	for _, who := range got.Role.Trust {
		if !slices.Contains(trust, who) {
			pin("role trust", strings.Join(trust, ", "), who)
		}
	}
	for _, key := range got.SourceKeys {
		if !slices.Contains(want.SourceKeys, key) {
			pin("source key", arns(want.SourceKeys), key.String())
		}
	}
	pin("replica key", want.ReplicaKey.String(), got.ReplicaKey.String())
	return out
}

// replicaModifications says whether the rule sends on what is changed on objects that are replicas themselves.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-for-metadata-changes.html
func replicaModifications(r route.Route) bool {
	c := r.Rule.SourceSelectionCriteria
	return c != nil && c.ReplicaModifications.On()
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func tagText(tags map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, fmt.Sprintf("%q=%q", k, tags[k]))
	}
	return strings.Join(out, " and ")
}

func arns(keys []policy.ARN) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.String()
	}
	return strings.Join(out, ", ")
}

// nearest is the approved route that a live route was meant to be: of those of the same bucket with the same rule or the same
// destination the one that differs least.
func nearest(r route.Route, live settings.ApprovedRoute, set *settings.Settings) *settings.ApprovedRoute {
	if set == nil {
		return nil
	}
	var best *settings.ApprovedRoute
	fewest := 0
	for _, a := range set.From(live.Source.Bucket) {
		if a.Rule.ID != live.Rule.ID && a.Destination.Bucket != live.Destination.Bucket {
			continue
		}
		if n := len(compare(a, r, live)); best == nil || n < fewest {
			best, fewest = &a, n
		}
	}
	return best
}

// Approval is the approved route that a live route is or was meant to be, and everything that speaks against taking it for that:
// nothing for one that is as it was approved. Without an approved route there is a reason and no name.
func Approval(r route.Route, s *snapshot.Snapshot, set *settings.Settings) (approved settings.ApprovedRoute, against []string) {
	q := newInquiry(r, s, set)
	if q.approved != nil {
		approved = *q.approved
	}
	for _, o := range approvedRoute.judge(q) {
		against = append(against, o.text)
	}
	return approved, against
}

// Differences is every pin in which a live route is known to differ from the approved route that it is or was meant to be, and
// whether there is such a one. What the snapshot does not say is no difference here; Approval counts it.
func Differences(r route.Route, s *snapshot.Snapshot, set *settings.Settings) (differ []string, approved bool) {
	q := newInquiry(r, s, set)
	if q.approved == nil {
		return nil, false
	}
	for _, m := range q.mismatches() {
		differ = append(differ, m.String())
	}
	return differ, true
}
