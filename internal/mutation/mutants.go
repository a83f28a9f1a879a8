package mutation

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/snapshot"
)

// element is what of a document a mutation changes, as far as the cause depends on it.
type element uint8

const (
	plain      element = iota // a statement, an action, a resource, a principal of somebody else
	via                       // kms:ViaService
	encContext                // the encryption context
	condition                 // any other condition
	lookalike                 // a principal that may have been meant for the role
	deleted                   // the unique id of a principal that is gone, with which AWS stores no document
)

// part is one document with what is wrong with it.
type part struct {
	place   place
	id      string
	element element
}

// mutant is one world with one fault, or with two.
type mutant struct {
	class  string
	text   string
	parts  []part
	change []func(tree)
	expect *expectation // of configuration mutants; nil: what the requirements say
}

// expectation is what a mutation of the configuration must be diagnosed as.
type expectation struct {
	verdict  diagnose.Verdict
	instead  []diagnose.Verdict // are as good
	also     []snapshot.Kind    // may be blamed, too: they name what the configuration no longer does
	blames   []blame
	unseen   bool // replication itself does not notice
	warnings bool // documents that the snapshot does not hold may be warned of besides
}

// edit is one change of one statement.
type edit struct {
	class   string
	element element
	text    string
	apply   func(s tree)
}

// policyMutants is every mutant of one policy document.
func policyMutants(w *world, d document) []mutant {
	var out []mutant
	add := func(class, text string, e element, apply func(doc tree)) {
		out = append(out, mutant{class: class, text: d.name + ": " + text, parts: []part{{d.place, d.id, e}}, change: []func(tree){
			func(t tree) { apply(object(t, d.path...)) },
		}})
	}
	doc := object(w.tree, d.path...)
	statements := list(doc["Statement"])
	for i := range statements {
		s := statements[i].(tree)
		name := label(s, i)
		if len(statements) > 1 {
			add("drop a statement", name, plain, func(doc tree) { doc["Statement"] = without(list(doc["Statement"]), i) })
		}
		for _, e := range statementEdits(w, d, s) {
			add(e.class, name+": "+e.text, e.element, func(doc tree) { e.apply(list(doc["Statement"])[i].(tree)) })
		}
	}
	for _, deny := range denies(w, d) {
		add(deny.class, deny.text, plain, func(doc tree) {
			s := tree{"Sid": "Denied", "Effect": "Deny"}
			deny.apply(s)
			doc["Statement"] = append(list(doc["Statement"]), s)
		})
	}
	return append(out, wholeDocument(d)...)
}

func label(s tree, i int) string {
	if sid, _ := s["Sid"].(string); sid != "" {
		return sid
	}
	return fmt.Sprintf("statement %d", i+1)
}

// wholeDocument is the document gone, and not read.
func wholeDocument(d document) []mutant {
	parent, last := d.path[:len(d.path)-1], d.path[len(d.path)-1]
	role, _ := d.path[1].(string)
	parts := []part{{d.place, d.id, plain}}
	one := func(class string, change func(tree)) mutant {
		return mutant{class: class, text: d.name, parts: parts, change: []func(tree){change}}
	}
	gone := func(t tree) { delete(object(t, parent...), last.(string)) }
	null := func(t tree) { object(t, parent...)[last.(string)] = nil }
	unread := func(path []any) func(tree) {
		return func(t tree) {
			delete(object(t, path[:len(path)-1]...), path[len(path)-1].(string))
			t["unreadable"] = tree{joined(path): "AccessDenied"}
		}
	}
	switch d.place {
	case rolePolicy:
		return []mutant{one("drop a document", gone), one("document unreadable", unread(parent))}
	case bucketPolicy:
		return []mutant{one("drop a document", null), one("document unreadable", unread(d.path))}
	case roleTrust, keyPolicy: // AWS has neither a role without the one nor a key without the other
		return []mutant{one("document unreadable", unread(d.path))}
	case boundary:
		return []mutant{
			one("drop a document", func(t tree) { object(t, d.path[:2]...)["boundary"] = nil }),
			// Which boundary it would have been is not known either, so that it goes by the role.
			{class: "document unreadable", text: d.name, parts: []part{{boundary, role, plain}}, change: []func(tree){unread(parent)}},
		}
	default:
		return []mutant{one("document unreadable", unread(d.path[:3]))}
	}
}

func joined(path []any) string {
	out := make([]string, len(path))
	for i, p := range path {
		out[i] = p.(string)
	}
	return strings.Join(out, ".")
}

// denies is a Deny for each action that S3 needs of what the document decides, and a few other forms of one.
func denies(w *world, d document) []edit {
	var out []edit
	seen := map[string]bool{}
	for _, key := range sortedAnswers(w.answers) {
		q := w.answers[key]
		action := q.Request.Action
		if !d.decides(&q.Requirement) || seen[action] {
			continue
		}
		seen[action] = true
		deny := func(class, text string, condition tree, member string, actions ...any) {
			out = append(out, edit{class: class, text: text, apply: func(s tree) {
				s[member] = actions
				if d.place == bucketPolicy || d.place == keyPolicy || d.place == roleTrust || d.place == rcp {
					s["Principal"] = "*"
				}
				if d.place == bucketPolicy {
					arn := "arn:" + q.Request.Resource.Partition + ":s3:::" + d.id
					s["Resource"] = []any{arn, arn + "/*"}
				} else if d.place != roleTrust {
					s["Resource"] = "*"
				}
				if condition != nil {
					s["Condition"] = condition
				}
			}})
		}
		tls := func(value string) tree { return tree{"Bool": tree{"aws:SecureTransport": value}} }
		deny("add a Deny", action, nil, "Action", action)
		if len(seen) > 1 {
			continue
		}
		service := strings.SplitN(action, ":", 2)[0]
		deny("add a Deny of a pattern", service+":*", nil, "Action", service+":*")
		deny("add a Deny with NotAction", "all but iam", nil, "NotAction", "iam:*")
		deny("add a Deny under a true condition", action, tls("true"), "Action", action)
		deny("add a Deny under a false condition", action, tls("false"), "Action", action)
	}
	return out
}

// grantMutants is every mutant of a key's grants.
func grantMutants(w *world) []mutant {
	var out []mutant
	for _, arn := range sortedKeys(w.tree["keys"]) {
		for i, g := range list(step(w.tree, "keys", arn, "grants")) {
			add := func(class, text string, apply func(key tree, grants []any)) {
				out = append(out, mutant{class: class, text: "grant of key " + arn + ": " + text, parts: []part{{keyGrant, arn, plain}}, change: []func(tree){
					func(t tree) { apply(object(t, "keys", arn), list(step(t, "keys", arn, "grants"))) },
				}})
			}
			add("drop a grant", "all of it", func(key tree, grants []any) { key["grants"] = without(grants, i) })
			operations := list(g.(tree)["Operations"])
			for k, op := range operations {
				add("drop an action", fmt.Sprint(op), func(_ tree, grants []any) {
					grants[i].(tree)["Operations"] = without(operations, k)
				})
			}
			grantee := g.(tree)["GranteePrincipal"].(string)
			add("another principal", "other account", func(_ tree, grants []any) {
				grants[i].(tree)["GranteePrincipal"] = otherAccount(grantee)
			})
			add("a grant constraint", "another bucket", func(_ tree, grants []any) {
				grants[i].(tree)["Constraints"] = tree{"EncryptionContextSubset": tree{"aws:s3:arn": "arn:aws:s3:::amzn-s3-demo-stranger"}}
			})
			add("document unreadable", "not listed", func(key tree, _ []any) { delete(key, "grants") })
		}
	}
	return out
}
