package awscloud

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// storePrefix is what the name of an inline policy and the Sid of a statement of Replimend start with.
const storePrefix = "Replimend"

// storeForm is what the service demands of a document of one kind, and what the store does.
type storeForm struct {
	principal bool // its statements name a principal, or must not
	resource  bool // its statements name a resource, or must not
	latin     bool // the service stores U+0020 to U+00FF and line breaks only
	plainSids bool // Sids are letters and digits
	shared    bool // statements of others stand in it
}

// text is what is sent for the document after, "" to delete. It is refused here when it does not read back as what was meant, or
// takes away what is not ours: the guard has judged the edit, and a store does not rely on that.
func (s *store) text(e patch.Edit) (string, error) {
	var text []byte
	switch e.After.State {
	case snapshot.Present:
		var err error
		if text, err = e.After.V.MarshalJSON(); err != nil {
			return "", fmt.Errorf("%w: print document: %w", snapshot.ErrUnwritable, err)
		}
		again, err := policy.Parse(text)
		switch {
		case err != nil:
			return "", fmt.Errorf("%w: read back what is to be sent: %w", snapshot.ErrUnwritable, err)
		case !again.Equal(e.After.V):
			return "", fmt.Errorf("%w: it does not read back as it is", snapshot.ErrUnwritable)
		}
	case snapshot.Absent:
		if s.remove == nil {
			return "", fmt.Errorf("%w: nothing exists without its %s", snapshot.ErrUnwritable, e.Document.Kind)
		}
	default:
		return "", fmt.Errorf("%w: the document to write is not known", snapshot.ErrUnwritable)
	}
	for _, fault := range []string{s.form.taken(e), s.form.malformed(e)} {
		if fault != "" {
			return "", fmt.Errorf("%w: %s", snapshot.ErrUnwritable, fault)
		}
	}
	return string(text), nil
}

// taken says what an edit takes away that it may not: either everything stays, statement by statement and in order, or the
// edit is an undoing and takes statements of ours and adds none.
func (f storeForm) taken(e patch.Edit) string {
	if !f.shared || e.Before.State != snapshot.Present {
		return ""
	}
	before, after := e.Before.V, e.After.V
	if e.After.State == snapshot.Present && (before.Version != after.Version || before.ID != after.ID) {
		return "the edit changes the document's Version or Id"
	}
	if _, all := storeWithout(after.Statements, before.Statements); all {
		return "" // it only adds
	}
	lost, all := storeWithout(before.Statements, after.Statements)
	if !all {
		return "the edit changes or moves statements that were there"
	}
	for _, i := range lost {
		if s := before.Statements[i]; !strings.HasPrefix(s.Sid, storePrefix) {
			return fmt.Sprintf("the edit takes away statement %s, which is not ours", s.Name(i))
		}
	}
	return ""
}

// storeWithout goes through a list for the statements of another one, in order. It gives the places of those that are passed over,
// and whether every statement was found.
func storeWithout(list, found []policy.Statement) (passed []int, all bool) {
	for i, s := range list {
		if len(found) > 0 && s.Equal(found[0]) {
			found = found[1:]
			continue
		}
		passed = append(passed, i)
	}
	return passed, len(found) == 0
}

// malformed says what the service would refuse about the statements that the edit adds; of those that are there already the
// service has judged. A Sid stands once in a document.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
func (f storeForm) malformed(e patch.Edit) string {
	if e.After.State != snapshot.Present {
		return ""
	}
	after := e.After.V
	if len(after.Statements) == 0 {
		return "it has no statement"
	}
	sids := map[string]bool{}
	for i, s := range after.Statements {
		name := s.Name(i)
		if s.Sid != "" && sids[s.Sid] {
			return fmt.Sprintf("the Sid %.80q stands twice in it", s.Sid)
		}
		sids[s.Sid] = true
		if slices.ContainsFunc(e.Before.V.Statements, s.Equal) {
			continue
		}
		switch {
		case f.principal != (s.Principal != nil):
			return fmt.Sprintf("its statement %.80q has a Principal where none may be, or none where one must be", name)
		case f.resource != (len(s.Resource.Values) > 0):
			return fmt.Sprintf("its statement %.80q has a Resource where none may be, or none where one must be", name)
		case f.plainSids && strings.ContainsFunc(s.Sid, storeNotInSid):
			return fmt.Sprintf("the Sid %.80q has a character that is neither letter nor digit", s.Sid)
		}
	}
	if text, _ := after.MarshalJSON(); f.latin && strings.ContainsFunc(string(text), func(r rune) bool { return r > 0xFF }) {
		return "it has a character beyond U+00FF"
	}
	return ""
}

func storeNotInSid(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9')
}
