package authz

import "strings"

// Why is one reason in the shape of the contract. Effect is Allow, Deny or none.
type Why struct {
	Document  string `json:"document"`
	Statement string `json:"statement"`
	Effect    string `json:"effect"`
	Reason    string `json:"reason"`
}

// Why is the explanation in the shape of the contract, never nil. An unknown decision ends with what it hangs on.
func (e Explanation) Why() []Why {
	out := []Why{}
	for _, r := range e.Reasons {
		w := Why{Document: r.Document, Statement: r.Statement, Effect: r.Effect.String(), Reason: r.Text}
		if w.Document == "" {
			w.Document = r.Layer.String()
		}
		out = append(out, w)
	}
	if e.Decision.Outcome != Unknown {
		return out
	}
	if keys, more := e.Decision.HangsOn(); len(keys) > 0 {
		text := "hangs on " + strings.Join(keys, ", ")
		if more {
			text += " and others"
		}
		out = append(out, Why{Document: "context", Effect: "none", Reason: text})
	}
	return out
}
