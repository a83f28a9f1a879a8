// Package simulate answers authorization questions that stand one a line in JSON, so that the evaluator can be compared with
// any other one. It only translates between lines and package authz; cmd/replimend reads and writes the files.
package simulate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
)

// MaxLine bounds one question, in bytes.
const MaxLine = 4 << 20

// Question is one line, understood.
type Question struct {
	ID      string
	Request authz.Request
	Layers  authz.Layers
}

// Answer is one line of output. Decision is empty when Error is not.
type Answer struct {
	ID       string      `json:"id"`
	Decision string      `json:"decision,omitempty"`
	Why      []authz.Why `json:"why,omitempty"`
	Error    string      `json:"error,omitempty"`
}

// Ask answers one line. A line that cannot be read gives an Answer with Error, and ID where that could be read.
func Ask(line []byte) Answer {
	q, err := Parse(line)
	if err != nil {
		return Answer{ID: q.ID, Error: err.Error()}
	}
	e := authz.Explain(&q.Request, &q.Layers)
	return Answer{ID: q.ID, Decision: e.Decision.Outcome.String(), Why: e.Why()}
}

// Parse reads one question. On an error the Question holds at most the ID.
func Parse(line []byte) (Question, error) {
	n, err := jsontree.Parse(line, MaxLine)
	if err != nil {
		return Question{}, err
	}
	if n.Kind != jsontree.Object {
		return Question{}, jsontree.Errorf(n, "", "want an object, got %s", n.Kind)
	}
	r := reader{node: n}
	id := r.text("id")
	q := Question{ID: id}
	q.Request.Action = r.text("action")
	q.Request.ResourceAccount = r.text("resource_account")
	r.context(&q.Request.Context)
	r.principal(&q.Request)
	r.resource(&q.Request)
	q.Layers = authz.Layers{
		Identity: r.policies("identity_policies"),
		Boundary: r.policies("permission_boundary"),
		Endpoint: r.policies("vpce_policies"),
		SCPs:     r.levels("scps"),
		RCPs:     r.levels("rcps"),
		Resource: r.policy("resource_policy"),
		Grants:   r.grants(),
	}
	if p := r.policy("session_policy"); p != nil {
		q.Layers.Session = []*authz.Policy{p}
	}
	if q.Request.Action == "" && r.err == nil {
		r.err = jsontree.Errorf(n, "action", "the question has no action")
	}
	if r.err != nil {
		return Question{ID: id}, r.err
	}
	return q, nil
}

// reader reads members and keeps the first error.
type reader struct {
	node jsontree.Node
	err  error
}

func (r *reader) fail(n jsontree.Node, path, format string, args ...any) {
	if r.err == nil {
		r.err = jsontree.Errorf(n, path, format, args...)
	}
}

// get is a member that is there and not null.
func (r *reader) get(name string) (jsontree.Node, bool) {
	n := r.node.Get(name)
	return n, n.Present() && n.Kind != jsontree.Null
}

func (r *reader) text(name string) string {
	n, ok := r.get(name)
	if ok && n.Kind != jsontree.String {
		r.fail(n, name, "want a string, got %s", n.Kind)
	}
	return n.Text
}

func (r *reader) principal(req *authz.Request) {
	p, err := authz.ParsePrincipal(r.text("principal"))
	if err != nil {
		r.fail(r.node.Get("principal"), "principal", "%s", err)
		return
	}
	if account := r.text("principal_account"); account != "" && p.Account != "" && account != p.Account {
		r.fail(r.node.Get("principal_account"), "principal_account", "%s is not the account of %s", account, p)
	}
	// The contract's session ARN loses the role's path; aws:PrincipalArn has it. The name of a federated session says nothing
	// about the user who opened it, so that only the optional issuer can.
	if values, ok := req.Context.Values("aws:PrincipalArn"); ok && len(values) == 1 && p.Kind == authz.Session {
		if a, err := policy.ParseARN(values[0]); err == nil && a.Service == "iam" && a.Account == p.Account && a.Name() == p.Issuer.Name() {
			p.Issuer = a
		}
	}
	if text := r.text("issuer"); text != "" {
		a, err := policy.ParseARN(text)
		if err != nil {
			r.fail(r.node.Get("issuer"), "issuer", "%s", err)
		}
		p.Issuer = a
	}
	if values, ok := req.Context.Values("aws:userid"); ok && len(values) == 1 {
		p.UniqueID, _, _ = strings.Cut(values[0], ":")
	}
	req.Principal = p
}

func (r *reader) resource(req *authz.Request) {
	wildcard, ok := r.get("wildcard_only_action")
	if ok && wildcard.Kind != jsontree.Bool {
		r.fail(wildcard, "wildcard_only_action", "want a boolean, got %s", wildcard.Kind)
	}
	text := r.text("resource")
	if wildcard.Bool || text == "*" || text == "" {
		return
	}
	a, err := policy.ParseARN(text)
	if err != nil {
		r.fail(r.node.Get("resource"), "resource", "%s", err)
		return
	}
	req.Resource = a
	if req.ResourceAccount == "" {
		req.ResourceAccount = a.Account
	}
}

