package diagnose

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// accessNotKnown: what every answer about an access hangs on is not known. A policy that names sessions of the role
// decides by the name of the session, which the ARN of the role leaves open.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-role-session
var accessNotKnown = Cause{
	Name:      "access-not-known",
	Group:     OfAccesses,
	Summary:   "what decides an access is not in the snapshot: the principal, the bucket, its encryption, the key, or the name of the session",
	Documents: []snapshot.Kind{snapshot.RolePolicy, snapshot.UserPolicy, snapshot.BucketConfig, snapshot.KeyState, snapshot.BucketPolicy, snapshot.KeyPolicy},
	Remedy:    patch.Manual,
	InspectAccess: func(e *examination) []Finding {
		var out []Finding
		unknown := func(document snapshot.Ref, format string, args ...any) {
			out = append(out, accessFinding("access-not-known", ResourceSide, document, Unknown, route.Documented, fmt.Sprintf(format, args...)))
		}
		if e.access.Known(e.w.Snapshot) == snapshot.Missing {
			f := accessFinding("access-not-known", PrincipalSide, e.policies(), Unknown, route.Documented,
				fmt.Sprintf("%s is not in the snapshot, so that nothing is proposed for it", e.subject))
			out = append(out, f)
		}
		switch b := e.bucket(); {
		case b.State == snapshot.Missing:
			unknown(e.bucketConfig(), "bucket %s is not in the snapshot", e.access.Bucket)
		case b.State == snapshot.Present && b.V.Account == "":
			unknown(e.bucketConfig(), "the owner of bucket %s is not in the snapshot", e.access.Bucket)
		}
		for _, p := range e.populations {
			switch k, ok := e.w.Snapshot.Keys[p.Key].Get(); {
			case e.bucket().State == snapshot.Absent:
			case !p.EncryptionKnown:
				unknown(e.bucketConfig(), "the encryption of the objects of bucket %s is not in the snapshot", e.access.Bucket)
			case p.KMS() && p.Key.IsZero() && !e.keyOfCaller(p) && !isS3Alias(p.KeyText):
				unknown(e.bucketConfig(), "no key of the snapshot answers to %s, under which the objects of bucket %s are encrypted", cmp.Or(p.KeyText, "an empty kmsKeyId"), e.access.Bucket)
			case p.KMS() && p.Key.IsZero() && !e.access.CrossAccount():
				unknown(e.bucketConfig(), "the AWS managed key of S3 in account %s is not in the snapshot", e.access.Account)
			case ok && k.State == "":
				unknown(snapshot.Ref{Kind: snapshot.KeyState, ID: p.Key.String()}, "the state of key %s is not in the snapshot", p.Key)
			}
		}
		return append(out, e.sessionsNamed()...)
	},
}

// sessionsNamed is the policies that let a session of the role do what the role may not, or the other way round, while nobody
// said which session asks.
func (e *examination) sessionsNamed() []Finding {
	var out []Finding
	for i := range e.asked {
		if a := &e.asked[i]; a.session != "" {
			out = append(out, accessFinding("access-not-known", ResourceSide, a.Resource, Unknown, route.Documented,
				fmt.Sprintf("%s decides on %s by the session of the role, and names %s: ask about that session by its ARN", a.Resource, a.Request.Action, a.session)))
		}
	}
	return out
}

// bySession is a session of the role for which a request would be decided otherwise than for the role, "" without one.
func (e *examination) bySession(a *asked, layers *authz.Layers) string {
	if e.access.Noun != "role" || e.access.Session != "" {
		return ""
	}
	p := e.access.Principal
	prefix := fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/", p.Partition, p.Account, p.Name())
	for _, s := range e.document(a.Resource).V.Statements {
		if s.Principal == nil {
			continue
		}
		for _, named := range s.Principal.Values {
			name, ok := strings.CutPrefix(named.Value, prefix)
			if !ok {
				continue
			}
			q := a.Request
			q.Principal = authz.SessionOf(p, name, q.Principal.UniqueID)
			if authz.Decide(&q, layers).Outcome != a.decision.Outcome {
				return named.Value
			}
		}
	}
	return ""
}
