package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// blame turns a requirement that is not met into findings: one for each document that would have to change.
func (e *examination) blame(a *asked) {
	switch {
	case a.decision.Outcome == authz.Allowed,
		a.Need == route.DenyOnly && a.decision.Outcome == authz.ImplicitDeny,
		a.decision.Outcome == authz.Unknown && !a.mayHurt(),
		a.Hop == route.EncryptReplica && e.elsewhereThanReplicas(a.Request.Resource):
		return // nobody lacks a permission for a key that no permission can make work
	}
	var found []Finding
	for _, d := range a.denials() {
		if f, ok := e.recognise(d); ok {
			found = append(found, f)
		}
	}
	// While one document that no edit may change denies, a grant in another one would widen access and help nobody.
	if slices.ContainsFunc(found, func(f Finding) bool { return !cures(f) }) {
		for i := range found {
			found[i].Grants, found[i].Conditions = nil, nil
		}
	}
	e.specify(a, found)
	e.add(found...)
}

// recognise is the finding of the first cause that knows the denial.
func (e *examination) recognise(d denial) (Finding, bool) {
	for i := range catalogue {
		if catalogue[i].Recognise == nil {
			continue
		}
		if f, ok := catalogue[i].Recognise(e, d); ok {
			f.Cause = catalogue[i].Name
			return f, true
		}
	}
	return Finding{}, false
}

// denials is the layers at fault, each with the statement that denies or comes nearest.
func (a *asked) denials() []denial {
	var out []denial
	add := func(layer authz.Layer) {
		d := denial{asked: a, layer: layer, reason: authz.Reason{Layer: layer, Index: -1}}
		for _, r := range a.expl.Reasons {
			if r.Layer == layer {
				d.reason = r
				break
			}
		}
		out = append(out, d)
	}
	switch a.decision.Outcome {
	case authz.ExplicitDeny:
		for _, r := range a.expl.Reasons {
			out = append(out, denial{asked: a, layer: r.Layer, reason: r})
		}
	case authz.Unknown:
		for _, layer := range layers {
			if a.decision.Deciding.Has(layer) && (layer != authz.LayerGrant || !a.Layers.Missing.Has(authz.LayerResource)) {
				add(layer)
			}
		}
	case authz.ImplicitDeny:
		for _, layer := range a.toChange() {
			add(layer)
		}
	}
	return out
}

var layers = []authz.Layer{
	authz.LayerRCP, authz.LayerSCP, authz.LayerResource, authz.LayerGrant, authz.LayerIdentity, authz.LayerBoundary,
	authz.LayerSession, authz.LayerEndpoint,
}

// toChange is the smallest set of silent layers that have to allow. Inside one account a key policy that names the role needs
// no identity policy, and a key policy that delegates needs nothing but one: either way one document changes.
func (a *asked) toChange() []authz.Layer {
	lacking := a.expl.Lacking
	if a.Request.Principal.Account == a.Request.ResourceAccount && lacking.Has(authz.LayerResource) && lacking.Has(authz.LayerIdentity) {
		lacking &^= authz.SetOf(authz.LayerIdentity)
	}
	var out []authz.Layer
	for _, layer := range layers {
		if lacking.Has(layer) {
			out = append(out, layer)
		}
	}
	return out
}

// ref is the document of the denial's layer.
func (d denial) ref(e *examination) snapshot.Ref {
	switch d.layer {
	case authz.LayerIdentity:
		return d.Identity
	case authz.LayerBoundary:
		ref := snapshot.Ref{Kind: snapshot.PermissionsBoundary, ID: e.subject.text}
		if b, ok := e.boundary().Get(); ok {
			ref.ID = b.ARN
		}
		return ref
	case authz.LayerSCP:
		return snapshot.Ref{Kind: snapshot.SCP, ID: e.subject.principal.Account}
	case authz.LayerRCP:
		return snapshot.Ref{Kind: snapshot.RCP, ID: d.Request.ResourceAccount}
	case authz.LayerGrant:
		return snapshot.Ref{Kind: snapshot.KeyGrant, ID: d.Resource.ID}
	default:
		return d.Resource
	}
}

