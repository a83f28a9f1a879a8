package authz

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/policy"
)

// Explanation is a decision with its reasons.
type Explanation struct {
	Decision Decision
	Reasons  []Reason
	// Lacking is, for a denial that no Deny made, every layer that would have to allow and does not.
	Lacking LayerSet
	// Delegated says that the resource policy lets the caller's account decide by its identity policies.
	Delegated bool
}

// Reason is one statement, or one layer without any, that decides or comes nearest.
type Reason struct {
	Layer     Layer
	Document  string        // the Label of the Policy; "" when the layer has no document
	Statement string        // Sid or "#2"; "" when no statement comes near
	Index     int           // of the statement in its document, -1 without one
	Effect    policy.Effect // of the statement when it applies; 0 when nothing applies
	Miss      *Miss         // what did not match, when Statement only comes near
	Text      string
}

// Miss is the first element of a statement that did not match.
type Miss struct {
	Element  string // Principal, Action, Resource or Condition
	Operator string // of a Condition
	Key      string // of a Condition
	Want     []string
	Got      []string // nil: the request has no such value
	Unknown  bool     // the value is not known
}

// Explain decides again, statement by statement and element by element, and keeps what it saw. It shares with Decide the
// way in which layers combine, but neither its scan nor its short cuts; a property test holds that both always agree.
func Explain(r *Request, l *Layers) Explanation {
	e := &explainer{r: r, l: l, shape: shapeOf(r), seen: make([]sight, 0, 8)}
	e.walk()
	out := Explanation{Decision: conclude(&e.res, r, l)}
	if out.Decision.Outcome == Unknown {
		name(&out.Decision, r, l)
	}
	if out.Decision.Outcome == ImplicitDeny {
		out.Lacking = out.Decision.Deciding
	}
	for i, n := range namings {
		if n == namesAccount && e.res.ways[i] == yes {
			out.Delegated = true
		}
	}
	for _, layer := range told {
		if out.Decision.Deciding.Has(layer) {
			out.Reasons = append(out.Reasons, e.reasons(layer, out.Decision.Outcome)...)
		}
	}
	return out
}

// told is the order in which people want the layers: the policies that are about the request before the guardrails that
// allow nearly everything.
var told = [...]Layer{
	LayerResource, LayerGrant, LayerIdentity, LayerBoundary, LayerSession, LayerEndpoint, LayerSCP, LayerRCP,
}

type explainer struct {
	r     *Request
	l     *Layers
	shape shape
	res   results
	seen  []sight
}

// sight is what one statement did.
type sight struct {
	layer Layer
	level int // of an SCP or RCP
	doc   *Policy
	index int
	value tri
	miss  *Miss
	score int // how far the statement matched
}

func (e *explainer) walk() {
	l := e.l
	inAccount := e.shape != resourceAlone
	e.res.layers[LayerSCP].allow, e.res.layers[LayerRCP].allow, e.res.layers[LayerEndpoint].allow = yes, yes, yes
	if inAccount {
		e.layer(LayerIdentity, 0, l.Identity)
		e.layer(LayerBoundary, 0, l.Boundary)
		e.layer(LayerSession, 0, l.Session)
	}
	if inAccount && !e.r.Principal.serviceLinked() {
		e.levels(LayerSCP, l.SCPs)
	}
	if !e.r.beyondRCPs() {
		e.levels(LayerRCP, l.RCPs)
	}
	if l.Endpoint != nil {
		e.res.layers[LayerEndpoint].allow = no
		e.layer(LayerEndpoint, 0, l.Endpoint)
	}
	if l.Resource != nil {
		e.layer(LayerResource, 0, []*Policy{l.Resource})
	}
	for i := range l.Grants {
		e.res.layers[LayerGrant].allow = or(e.res.layers[LayerGrant].allow, l.Grants[i].allows(e.r))
	}
	for layer := Layer(0); layer < layerCount; layer++ {
		if l.Missing.Has(layer) {
			missing(&e.res, layer, e.shape)
		}
	}
}

