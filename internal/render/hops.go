package render

import (
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

var decisionAllowed = authz.Allowed.String()

// hops writes one row per hop, or more where different statements decide its requests. What is not allowed is explained
// below its row over the whole width: reasons are long, and they are what the reader came for.
func (p Printer) hops(b *strings.Builder, hops []diagnose.Hop) {
	var names, verdicts, actions []string
	for _, h := range hops {
		names, verdicts = append(names, h.Hop.String()), append(verdicts, string(h.Verdict))
		for _, q := range h.Requests {
			actions = append(actions, Clean(q.Action)+",")
		}
	}
	hop, verdict := widest(names, len("hop"), 20), widest(verdicts, len("verdict"), 8)
	left := p.width - 2 - int(hop) - int(verdict) - 3*gap
	columns := []column{hop, verdict, widest(actions, len("requests"), left/2)}

	p.grid(b, 2, columns, [][]cell{{{"hop", p.faint}, {"verdict", p.faint}, {"requests", p.faint}, {"decided by", p.faint}}})
	for _, h := range hops {
		name := h.Hop.String()
		verdict := cell{string(h.Verdict), p.hopVerdict(h.Verdict)}
		for _, g := range groups(h.Requests) {
			p.grid(b, 2, columns, [][]cell{{{name, p.plain}, verdict, {g.actions(), p.plain}, {g.decidedBy(), g.style(p)}}})
			g.explain(p, b)
			name, verdict = "", cell{"", p.plain}
		}
	}
}

func (p Printer) hopVerdict(v diagnose.HopVerdict) lipgloss.Style {
	switch v {
	case diagnose.HopAllowed:
		return p.good
	case diagnose.HopDenied:
		return p.bad
	default:
		return p.warn
	}
}

// group is requests of one hop about which there is the same to say.
type group []diagnose.Request

func groups(requests []diagnose.Request) []group {
	var out []group
	for _, q := range requests {
		i := slices.IndexFunc(out, func(g group) bool { return g.takes(q) })
		if i < 0 {
			out = append(out, group{q})
			continue
		}
		out[i] = append(out[i], q)
	}
	return out
}

func (g group) takes(q diagnose.Request) bool {
	first := g[0]
	if first.Decision != q.Decision {
		return false
	}
	if q.Decision == decisionAllowed {
		return decidedBy(first) == decidedBy(q)
	}
	return first.Resource == q.Resource && first.Need == q.Need && slices.Equal(first.Why.All(), q.Why.All())
}

func (g group) actions() string {
	var out []string
	for _, q := range g {
		if action := Clean(q.Action); !slices.Contains(out, action) {
			out = append(out, action)
		}
	}
	return strings.Join(out, ", ")
}

// decidedBy is short: within a route a kind of document has one owner, whose ARN stands in the header and the findings.
func (g group) decidedBy() string { return decidedBy(g[0]) }

func decidedBy(q diagnose.Request) string {
	switch q.Decision {
	case decisionAllowed:
		var out []string
		for _, w := range q.Why.All() {
			if w.Effect == policy.Allow.String() && !isGuardrail(w.Document) {
				out = append(out, statement(shortened(w.Document), w.Statement))
			}
		}
		return strings.Join(out, "; ")
	case authz.ExplicitDeny.String():
		return "an explicit Deny" + need(q)
	case authz.Unknown.String():
		return "not known" + need(q)
	default:
		return "nothing allows it" + need(q)
	}
}

// need says what it means that the request is not allowed, where the object does not fail for it.
func need(q diagnose.Request) string {
	switch q.Need {
	case "", route.Required:
		return ""
	case route.Conditional:
		if q.Evidence == route.Documented {
			return ", and only uploads in parts need it"
		}
		return ", and whether S3 needs it is disputed"
	case route.DenyOnly:
		if q.Decision != authz.ExplicitDeny.String() {
			return ", but another permission implies it"
		}
		return ", so that a part is lost"
	case route.Partial:
		return ", so that a part is lost"
	default:
		return ", and objects arrive without it"
	}
}

func (g group) style(p Printer) lipgloss.Style {
	switch q := g[0]; {
	case q.Decision == decisionAllowed:
		return p.plain
	case q.Decision != authz.Unknown.String() && (q.Need == "" || q.Need == route.Required):
		return p.bad
	default:
		return p.warn
	}
}

// hurts says whether the object or a part of it is lost for it, as far as anybody knows.
func (g group) hurts() bool {
	switch q := g[0]; q.Need {
	case route.Advisory:
		return false
	case route.DenyOnly:
		return q.Decision == authz.ExplicitDeny.String()
	default:
		return q.Decision != decisionAllowed
	}
}

// explain writes the resource and every reason of requests that are not allowed. What objects arrive without is left to the
// findings.
func (g group) explain(p Printer, b *strings.Builder) {
	if !g.hurts() {
		return
	}
	row := func(label, text string) { p.grid(b, 4, []column{8}, [][]cell{{{label, p.faint}, {text, p.plain}}}) }
	row("resource", Clean(g[0].Resource))
	for _, w := range g[0].Why.All() {
		reason, wanted, got := nearMiss(Clean(w.Reason))
		row("because", statement(shortened(w.Document), w.Statement)+": "+reason)
		if wanted != "" {
			row("wanted", wanted)
			row("got", got)
		}
	}
	if e := g[0].Evidence; e != "" && e != route.Documented {
		row("evidence", evidence(e))
	}
}

// nearMiss takes what a statement wanted and what it got out of a reason: the eye compares them best one above the other.
func nearMiss(text string) (reason, wanted, got string) {
	reason, rest, ok := strings.Cut(text, ": wanted ")
	i := strings.LastIndex(rest, ", got ")
	if !ok || i < 0 {
		return text, "", ""
	}
	return reason, rest[:i], rest[i+len(", got "):]
}

// statement is "AllowDecrypt in role-policy inline/replication".
func statement(document, name string) string {
	if name == "" {
		return document
	}
	return Clean(name) + " in " + document
}

// isGuardrail says whether the label is that of an SCP or RCP. That these allow as well goes without saying.
func isGuardrail(label string) bool {
	return strings.HasPrefix(label, string(snapshot.SCP)+" ") || strings.HasPrefix(label, string(snapshot.RCP)+" ")
}

// owned is the kinds of documents of which a route has one owner each.
var owned = []snapshot.Kind{
	snapshot.RolePolicy, snapshot.RoleTrust, snapshot.PermissionsBoundary, snapshot.SourceBucketPolicy,
	snapshot.DestinationBucketPolicy, snapshot.SourceKeyPolicy, snapshot.ReplicaKeyPolicy,
	snapshot.UserPolicy, snapshot.BucketPolicy, snapshot.KeyPolicy,
}

// shortened is the label of a document without the ARN or name of its owner.
func shortened(label string) string {
	kind, rest, ok := strings.Cut(Clean(label), " ")
	if !ok || !slices.Contains(owned, snapshot.Kind(kind)) {
		return Clean(label)
	}
	_, name, _ := strings.Cut(rest, " ")
	return strings.TrimSpace(kind + " " + name)
}

// evidence is a grade and what it means.
func evidence(e route.Evidence) string {
	switch e {
	case route.Disputed:
		return "disputed: AWS's pages, or a page and a reported test, disagree"
	case route.Inferred:
		return "inferred: a deduction that no AWS page states"
	case route.Documented:
		return "documented: an AWS page says so and none disagrees"
	default:
		return Clean(string(e))
	}
}

// remedy is a class and what it means.
func remedy(c patch.Class) string {
	switch c {
	case patch.Automatic:
		return "automatic, on a route that its owner approved"
	case patch.Approval:
		return "approval: a person must agree to the edit"
	case patch.Manual:
		return "manual: no edit of a policy can or may cure it"
	default:
		return Clean(string(c))
	}
}