// side is whose document it is. Everything of the role is the source's; the destination bucket and the replica's key are
// the destination's, also inside one account.
func (d denial) side() Side {
	resourceAtDestination := d.Resource.Kind == snapshot.DestinationBucketPolicy || d.Resource.Kind == snapshot.ReplicaKeyPolicy
	ofAccess := d.Resource.Kind == snapshot.BucketPolicy || d.Resource.Kind == snapshot.KeyPolicy
	switch d.layer {
	case authz.LayerResource, authz.LayerGrant, authz.LayerRCP:
		switch {
		case ofAccess:
			return ResourceSide
		case resourceAtDestination:
			return DestinationSide
		}
	default:
	}
	if ofAccess {
		return PrincipalSide
	}
	return SourceSide
}

// severity is how much the denial matters.
func (d denial) severity() Severity {
	switch {
	case d.Need == route.Advisory:
		return Advice
	case d.decision.Outcome == authz.Unknown:
		return Warning
	case d.leading:
		return Fault
	case d.Need == route.Required, d.Hop == route.WriteDeleteMarker:
		return Fault // S3 reports a delete marker that it may not write as a failure
	default:
		return Warning
	}
}

// finding is what every cause says about a denial; causes change what is special.
func (d denial) finding(e *examination, message string) Finding {
	return Finding{
		Side: d.side(), Document: d.ref(e), Hop: d.Hop.String(), Severity: d.severity(), Evidence: d.Evidence, Remedy: patch.Manual, Message: message,
		Observed: d.observed,
	}
}

// cured is the finding with the grant that cures it.
func (d denial) cured(e *examination, message string) Finding {
	f := d.finding(e, message)
	f.Grants, f.Conditions = e.grant(d)
	switch {
	case len(f.Grants) == 0:
		f.Remedy = patch.Manual
	case e.access != nil, f.Document.Kind == snapshot.RoleTrust || d.hearsay() || d.Need == route.Conditional && !e.certainFault(f.Document):
		f.Remedy = patch.Approval
	default:
		f.Remedy = patch.Automatic
	}
	return f
}

// hearsay says whether it is asked only because somebody else said so: a hint, or the reason of an event that names a lock.
func (d denial) hearsay() bool {
	return d.raised || d.Hop == route.LockReplica && d.Evidence == route.Disputed
}

// certainFault says whether something is certainly missing in that very document. Then what the pages dispute is granted along
// with it; where the dispute alone would have a document edited, a person decides.
func (e *examination) certainFault(document snapshot.Ref) bool {
	for i := range e.asked {
		a := &e.asked[i]
		if a.raised || a.Need != route.Required || a.decision.Outcome != authz.ImplicitDeny {
			continue
		}
		for _, d := range a.denials() {
			if d.ref(e) == document {
				return true
			}
		}
	}
	return false
}

// subject names the document as people do.
func (d denial) subject(e *examination) string {
	ref := d.ref(e)
	switch ref.Kind {
	case snapshot.RolePolicy:
		return "no policy of role " + ref.ID
	case snapshot.UserPolicy:
		return "no policy of user " + ref.ID + " or its groups"
	case snapshot.RoleTrust:
		return "the trust policy of role " + ref.ID
	case snapshot.SourceBucketPolicy, snapshot.DestinationBucketPolicy, snapshot.BucketPolicy:
		return "the policy of bucket " + ref.ID
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyPolicy:
		return "the policy of key " + ref.ID
	default:
		return "the " + string(ref.Kind) + " " + ref.ID
	}
}

// lacks is the sentence of a silent document.
func (d denial) lacks(e *examination) string {
	verb := "does not allow"
	who := ""
	if d.layer == authz.LayerIdentity {
		verb = "allows"
	} else if d.Hop != route.AssumeRole {
		who = " " + e.subject.String()
	}
	s := fmt.Sprintf("%s %s%s %s on %s", d.subject(e), verb, who, d.Request.Action, d.Request.Resource)
	if d.nearMiss(e) {
		s += fmt.Sprintf("; statement %s of %s comes nearest and %s", d.reason.Statement, d.reason.Document, d.reason.Text)
	}
	return s + d.otherPartition() + d.grantsNear() + d.withoutOverride(e) + d.doubt()
}