func (e *explainer) levels(layer Layer, levels [][]*Policy) {
	allow, deny := yes, no
	for i, level := range levels {
		e.res.layers[layer] = result{}
		e.layer(layer, i, level)
		allow = and(allow, e.res.layers[layer].allow)
		deny = or(deny, e.res.layers[layer].deny)
	}
	e.res.layers[layer] = result{allow, deny}
}

func (e *explainer) layer(layer Layer, level int, policies []*Policy) {
	for _, p := range policies {
		for i := range p.statements {
			s := e.look(p, i)
			s.layer, s.level = layer, level
			if layer == LayerResource && p.statements[i].opensToNobody() {
				s.value = no
				s.miss = &Miss{Element: "Principal", Want: []string{"one to be named"}, Got: []string{e.r.Principal.String()}}
			}
			e.seen = append(e.seen, s)
			out := &e.res.layers[layer]
			if p.statements[i].effect == policy.Deny {
				out.deny = or(out.deny, s.value)
				continue
			}
			out.allow = or(out.allow, s.value)
			if layer == LayerResource && s.value != no {
				how := namesEveryone
				if p.statements[i].hasPrinc {
					_, how = p.statements[i].names(e.r, e.l)
				}
				for k, n := range namings {
					if how&n != 0 {
						e.res.ways[k] = or(e.res.ways[k], s.value)
					}
				}
			}
		}
	}
}

// look evaluates every element of a statement and keeps the first one that did not match. The order is the one in which
// people read a denial: a statement for another action is not a near miss, one with a wrong condition is.
func (e *explainer) look(p *Policy, index int) sight {
	st, src := &p.statements[index], &p.Document.Statements[index]
	s := sight{doc: p, index: index, value: yes}
	if !st.actionMatches(e.r.Action) {
		s.value = no // a statement for another action is no near miss, and nobody is told of it
		return s
	}
	s.score++
	if v := st.resourceMatches(e.r); !s.saw(v) {
		s.miss = &Miss{Element: element("Resource", src.Resource.Not), Want: src.Resource.Values, Got: []string{e.resourceText()}, Unknown: v == unknown}
	}
	if st.hasPrinc {
		if v, _ := st.names(e.r, e.l); !s.saw(v) {
			s.miss = e.missedPrincipal(src.Principal)
			s.miss.Unknown = v == unknown
		}
	}
	for i := range st.conditions {
		if v := st.conditions[i].holds(&e.r.Context); !s.saw(v) {
			c := &src.Conditions[i]
			values, _ := e.r.Context.lookup(st.conditions[i].key)
			s.miss = &Miss{Element: "Condition", Operator: c.OperatorText(), Key: c.Key, Want: c.Values, Got: values, Unknown: v == unknown}
		}
	}
	return s
}

// saw takes in what one element says. It is false when this element is the one to tell of: the first that certainly does not
// match or, while none is, the first that is not known.
func (s *sight) saw(v tri) bool {
	before := s.value
	s.value = and(s.value, v)
	if v == yes {
		if before == yes {
			s.score++
		}
		return true
	}
	return before == no || before == unknown && v == unknown
}

func (e *explainer) missedPrincipal(p *policy.PrincipalSet) *Miss {
	m := &Miss{Element: element("Principal", p.Not), Got: []string{e.r.Principal.String()}}
	if !e.r.Principal.Issuer.IsZero() && e.r.Principal.Issuer != e.r.Principal.ARN {
		m.Got = append(m.Got, e.r.Principal.Issuer.String())
	}
	for _, v := range p.Values {
		m.Want = append(m.Want, v.Value)
	}
	return m
}

func element(name string, not bool) string {
	if not {
		return "Not" + name
	}
	return name
}

func (e *explainer) resourceText() string {
	if e.r.Resource.IsZero() {
		return "*"
	}
	return e.r.Resource.String()
}

