package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/signal"
)

// heard is everything that was handed to Diagnose beside the snapshot, and which of it some route is about.
type heard struct {
	signals                  []signal.Signal
	denials                  []signal.Denial
	signalsUsed, denialsUsed []bool
}

// told is what is said of one route. None of it is trusted: it chooses what is asked, among what the live configuration of the
// route names, and is held against the answers. It never brings in a principal, a key or a bucket.
type told struct {
	failures []signal.Signal // one for each reason
	denials  []signal.Denial
}

// of is what concerns the route.
func (h *heard) of(w *route.World, r route.Route) told {
	var t told
	for i, sig := range h.signals {
		if !concerns(r, sig) {
			continue
		}
		h.signalsUsed[i] = true
		same := func(o signal.Signal) bool { return o.Reason == sig.Reason }
		if sig.Kind == signal.Failed && !slices.ContainsFunc(t.failures, same) {
			t.failures = append(t.failures, sig)
		}
	}
	for i, d := range h.denials {
		if d.Account == r.Role.Account && d.Role == r.Role.Name() && speaksOf(w, r, d) {
			h.denialsUsed[i] = true
			t.denials = append(t.denials, d)
		}
	}
	return t
}

// concerns says whether a signal is about the route.
func concerns(r route.Route, sig signal.Signal) bool {
	a, err := policy.ParseARN(sig.Destination)
	return sig.Bucket == r.Source && sig.Rule == r.RuleID && (err != nil || a.Resource == r.Destination)
}

// speaksOf says whether the route's own configuration names the key of a denied call, for objects in its scope.
func speaksOf(w *route.World, r route.Route, d signal.Denial) bool {
	source := slices.ContainsFunc(w.Judged(&r, ""), func(p route.Population) bool { return p.KMS() && p.Key.String() == d.Key })
	_, byDefault, _, _ := r.DefaultKey(w.Snapshot)
	destination := r.ReplicaKey.String() == d.Key || byDefault.String() == d.Key
	bucket, key, isObject := contextOf(d.Context)
	if isObject {
		if covers, certain := r.Covers(key, nil); !covers && certain {
			return false
		}
	}
	switch bucket {
	case "":
		return source || destination
	case r.Source:
		return source
	case r.Destination:
		return destination
	default:
		return false
	}
}

// contextOf takes the ARN of an encryption context apart.
func contextOf(arn string) (bucket, key string, isObject bool) {
	a, _ := policy.ParseARN(arn)
	return cutObject(a.Resource)
}

func cutObject(resource string) (bucket, key string, isObject bool) {
	return strings.Cut(resource, "/")
}

// populations is the kinds of objects that denied calls show beside those that are known: S3 sends the bucket's ARN as the
// context of objects with an S3 Bucket Key, and the object's own for others.
func (t *told) populations(known []route.Population, r route.Route) []route.Population {
	var out []route.Population
	for _, d := range t.denials {
		bucket, key, isObject := contextOf(d.Context)
		i := slices.IndexFunc(known, func(p route.Population) bool { return p.Encryption == route.SSEKMS && p.Key.String() == d.Key })
		if d.Action != "kms:Decrypt" || bucket != r.Source || i < 0 {
			continue
		}
		alike := func(p route.Population) bool { return p.Key == known[i].Key && p.BucketKey == !isObject }
		if slices.ContainsFunc(known, alike) || slices.ContainsFunc(out, alike) {
			continue
		}
		p := known[i]
		p.BucketKey, p.Failed = !isObject, true
		with := "with"
		if isObject {
			p.ObjectKey, with = key, "without"
		}
		p.Text = fmt.Sprintf("objects under %s %s an S3 Bucket Key, as a record of CloudTrail of %s shows", p.KeyText, with, stamp(d.Time))
		out = append(out, p)
	}
	return out
}

// compared is where the documents stand that a hint blames.
type compared struct {
	denied, allowed, unknown []string // the actions, or the causes
}

func (c *compared) add(a *asked) {
	to := &c.allowed
	switch denied, certain := a.hurts(); {
	case denied && certain:
		to = &c.denied
	case a.decision.Outcome == authz.Unknown && a.Need != route.Advisory:
		to = &c.unknown
	}
	if !slices.Contains(*to, a.Request.Action) {
		*to = append(*to, a.Request.Action)
	}
}

// verdict is what stands in Hint.Agrees.
func (c *compared) verdict() *bool {
	switch {
	case len(c.denied) > 0:
		return yes()
	case len(c.unknown) > 0:
		return nil
	default:
		return no()
	}
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// since compares the time of what was reported with the snapshot's, as far as both are known.
func (e *examination) since(what string, at time.Time) string {
	taken, err := time.ParseInLocation(time.RFC3339, e.w.Snapshot.TakenAt, time.UTC)
	switch {
	case err != nil || at.IsZero():
		return "a document that was changed between " + what + " and the snapshot"
	case at.After(taken):
		return fmt.Sprintf("a document that was changed after the snapshot was taken: it is of %s, and %s of %s", stamp(taken), what, stamp(at))
	default:
		return fmt.Sprintf("a document that was changed between %s at %s and the snapshot at %s", what, stamp(at), stamp(taken))
	}
}
