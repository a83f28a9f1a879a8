package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// documentUnreadable: a document that decides is not in the snapshot, or a condition tests a key that nobody can know.
// Nothing is planned on a guess.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
var documentUnreadable = Cause{
	Name:      "document-unreadable",
	Summary:   "a document that decides is not known, or tests something that is not known",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.RoleTrust, snapshot.PermissionsBoundary, snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyGrant, snapshot.SCP, snapshot.RCP},
	Remedy:    patch.Manual,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.decision.Outcome != authz.Unknown {
			return Finding{}, false
		}
		ref := d.ref(e)
		if e.gone(ref) {
			return Finding{}, false
		}
		if d.Layers.Missing.Has(d.layer) {
			message := fmt.Sprintf("%s is not in the snapshot, so that %s on %s cannot be decided", ref, d.Request.Action, d.Request.Resource)
			if why := e.unreadable(ref); why != "" {
				message += ": " + why
			}
			return d.finding(e, message), true
		}
		keys, _ := d.decision.HangsOn()
		sender := "S3 may send"
		if e.access != nil {
			sender = "the request may carry"
		}
		return d.finding(e, fmt.Sprintf("%s on %s hangs on %s, which %s with any value: %s", d.Request.Action, d.Request.Resource,
			strings.Join(keys, ", "), sender, d.reason.Text)), true
	},
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