// reasons is what to say about one deciding layer.
func (e *explainer) reasons(layer Layer, o Outcome) []Reason {
	switch o {
	case ExplicitDeny:
		return e.matching(layer, policy.Deny, yes)
	case Allowed:
		if out := e.matching(layer, policy.Allow, yes); len(out) > 0 {
			return out[:1]
		}
		if layer == LayerGrant {
			for i := range e.l.Grants {
				if e.l.Grants[i].allows(e.r) == yes {
					return []Reason{{Layer: layer, Document: "key-grant " + e.l.Grants[i].ID, Index: -1, Effect: policy.Allow, Text: "the grant permits the operation"}}
				}
			}
		}
		return nil
	case Unknown:
		out := append(e.matching(layer, policy.Deny, unknown), e.matching(layer, policy.Allow, unknown)...)
		for i := range e.l.Grants {
			if layer == LayerGrant && e.l.Grants[i].allows(e.r) == unknown {
				out = append(out, Reason{Layer: layer, Document: "key-grant " + e.l.Grants[i].ID, Index: -1, Text: "may allow: a constraint compares a value that is not known"})
			}
		}
		if e.l.Missing.Has(layer) {
			out = append(out, Reason{Layer: layer, Index: -1, Text: "the " + layer.String() + " could not be read"})
		}
		return out
	default:
		return e.nearest(layer)
	}
}

func (e *explainer) matching(layer Layer, effect policy.Effect, v tri) []Reason {
	var out []Reason
	for i := range e.seen {
		s := &e.seen[i]
		if s.layer != layer || s.value != v || s.doc.statements[s.index].effect != effect {
			continue
		}
		r := e.reason(s)
		if v == yes {
			r.Effect, r.Text = effect, verb(effect)+" of "+e.r.Action
		} else {
			r.Text = "may " + strings.ToLower(effect.String()) + ": " + s.miss.text()
		}
		out = append(out, r)
	}
	return out
}

func verb(e policy.Effect) string {
	if e == policy.Deny {
		return "explicit deny"
	}
	return "allow"
}

func (e *explainer) reason(s *sight) Reason {
	return Reason{
		Layer: s.layer, Document: s.doc.Label, Index: s.index, Miss: s.miss,
		Statement: s.doc.Document.Statements[s.index].Name(s.index),
	}
}

// nearest is the Allow statements of a silent layer that match the furthest, or that the layer has none.
func (e *explainer) nearest(layer Layer) []Reason {
	var out []Reason
	best := 1 // a statement for another action is not near
	for i := range e.seen {
		s := &e.seen[i]
		if s.layer != layer || s.value == yes || s.doc.statements[s.index].effect != policy.Allow || s.score < best || s.miss == nil {
			continue
		}
		if s.score > best {
			best, out = s.score, nil
		}
		r := e.reason(s)
		r.Text = "does not apply: " + s.miss.text()
		out = append(out, r)
	}
	if out != nil {
		return out
	}
	r := Reason{Layer: layer, Index: -1, Text: fmt.Sprintf("no statement allows %s on %s", e.r.Action, e.resourceText())}
	if label := e.label(layer); label != "" {
		r.Document = label
	} else {
		r.Text = fmt.Sprintf("there is no %s that allows %s", layer, e.r.Action)
	}
	return []Reason{r}
}

func (e *explainer) label(layer Layer) string {
	for i := range e.seen {
		if e.seen[i].layer == layer {
			return e.seen[i].doc.Label
		}
	}
	return ""
}

// text is "condition StringLike kms:EncryptionContext:aws:s3:arn: wanted …, got …".
func (m *Miss) text() string {
	name := strings.ToLower(m.Element[:1]) + m.Element[1:]
	if m.Element == "Condition" {
		name = fmt.Sprintf("condition %s %s", m.Operator, m.Key)
	}
	got := strings.Join(m.Got, " or ")
	switch {
	case m.Unknown:
		got = "a value that is not known"
	case len(m.Got) == 0:
		got = "no such key"
	}
	return fmt.Sprintf("%s: wanted %s, got %s", name, strings.Join(m.Want, " or "), got)
}

// String is the miss as a reason prints it.
func (m *Miss) String() string { return m.text() }
