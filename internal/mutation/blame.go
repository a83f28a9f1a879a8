package mutation

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// blame is a finding that must be made: which document, whose side, and the causes any of which names the fault.
type blame struct {
	ref      snapshot.Ref
	side     diagnose.Side
	causes   []string
	severity diagnose.Severity
	hop      string // "" for what stands in the configuration, and for what leaves several hops open
	action   string // that the message must name, "" where the hop says enough
}

// lacks is the cause for each permission that a role's policies lack.
var lacks = map[string]string{
	"s3:GetReplicationConfiguration": "role-lacks-read-config", "s3:ListBucket": "role-lacks-read-config",
	"s3:GetObjectVersionForReplication": "role-lacks-read-object", "s3:GetObjectVersionAcl": "role-lacks-read-object",
	"s3:GetObjectVersionTagging": "role-lacks-read-tags", "s3:ReplicateObject": "role-lacks-replicate-object",
	"s3:ReplicateDelete": "role-lacks-replicate-delete", "s3:ObjectOwnerOverrideToBucketOwner": "role-lacks-owner-override",
	"s3:GetObjectRetention": "role-lacks-read-lock", "s3:GetObjectLegalHold": "role-lacks-read-lock",
}

// destinationLacks is the cause for each permission that a destination bucket's policy lacks.
var destinationLacks = map[string]string{
	"s3:ReplicateObject": "destination-policy-lacks-replicate-object", "s3:ReplicateDelete": "destination-policy-lacks-replicate-delete",
	"s3:ObjectOwnerOverrideToBucketOwner": "destination-policy-lacks-owner-override",
}

// silent is the cause when the document says nothing about the request.
func (p part) silent(q *route.Requirement) string {
	if ofConsumer(q) {
		return p.consumerLacks(q)
	}
	switch p.place {
	case rolePolicy:
		switch q.Hop {
		case route.DecryptSource:
			return "role-lacks-source-decrypt"
		case route.EncryptReplica:
			return "role-lacks-replica-encrypt"
		default:
			return lacks[q.Request.Action]
		}
	case keyPolicy, keyGrant:
		if q.Hop == route.DecryptSource {
			return "source-key-policy-lacks-decrypt"
		}
		return "replica-key-policy-lacks-encrypt"
	case bucketPolicy:
		if atDestination(q) {
			return destinationLacks[q.Request.Action]
		}
		return "source-bucket-policy-silent"
	case roleTrust:
		return "trust-lacks-s3"
	case boundary:
		return "permissions-boundary-silent"
	default:
		return "organization-policy-silent"
	}
}

// cause is the one cause that names the fault.
func (p part) cause(a answer) string {
	switch {
	case ofWriter(&a.Requirement):
		return "service-writer-denied"
	case a.outcome == authz.Unknown:
		return "document-unreadable"
	case a.outcome == authz.ExplicitDeny:
		return "explicit-deny"
	case p.place == scp, p.place == rcp, p.place == boundary, p.place == roleTrust:
		return p.silent(&a.Requirement)
	case ofConsumer(&a.Requirement) && a.Need == route.Conditional:
		return p.silent(&a.Requirement)
	case a.Need == route.Conditional && a.Hop == route.DecryptSource:
		return "source-key-context-disputed"
	case a.Need == route.Conditional:
		return "replica-key-actions-disputed"
	case a.Need == route.Advisory:
		return "replica-key-actions-advised"
	}
	statements := p.place == rolePolicy || p.place == keyPolicy || p.place == bucketPolicy
	if statements && a.Need == route.Required {
		switch p.element {
		case via:
			return "via-service-mismatch"
		case encContext:
			return "encryption-context-mismatch"
		case condition:
			return "condition-mismatch"
		case lookalike, deleted:
			return "principal-mismatch"
		default:
		}
	}
	return p.silent(&a.Requirement)
}

