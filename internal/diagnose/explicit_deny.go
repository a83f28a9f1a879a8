package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// explicitDeny: a Deny applies. Somebody wrote it, and no edit here removes or weakens one.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html
var explicitDeny = Cause{
	Name:      "explicit-deny",
	Group:     OfConditions,
	Summary:   "a Deny statement applies; removing it is for its owner",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.RoleTrust, snapshot.PermissionsBoundary, snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.SCP, snapshot.RCP},
	Remedy:    patch.Manual,
	Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.decision.Outcome != authz.ExplicitDeny {
			return Finding{}, false
		}
		f := d.finding(e, fmt.Sprintf("statement %s of %s denies %s on %s: only its owner may change it%s",
			d.reason.Statement, d.reason.Document, d.Request.Action, d.Request.Resource, d.deniedBy()))
		if d.Need == route.DenyOnly {
			f.Evidence = route.Disputed
			f.Message += ". AWS's pages allow both readings: that this is the owner's choice and objects arrive without tags, and that they fail with DstPutTaggingNotPermitted"
		}
		if d.Evidence == route.Inferred {
			f.Message += d.said()
		}
		return f, true
	},
}

// deniedBy is which conditions of the Deny hold, with what S3 sends, and why nobody's network settings can change that.
func (d denial) deniedBy() string {
	if d.reason.Index < 0 {
		return ""
	}
	s := ""
	for _, c := range d.conditions() {
		got, _ := d.Request.Context.Values(c.Key)
		s += fmt.Sprintf("; %s %s [%s] holds, S3 sends %s", c.OperatorText(), c.Key, strings.Join(c.Values, ", "), cmp.Or(strings.Join(got, " or "), "no such key"))
		s += ofNetwork(c.Key)
	}
	return s
}

// conditions is the conditions of the denying statement.
func (d denial) conditions() []policy.Condition {
	for _, p := range d.documents() {
		if p.Label == d.reason.Document && d.reason.Index < len(p.Document.Statements) {
			return p.Document.Statements[d.reason.Index].Conditions
		}
	}
	return nil
}

// documents is every compiled document of the denial's layer.
func (d denial) documents() []*authz.Policy {
	switch d.layer {
	case authz.LayerResource:
		return []*authz.Policy{d.Layers.Resource}
	case authz.LayerIdentity:
		return d.Layers.Identity
	case authz.LayerBoundary:
		return d.Layers.Boundary
	case authz.LayerSCP:
		return slices.Concat(d.Layers.SCPs...)
	case authz.LayerRCP:
		return slices.Concat(d.Layers.RCPs...)
	default:
		return nil
	}
}

// ofNetwork explains conditions on where a request comes from, which replication can never meet.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-troubleshoot.html
func ofNetwork(key string) string {
	switch strings.ToLower(key) {
	case "aws:sourcevpce", "aws:sourcevpc", "aws:sourceip", "aws:vpcsourceip", "s3:dataaccesspointarn", "s3:dataaccesspointaccount":
		return " (replication is S3's own traffic: it comes through no VPC endpoint, from no address and by no access point of yours)"
	default:
		return ""
	}
}