// nearMiss says whether the nearest statement is worth a word: one with a wrong condition, for a lookalike of the resource
// (an alias, the bucket itself for its objects) or of the principal. A statement about something else is not.
func (d denial) nearMiss(e *examination) bool {
	m := d.reason.Miss
	if m == nil || d.reason.Statement == "" {
		return false
	}
	about := func(word string) bool {
		return word != "" && slices.ContainsFunc(m.Want, func(w string) bool { return strings.Contains(w, word) })
	}
	switch m.Element {
	case "Condition":
		return true
	case "Resource":
		bucket, _, _ := strings.Cut(d.Request.Resource.Resource, "/")
		return about(":alias/") || d.Request.Resource.Service == "s3" && about(bucket)
	case "Principal":
		return about(e.subject.principal.Name())
	default:
		return false
	}
}

// doubt is what is not certain, and what rests on the word of others.
func (d denial) doubt() string {
	text := d.said()
	switch {
	case d.leading:
		text = ""
	case d.observed != "" && d.Evidence == route.Disputed:
		text = disputed + ", but CloudTrail recorded at " + d.observed + " that KMS denied S3 this very call"
	case d.observed != "":
		text += ". Observed in CloudTrail at " + d.observed + ": KMS denied S3 this very call"
	}
	return text + d.why
}

// disputed is said of what AWS's pages disagree on.
const disputed = ". AWS's pages disagree on whether S3 needs this here"

// said says out loud what is not certain.
func (d denial) said() string {
	switch {
	case d.Need == route.Conditional && d.Evidence == route.Inferred:
		return ". That kms:ViaService ends in .amazonaws.com.cn in China is deduced, written on no page of AWS"
	case d.Need == route.Conditional && d.Evidence == route.Documented && d.Hop == route.LockReplica:
		return ". S3 needs this if the source bucket has Object Lock, which is not in the snapshot"
	case d.Need == route.Conditional && d.Evidence == route.Documented:
		return ". Only uploads in parts need it, as clients send large objects"
	case d.Need == route.Conditional:
		return disputed
	case d.Need == route.Advisory:
		return ". One AWS page lists it; a reported test replicated without it"
	case d.Need == route.Partial && d.Hop == route.WriteTags:
		return ". One AWS page says that objects arrive without their tags then, another one has a failure reason for it, SrcGetTaggingNotPermitted"
	case d.Need == route.Partial:
		return ". Objects arrive without it, but something of them is lost"
	default:
		return ""
	}
}

// grantsNear is which grants of a key name the role and still do not allow: another operation, or a constraint. A retired grant
// is not listed at all.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html
func (d denial) grantsNear() string {
	s := ""
	for i := range d.Layers.Grants {
		g := &d.Layers.Grants[i]
		if g.Grantee != d.Request.Principal.Issuer.String() {
			continue
		}
		_, operation, _ := strings.Cut(d.Request.Action, ":")
		if !slices.Contains(g.Operations, operation) {
			s += fmt.Sprintf("; grant %s to the role is for %s only", g.ID, strings.Join(g.Operations, ", "))
			continue
		}
		sent, _ := d.Request.Context.Values("kms:EncryptionContext:aws:s3:arn")
		s += fmt.Sprintf("; grant %s to the role has constraints that do not hold where S3 sends the encryption context aws:s3:arn %s", g.ID, strings.Join(sent, " or "))
	}
	return s
}

// lacksCause is a cause that is a silent layer for certain actions.
func lacksCause(name, summary string, kind snapshot.Kind, actions ...string) Cause {
	side, group := SourceSide, OfTheRole
	switch kind {
	case snapshot.DestinationBucketPolicy:
		side, group = DestinationSide, OfBuckets
	case snapshot.ReplicaKeyPolicy:
		side, group = DestinationSide, OfKeys
	case snapshot.SourceKeyPolicy:
		group = OfKeys
	}
	return Cause{Name: name, Group: group, Summary: summary, Side: side, Documents: []snapshot.Kind{kind}, Remedy: patch.Automatic, Recognise: func(e *examination, d denial) (Finding, bool) {
		if d.decision.Outcome != authz.ImplicitDeny || d.ref(e).Kind != kind {
			return Finding{}, false
		}
		for _, action := range actions {
			if d.Request.Action == action {
				return d.cured(e, d.lacks(e)), true
			}
		}
		return Finding{}, false
	}}
}

