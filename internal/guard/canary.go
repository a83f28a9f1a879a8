package guard

import (
	"fmt"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// canaryRule is the name under which verdicts say what speaks against a canary.
const canaryRule = "canary"

// CheckCanary judges whether an object of Replimend may be written to prove a cure of an incident, and gives that object. The route
// must be the approved one, in every pin, and have opted in; the rule must cover the key for certain, and no other rule may; the object must
// be like those that fail, and it must be possible to remove it from both buckets. Asked says that a person approved the cure: in
// mode approve nothing is written without.
func CheckCanary(r route.Route, s *snapshot.Snapshot, set *settings.Settings, id string, asked bool) (incident.Canary, Verdict) {
	v := Verdict{Decision: Allow, Reasons: []Reason{}}
	q := newInquiry(r, s, set)
	v.add(approvedRoute.Name, approvedRoute.judge(q))
	if q.approved == nil {
		return incident.Canary{}, v
	}
	a, r := *q.approved, q.route
	c := incident.Canary{
		Incident: id, Route: incident.Route{Source: r.Source, Rule: r.RuleID, Destination: r.Destination},
		Account: a.Source.Account, Region: a.Source.Region, Key: a.CanaryKey(id), Tags: a.Rule.Tags,
	}
	if !a.Allow.Canary {
		v.add(canaryRule, []objection{refuse("route %s does not opt in (allow.canary)", a.Name)})
	}
	for _, o := range mode.judge(q) {
		if o.decision == Refuse || !asked {
			v.add(mode.Name, []objection{refuse("%s", o.text)})
		}
	}
	v.add(canaryRule, q.covered(c))
	v.add(canaryRule, q.likeTheOthers())
	v.add(canaryRule, q.removable())
	return c, v
}

// covered: the rule takes the object for certain, and it goes nowhere else, where nobody would remove it.
func (q *inquiry) covered(c incident.Canary) []objection {
	var out []objection
	tags := c.Tags
	if tags == nil {
		tags = map[string]string{}
	}
	if covers, certain := q.route.Covers(c.Key, tags); !covers || !certain {
		out = append(out, refuse("it is not certain that rule %q covers a key under %s", q.route.RuleID, settings.CanaryPrefix))
	}
	for _, other := range route.Routes(q.snapshot) {
		if other.Source != q.route.Source || other.RuleID == q.route.RuleID && other.Destination == q.route.Destination {
			continue
		}
		if covers, certain := other.Covers(c.Key, tags); covers || !certain {
			out = append(out, refuse("rule %q to %s may take the object, too", other.RuleID, other.Destination))
		}
	}
	return out
}

// likeTheOthers: S3 replicates the object as it would those that fail. It is encrypted with the bucket's default, and says nothing of
// objects under another key, or with another encryption context.
func (q *inquiry) likeTheOthers() []objection {
	bare := *q.snapshot
	bare.Objects = nil
	own := route.Populations(&bare, q.route, "")[0]
	switch {
	case !own.EncryptionKnown || own.KMS() && own.Key.IsZero():
		return []objection{refuse("how bucket %s would encrypt it is not known", q.route.Source)}
	case own.KMS() && !q.route.SelectsKMS():
		return []objection{refuse("bucket %s would encrypt it with KMS, and rule %q skips such objects", q.route.Source, q.route.RuleID)}
	}
	var out []objection
	for _, key := range q.approved.SourceKeys {
		if key != own.Key {
			out = append(out, refuse("it would say nothing of objects under %s, which the bucket's default encryption does not use", key))
		}
	}
	for _, p := range route.NewWorld(q.snapshot).Judged(&q.route, "") {
		if !p.DeleteMarker && (p.Encryption != own.Encryption || p.Key != own.Key || p.BucketKey != own.BucketKey) {
			out = append(out, refuse("it would say nothing of %s", p.Text))
		}
	}
	return out
}

// removable: a version under retention cannot be deleted before its time, and a bucket can have a default retention for every new
// one. A replica without retention of its own gets that of its bucket.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
func (q *inquiry) removable() []objection {
	var out []objection
	for _, name := range []string{q.route.Source, q.route.Destination} {
		b := q.snapshot.Buckets[name].V
		switch lock := b.ObjectLock; {
		case lock.State == snapshot.Missing:
			out = append(out, refuse("whether bucket %s has Object Lock is not known: perhaps it could not be removed", name))
		case lock.V.Rule != nil && lock.V.Rule.DefaultRetention != nil:
			out = append(out, refuse("bucket %s has Object Lock with a default retention%s: it could not be removed", name, retention(lock.V)))
		}
		if b.Versioning.V != "Enabled" {
			out = append(out, refuse("versioning of bucket %s is not enabled, so that there is no version to remove", name))
		}
	}
	return out
}

// retention is " (COMPLIANCE, 30 days)".
func retention(l snapshot.ObjectLock) string {
	d := l.Rule.DefaultRetention
	if d.Years > 0 {
		return fmt.Sprintf(" (%s, %d years)", d.Mode, d.Years)
	}
	return fmt.Sprintf(" (%s, %d days)", d.Mode, d.Days)
}