func (r *reader) context(out *authz.Context) {
	n, ok := r.get("context")
	if ok && n.Kind != jsontree.Object {
		r.fail(n, "context", "want an object, got %s", n.Kind)
	}
	for _, f := range n.Fields {
		at := jsontree.Join("context", f.Name)
		items := f.Value.Items
		switch f.Value.Kind {
		case jsontree.Array:
		case jsontree.Null:
			continue
		default:
			items = []jsontree.Node{f.Value}
		}
		values := make([]string, 0, len(items))
		for _, item := range items {
			switch item.Kind {
			case jsontree.String, jsontree.Number:
				values = append(values, item.Text)
			case jsontree.Bool:
				values = append(values, fmt.Sprint(item.Bool))
			default:
				r.fail(item, at, "want a string or a list of strings, got %s", item.Kind)
			}
		}
		out.Set(f.Name, values...)
	}
	for _, key := range r.strings("unknown_context") {
		out.SetUnknown(key)
	}
}

func (r *reader) strings(name string) []string {
	n, ok := r.get(name)
	if !ok {
		return nil
	}
	if n.Kind != jsontree.Array {
		r.fail(n, name, "want a list of strings, got %s", n.Kind)
	}
	out := make([]string, 0, len(n.Items))
	for i, item := range n.Items {
		if item.Kind != jsontree.String {
			r.fail(item, fmt.Sprintf("%s[%d]", name, i), "want a string, got %s", item.Kind)
		}
		out = append(out, item.Text)
	}
	return out
}

func (r *reader) compile(n jsontree.Node, path string) *authz.Policy {
	d, err := policy.FromNode(n, path)
	if err != nil {
		if r.err == nil {
			r.err = err
		}
		return nil
	}
	return authz.Compile(path, d)
}

func (r *reader) policy(name string) *authz.Policy {
	n, ok := r.get(name)
	if !ok {
		return nil
	}
	return r.compile(n, name)
}

func (r *reader) policies(name string) []*authz.Policy {
	n, ok := r.get(name)
	if !ok {
		return nil
	}
	return r.list(n, name)
}

func (r *reader) list(n jsontree.Node, path string) []*authz.Policy {
	if n.Kind != jsontree.Array {
		r.fail(n, path, "want a list of documents, got %s", n.Kind)
		return nil
	}
	if len(n.Items) == 0 {
		return nil
	}
	out := make([]*authz.Policy, 0, len(n.Items))
	for i, item := range n.Items {
		out = append(out, r.compile(item, fmt.Sprintf("%s[%d]", path, i)))
	}
	return out
}

func (r *reader) levels(name string) [][]*authz.Policy {
	n, ok := r.get(name)
	if !ok {
		return nil
	}
	if n.Kind != jsontree.Array {
		r.fail(n, name, "want a list of levels, got %s", n.Kind)
		return nil
	}
	out := make([][]*authz.Policy, 0, len(n.Items))
	for i, level := range n.Items {
		out = append(out, r.list(level, fmt.Sprintf("%s[%d]", name, i)))
	}
	return out
}

func (r *reader) grants() []authz.Grant {
	n, ok := r.get("grants")
	if !ok {
		return nil
	}
	text, err := n.MarshalJSON()
	if err != nil {
		r.fail(n, "grants", "%s", err)
		return nil
	}
	out, err := ParseGrants(text)
	if err != nil {
		r.fail(n, "grants", "%s", err)
	}
	return out
}

// ParseGrants reads the .Grants list of a ListGrants answer. A constraint that is not understood refuses the list: a grant
// read without its limit would allow too much.
func ParseGrants(text []byte) ([]authz.Grant, error) {
	var entries []struct {
		GrantID                 string `json:"GrantId"`
		GranteePrincipal        string
		GranteeServicePrincipal string
		Operations              []string
		Constraints             map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &entries); err != nil {
		return nil, fmt.Errorf("read grants: %w", err)
	}
	out := make([]authz.Grant, 0, len(entries))
	for _, e := range entries {
		g := authz.Grant{ID: e.GrantID, Grantee: e.GranteePrincipal, Operations: slices.Clone(e.Operations)}
		if g.Grantee == "" {
			g.Grantee = e.GranteeServicePrincipal
		}
		for name, raw := range e.Constraints {
			var target any
			switch name {
			case "EncryptionContextSubset":
				target = &g.Subset
			case "EncryptionContextEquals":
				target = &g.Equals
			case "SourceArn":
				target = &g.SourceARN
			default:
				return nil, fmt.Errorf("read grant %s: unknown constraint %q", e.GrantID, name)
			}
			if err := json.Unmarshal(raw, target); err != nil {
				return nil, fmt.Errorf("read grant %s: constraint %s: %w", e.GrantID, name, err)
			}
		}
		out = append(out, g)
	}
	return out, nil
}