// blames is the findings any of which is the right one for a request that the part denies, among everything that is lost. A grant and a key policy are two
// ways into the same key across accounts, and Replimend edits policies only: either may be named.
func (p part) blames(a answer, all []answer) []blame {
	b := blame{side: p.place.side(&a.Requirement), causes: []string{p.cause(a)}, severity: severityOf(a, all), hop: a.Hop.String()}
	b.ref = p.place.ref(p.id, &a.Requirement)
	if ofWriter(&a.Requirement) {
		b.hop = ""
	}
	if a.outcome == authz.Unknown {
		b.hop, b.action = "", a.Request.Action // one finding names all that the document leaves open
	}
	out := []blame{b}
	if p.place == keyGrant {
		b.ref = keyPolicy.ref(p.id, &a.Requirement)
		out = append(out, b)
	}
	return out
}

func severityOf(a answer, all []answer) diagnose.Severity {
	switch {
	case ofWriter(&a.Requirement):
		return diagnose.Warning
	case a.Need == route.Advisory:
		return diagnose.Advice
	case a.outcome == authz.Unknown, a.Need == route.Required && !a.settled(all):
		return diagnose.Warning
	case a.Need == route.Required, a.Hop == route.WriteDeleteMarker:
		return diagnose.Fault
	default:
		return diagnose.Warning
	}
}

// verdictOf is what the route is while those requests are denied.
func verdictOf(all []answer) diagnose.Verdict {
	v := diagnose.Healthy
	for _, a := range all {
		is := diagnose.Degraded
		switch {
		case ofWriter(&a.Requirement):
		case a.Need == route.Advisory:
			continue
		case a.Need == route.Required && !a.settled(all):
			is = diagnose.Conditional
			if a.outcome == authz.Unknown && !a.someArrive(all) {
				is = diagnose.Unknown
			}
		case a.Need == route.Required && a.outcome == authz.Unknown:
			is = diagnose.Unknown
		case a.Need == route.Required:
			is = diagnose.Broken
		case a.Need == route.Conditional, deniedTags(a):
			is = diagnose.Conditional
		}
		if severityRank(is) > severityRank(v) {
			v = is
		}
	}
	return v
}

// deniedTags: AWS's pages allow both readings, that objects arrive without tags and that they fail.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-failure-codes.html
func deniedTags(a answer) bool {
	return a.Request.Action == "s3:ReplicateTags" && a.Need == route.DenyOnly
}

// curable says whether an edit may give the part what it lacks: only what is silent, and only documents that are Replimend's
// to edit. A source bucket's policy is edited by people, because a role of another account is not S3's set-up; and a document that
// names a deleted role AWS does not store again.
func (p part) curable(a answer) bool {
	if a.outcome != authz.ImplicitDeny || p.element == deleted || ofWriter(&a.Requirement) {
		return false
	}
	switch p.place {
	case rolePolicy, roleTrust, keyPolicy, keyGrant:
		return true
	case bucketPolicy:
		return atDestination(&a.Requirement) || ofConsumer(&a.Requirement)
	default:
		return false
	}
}

// matches says whether the finding names that fault.
func (b blame) matches(f diagnose.Finding) bool {
	return f.Document.Kind == b.ref.Kind && f.Document.ID == b.ref.ID && f.Severity == b.severity && slices.Contains(b.causes, f.Cause) &&
		(b.hop == "" || f.Hop == b.hop) && strings.Contains(f.Message, b.action)
}

// names says whether the finding is about that document, whatever it says.
func (b blame) names(f diagnose.Finding) bool {
	return f.Document.Kind == b.ref.Kind && f.Document.ID == b.ref.ID
}

func (b blame) String() string {
	s := string(b.severity) + " " + strings.Join(b.causes, " or ") + " of " + b.ref.String() + " (" + string(b.side) + ")"
	if b.hop != "" {
		s += " at " + b.hop
	}
	if b.action != "" {
		s += " for " + b.action
	}
	return s
}
