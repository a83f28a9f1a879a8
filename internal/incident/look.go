package incident

import (
	"encoding/json"
	"slices"
	"time"
)

// Look is a route as it was at one time, for people who look at the incident: what the picture of it is drawn from. Nothing is decided by
// it. It names no object, and whoever makes one takes the keys of objects out of its texts.
type Look struct {
	// When it was looked at.
	At time.Time `json:"at"`
	// What the route was: healthy, degraded, conditional, broken or unknown. Absent: nobody asks whether it works, because nobody
	// approved it.
	Verdict string `json:"verdict,omitempty"`
	// Where objects are, and where their replicas are to be.
	Source      Place `json:"source"`
	Destination Place `json:"destination"`
	// The ARN of the role that S3 assumes, or what the configuration has in its place.
	Role string `json:"role,omitempty"`
	// ARNs of the KMS keys that objects of the source are encrypted with, as far as one was asked for; at most 8.
	SourceKeys []string `json:"sourceKeys,omitempty"`
	// The ARN of the KMS key that replicas are encrypted with, or what the configuration has in its place; absent: none.
	ReplicaKey string `json:"replicaKey,omitempty"`
	// What S3 does for a replication, in its order.
	Hops []Hop `json:"hops,omitempty"`
	// The causes, the gravest first.
	Findings []Finding `json:"findings,omitempty"`
	// What speaks against a cure, or against doing it unasked.
	Against []Argument `json:"against,omitempty"`
	// How many findings, requests and reasons were left out for lack of room.
	LeftOut int `json:"leftOut,omitempty"`
}

// Place is a bucket.
type Place struct {
	Bucket string `json:"bucket"`
	// The id of the account that owns it; absent: not known.
	Account string `json:"account,omitempty"`
	// The Region that it is in; absent: not known.
	Region string `json:"region,omitempty"`
}

// Hop is one step of S3.
type Hop struct {
	// Such as decrypt-source.
	Name string `json:"name"`
	// Whether all that it asks for is allowed: allowed, denied or unknown.
	Verdict string `json:"verdict"`
	// How many requests are allowed.
	Allowed int `json:"allowed"`
	// The statement that allows the first of those.
	By *Decider `json:"by,omitempty"`
	// The requests that are not allowed for certain.
	Others []Request `json:"others,omitempty"`
}

// Request is one that is not allowed for certain.
type Request struct {
	// The ARN of who asks.
	Principal string `json:"principal"`
	// Such as kms:Decrypt.
	Action string `json:"action"`
	// The ARN of what it is asked for.
	Resource string `json:"resource"`
	// Such as implicit_deny.
	Decision string `json:"decision"`
	// How sure it is that S3 makes the request: documented, disputed or inferred.
	Evidence string `json:"evidence,omitempty"`
	// What its denial means: required, conditional, partial, deny-only or advisory.
	Need string `json:"need,omitempty"`
	// The statements that decide, or come nearest.
	By []Decider `json:"by,omitempty"`
}

// Decider is a statement that decides a request, or a document without one.
type Decider struct {
	// Of which kind the document is and whose, or what stands in its place.
	Document string `json:"document"`
	// The Sid of the statement, or its number such as #2; absent: no statement comes near.
	Statement string `json:"statement,omitempty"`
	// Allow, Deny or none.
	Effect string `json:"effect"`
	// Why, in words.
	Reason string `json:"reason,omitempty"`
}

// Finding is one cause and where it is.
type Finding struct {
	// In kebab-case.
	Cause string `json:"cause"`
	// Whose document is at fault: source or destination.
	Side string `json:"side"`
	// The kind of the document and whose it is.
	Document string `json:"document"`
	// How much it matters: fault, warning or advice.
	Severity string `json:"severity"`
	// The hop that fails for it; absent: none does.
	Hop string `json:"hop,omitempty"`
	// What is so, in words.
	Message string `json:"message"`
}

// Argument is what the guard has against a cure, or against doing it unasked.
type Argument struct {
	// The rule of the guard, in kebab-case; absent: it is no rule that says so.
	Rule string `json:"rule,omitempty"`
	Text string `json:"text"`
}

// The bounds of a look. A journal's row has 400 KB, and an incident has two looks.
const (
	maxLook     = 16_000 // bytes of JSON; of a route that is quite broken it has 10,000
	maxLookLine = 400
	maxKeys     = 8
	maxHops     = 16
	maxOthers   = 12 // of a hop
	maxBy       = 6  // of a request
	maxFindings = 16
)

