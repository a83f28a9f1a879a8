package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// documentUnreadable: a document that decides is not in the snapshot, or a condition tests a key that nobody can know.
// Nothing is planned on a guess.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
var documentUnreadable = Cause{
	Name:      "document-unreadable",
	Group:     OfWhatIsUnread,
	Summary:   "a document that decides is not known, or tests something that is not known",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.RoleTrust, snapshot.PermissionsBoundary, snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyGrant, snapshot.SCP, snapshot.RCP},
	Remedy:    patch.Manual,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.decision.Outcome != authz.Unknown {
			return Finding{}, false
		}
		ref := d.ref(e)
		if e.gone(ref) || e.gone(d.Resource) {
			return Finding{}, false // what is asked of a bucket or key that is gone needs no answer
		}
		if d.Request.ResourceAccount == "" && e.read(ref) {
			return Finding{}, false // the document is here; whose the bucket is is missing, and another cause says so
		}
		if d.Layers.Missing.Has(d.layer) {
			return e.notInSnapshot(d, ref), true
		}
		return e.hanging(d), true
	},
}

// hanging is one finding for a statement whose condition nobody can decide, however many requests it decides.
func (e *examination) hanging(d denial) Finding {
	keys, _ := d.decision.HangsOn()
	f, actions, needs := e.undecided(d, func(other denial) bool {
		same, _ := other.decision.HangsOn()
		return other.reason.Text == d.reason.Text && slices.Equal(same, keys)
	})
	hang := "hangs"
	if len(actions) > 1 {
		hang = "hang"
	}
	f.Message = fmt.Sprintf("%s %s on %s, %s: %s", strings.Join(actions, ", "), hang, strings.Join(keys, ", "), e.unknownBecause(keys), d.reason.Text)
	if !slices.ContainsFunc(needs, func(n route.Need) bool { return n != route.DenyOnly && n != route.Partial }) {
		f.Message += "; it is not certain whether replicas lose something, or fail"
	}
	return f
}

// undecided is the finding of a document at the first hop that it leaves open, with every action and need that it leaves open.
func (e *examination) undecided(d denial, same func(denial) bool) (f Finding, actions []string, needs []route.Need) {
	f = d.finding(e, "")
	for i := range e.asked {
		a := &e.asked[i]
		if a.decision.Outcome != authz.Unknown || !a.mayHurt() {
			continue
		}
		for _, other := range a.denials() {
			if other.ref(e) != f.Document || !same(other) {
				continue
			}
			if len(needs) == 0 {
				f.Hop = a.Hop.String()
			}
			needs = append(needs, a.Need)
			if !slices.Contains(actions, a.Request.Action) {
				actions = append(actions, a.Request.Action)
			}
		}
	}
	return f, actions, needs
}

// unknownBecause is what makes the keys unknown: the organization is a matter of the snapshot, the rest is of who asks.
func (e *examination) unknownBecause(keys []string) string {
	for _, k := range keys {
		if strings.HasSuffix(k, "orgid") || strings.HasSuffix(k, "orgpaths") {
			return "which is not known: the snapshot does not say which organization the account belongs to"
		}
	}
	if e.access != nil {
		return "which the request may carry with any value"
	}
	return "which S3 may send with any value"
}

// notInSnapshot is one finding for a document, however many requests cannot be decided without it.
func (e *examination) notInSnapshot(d denial, ref snapshot.Ref) Finding {
	f, actions, _ := e.undecided(d, func(other denial) bool { return other.Layers.Missing.Has(other.layer) })
	f.Message = fmt.Sprintf("%s is not in the snapshot, so that %s cannot be decided", ref, strings.Join(actions, ", "))
	if why := e.unreadable(ref); why != "" {
		f.Message += ": " + why
	}
	return f
}

// read says whether the snapshot has all of a document: of the role's, its policies, or of a bucket or key, its own.
func (e *examination) read(ref snapshot.Ref) bool {
	if ref.Kind == snapshot.RolePolicy {
		role, ok := e.w.Snapshot.Roles[e.subject.principal].Get()
		return ok && role.Inline.State != snapshot.Missing && role.Attached.State != snapshot.Missing
	}
	return e.document(ref).State != snapshot.Missing
}

// gone says whether the owner of the document does not exist: another cause says so, and nobody can supply the document.
func (e *examination) gone(ref snapshot.Ref) bool {
	s := e.w.Snapshot
	switch ref.Kind {
	case snapshot.UserPolicy, snapshot.RolePolicy, snapshot.RoleTrust, snapshot.PermissionsBoundary:
		if e.access != nil {
			return e.access.Known(s) != snapshot.Present // as a whole, which a finding of its own says
		}
		return s.Roles[e.subject.principal].State == snapshot.Absent
	case snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.BucketPolicy:
		return s.Buckets[ref.ID].State == snapshot.Absent
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyPolicy, snapshot.KeyGrant:
		arn, err := policy.ParseARN(ref.ID)
		return err == nil && s.Keys[arn].State == snapshot.Absent
	default:
		return false
	}
}

// unreadable is what the snapshot says of why a document is missing: of the document itself, or else of its owner.
func (e *examination) unreadable(ref snapshot.Ref) string {
	member := map[snapshot.Kind][]string{
		snapshot.RolePolicy: {"inline", "attached"}, snapshot.RoleTrust: {"trust"}, snapshot.PermissionsBoundary: {"boundary"},
		snapshot.SourceBucketPolicy: {"policy"}, snapshot.DestinationBucketPolicy: {"policy"},
		snapshot.UserPolicy: {"inline", "attached", "groups"}, snapshot.BucketPolicy: {"policy"}, snapshot.KeyPolicy: {"policy"},
		snapshot.SourceKeyPolicy: {"policy"}, snapshot.ReplicaKeyPolicy: {"policy"}, snapshot.KeyGrant: {"grants"},
	}[ref.Kind]
	owner := ""
	for _, path := range slices.Sorted(maps.Keys(e.w.Snapshot.Unreadable)) {
		_, rest, ok := strings.Cut(path, "."+ref.ID)
		name, isMember := strings.CutPrefix(rest, ".")
		switch {
		case !ok:
		case rest == "":
			owner = e.w.Snapshot.Unreadable[path]
		case isMember && slices.ContainsFunc(member, func(m string) bool { return name == m || strings.HasPrefix(name, m+".") }):
			return e.w.Snapshot.Unreadable[path]
		}
	}
	return owner
}