// silent says whether a document of one of those kinds does not allow that action, and none denies it.
func (d denial) silent(e *examination, action string, kinds []snapshot.Kind) bool {
	return d.decision.Outcome == authz.ImplicitDeny && d.Request.Action == action && slices.Contains(kinds, d.ref(e).Kind)
}

// mismatch says whether the nearest statement fails on a condition key that the predicate knows.
func (d denial) mismatch(is func(key string) bool) bool {
	m := d.reason.Miss
	return d.decision.Outcome == authz.ImplicitDeny && m != nil && m.Element == "Condition" && !m.Unknown && is(strings.ToLower(m.Key)) &&
		(d.layer == authz.LayerIdentity || d.layer == authz.LayerResource)
}

// neverMatches is the sentence of a statement that is there and cannot match.
func (d denial) neverMatches(why string) string {
	m := d.reason.Miss
	got := strings.Join(m.Got, " or ")
	if got == "" {
		got = "no such key"
	}
	why += ofNetwork(m.Key)
	can := "can never match"
	if d.Evidence == route.Inferred {
		can = "may never match"
	}
	sent := "S3 sends"
	if d.Resource.Kind == snapshot.BucketPolicy {
		sent = "the request has"
	}
	return fmt.Sprintf("statement %s of %s allows %s, but its condition %s: %s %s wants %s, %s %s%s%s",
		d.reason.Statement, d.reason.Document, d.Request.Action, can, m.Operator, m.Key, strings.Join(m.Want, " or "), sent, got, why, d.doubt())
}

// grant is what cures the denial: exact tuples for the rule's whole scope, and the conditions that pin them. No tuples mean
// that no edit may cure it.
func (e *examination) grant(d denial) ([]patch.Tuple, []policy.Condition) {
	who := e.subject.text
	action := d.Request.Action
	switch d.Resource.Kind {
	case snapshot.RoleTrust:
		return []patch.Tuple{{"s3.amazonaws.com", action, who}}, nil
	case snapshot.SourceBucketPolicy:
		if d.layer == authz.LayerResource {
			return nil, nil // it has to allow only a role of another account, which is not S3's set-up: a person decides
		}
		return []patch.Tuple{{who, action, e.resource(d)}}, nil
	case snapshot.DestinationBucketPolicy, snapshot.BucketPolicy:
		return []patch.Tuple{{who, action, e.resource(d)}}, nil
	case snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy, snapshot.KeyPolicy:
		if k, ok := e.w.Snapshot.Keys[d.Request.Resource].Get(); ok && k.Manager == "AWS" && d.layer == authz.LayerResource {
			return nil, nil // the policies of AWS managed keys cannot be changed
		}
		bucket := e.subject.bucketOf(d.Resource.Kind)
		via, _ := d.Request.Context.Values("kms:ViaService")
		// Both forms of the context, so that switching a Bucket Key on or off does not break the route again.
		arns := []string{policy.BucketARN(e.subject.partition, bucket).String(), e.subject.objects(bucket)}
		return []patch.Tuple{{who, action, d.Request.Resource.String()}}, []policy.Condition{
			{Operator: policy.StringEquals, Key: "kms:ViaService", Values: via},
			{Operator: policy.StringLike, Key: "kms:EncryptionContext:aws:s3:arn", Values: arns},
		}
	default:
		return nil, nil
	}
}

// resource is the bucket that the request names, or every object in the scope.
func (e *examination) resource(d denial) string {
	if strings.Contains(d.Request.Resource.Resource, "/") {
		return e.subject.objects(d.Resource.ID)
	}
	return d.Request.Resource.String()
}