// NewLook is a look whose texts are cleaned and bounded like those of a message, and which has no more of anything than people read. It
// shares nothing with l.
func NewLook(l Look) *Look {
	out := l.clone()
	for _, text := range out.texts() {
		*text = line(*text, maxLookLine)
	}
	keep(&out.SourceKeys, maxKeys, &out.LeftOut)
	keep(&out.Hops, maxHops, &out.LeftOut)
	keep(&out.Findings, maxFindings, &out.LeftOut)
	keep(&out.Against, maxLines, &out.LeftOut)
	for n := range out.Hops {
		keep(&out.Hops[n].Others, maxOthers, &out.LeftOut)
		for m := range out.Hops[n].Others {
			keep(&out.Hops[n].Others[m].By, maxBy, &out.LeftOut)
		}
	}
	for out.size() > maxLook && out.shorten() {
		out.LeftOut++
	}
	return out
}

// keep cuts a list to that many, and counts what it cuts.
func keep[T any](list *[]T, most int, leftOut *int) {
	if more := len(*list) - most; more > 0 {
		*list = (*list)[:most:most]
		*leftOut += more
	}
}

// size is how many bytes the look has as JSON.
func (l *Look) size() int {
	text, err := json.Marshal(l)
	if err != nil { // it has strings and numbers only
		return 0
	}
	return len(text)
}

// shorten takes out what is missed the least: of the hop that has the most of them a request, then a finding, then a reason of the guard,
// and at last what is left of them. False: there is only the route itself.
func (l *Look) shorten() bool {
	longest, told := 0, -1
	for n, h := range l.Hops {
		if len(h.Others) >= len(l.Hops[longest].Others) {
			longest = n
		}
		if h.By != nil {
			told = n
		}
	}
	switch {
	case len(l.Hops) > 0 && len(l.Hops[longest].Others) > 1:
		drop(&l.Hops[longest].Others)
	case len(l.Findings) > 1:
		drop(&l.Findings)
	case len(l.Against) > 1:
		drop(&l.Against)
	case told >= 0:
		l.Hops[told].By = nil
	case len(l.Hops) > 0 && len(l.Hops[longest].Others) > 0:
		drop(&l.Hops[longest].Others)
	case len(l.Hops) > 0:
		drop(&l.Hops)
	case len(l.SourceKeys) > 0:
		drop(&l.SourceKeys)
	case len(l.Findings) > 0:
		drop(&l.Findings)
	case len(l.Against) > 0:
		drop(&l.Against)
	default:
		return false
	}
	return true
}

// drop cuts off the last one of a list.
func drop[T any](list *[]T) { *list = (*list)[:len(*list)-1] }

// texts is every text of it that comes from outside.
func (l *Look) texts() []*string {
	out := []*string{
		&l.Verdict, &l.Source.Bucket, &l.Source.Account, &l.Source.Region, &l.Destination.Bucket, &l.Destination.Account, &l.Destination.Region,
		&l.Role, &l.ReplicaKey,
	}
	decider := func(d *Decider) { out = append(out, &d.Document, &d.Statement, &d.Effect, &d.Reason) }
	for n := range l.SourceKeys {
		out = append(out, &l.SourceKeys[n])
	}
	for n := range l.Hops {
		h := &l.Hops[n]
		out = append(out, &h.Name, &h.Verdict)
		if h.By != nil {
			decider(h.By)
		}
		for m := range h.Others {
			q := &h.Others[m]
			out = append(out, &q.Principal, &q.Action, &q.Resource, &q.Decision, &q.Evidence, &q.Need)
			for k := range q.By {
				decider(&q.By[k])
			}
		}
	}
	for n := range l.Findings {
		f := &l.Findings[n]
		out = append(out, &f.Cause, &f.Side, &f.Document, &f.Severity, &f.Hop, &f.Message)
	}
	for n := range l.Against {
		out = append(out, &l.Against[n].Rule, &l.Against[n].Text)
	}
	return out
}

// Each is the look with every text of it that comes from outside changed so.
func (l *Look) Each(change func(string) string) *Look {
	if l == nil {
		return nil
	}
	out := l.clone()
	for _, text := range out.texts() {
		*text = change(*text)
	}
	return out
}

// clone shares nothing that a caller may change.
func (l *Look) clone() *Look {
	if l == nil {
		return nil
	}
	out := *l
	out.SourceKeys, out.Hops = slices.Clone(l.SourceKeys), slices.Clone(l.Hops)
	out.Findings, out.Against = slices.Clone(l.Findings), slices.Clone(l.Against)
	for n := range out.Hops {
		h := &out.Hops[n]
		if h.By != nil {
			by := *h.By
			h.By = &by
		}
		h.Others = slices.Clone(h.Others)
		for m := range h.Others {
			h.Others[m].By = slices.Clone(h.Others[m].By)
		}
	}
	return &out
}

// Cured says whether what was written for the incident stands, so that After is the route as it is.
func (i Incident) Cured() bool {
	return i.After != nil && (i.Outcome == Applied || i.Outcome == Proven || i.Outcome == Resolved || i.Outcome == Healthy)
}
