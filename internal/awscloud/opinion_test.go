package awscloud_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/snapshot"
)

// opinionAnalyzer answers for IAM Access Analyzer, which moto does not have.
type opinionAnalyzer struct {
	findings func(document string) string // the members of findings, as JSON
	public   func(document string) string // the whole answer to CheckNoPublicAccess
	refuse   string                       // the code of an error that answers everything
	status   int
}

func (a opinionAnalyzer) answer(rw http.ResponseWriter, c storeCall) bool {
	if !strings.HasPrefix(c.action, "access-analyzer:") {
		return false
	}
	var sent struct{ PolicyDocument string }
	_ = json.Unmarshal([]byte(c.body), &sent)
	rw.Header().Set("Content-Type", "application/json")
	switch {
	case a.refuse != "":
		storeFail(rw, c, a.status, a.refuse)
	case c.action == "access-analyzer:ValidatePolicy":
		findings := ""
		if a.findings != nil {
			findings = a.findings(sent.PolicyDocument)
		}
		fmt.Fprintf(rw, `{"findings": [%s]}`, findings)
	case a.public != nil:
		fmt.Fprint(rw, a.public(sent.PolicyDocument))
	default:
		fmt.Fprint(rw, `{"result": "PASS", "message": "no public access", "reasons": []}`)
	}
	return true
}

func opinionFinding(kind, code, details string) string {
	return fmt.Sprintf(`{"findingType": %q, "issueCode": %q, "findingDetails": %q, "learnMoreLink": "https://example.com", "locations": []}`,
		kind, code, details)
}

func opinionOurs(document string) bool { return strings.Contains(document, "ReplimendA") }

const opinionFailed = `{"result": "FAIL", "message": "public access", "reasons": [{"description": "everybody", "statementId": %q, "statementIndex": %d}]}`

func TestSecondOpinion(t *testing.T) {
	t.Parallel()
	onlyAfter := func(kind string) func(string) string {
		return func(document string) string {
			if opinionOurs(document) {
				return opinionFinding(kind, "INVALID_ACTION", "the action does not exist")
			}
			return ""
		}
	}
	for name, row := range map[string]struct {
		analyzer opinionAnalyzer
		want     string // of the error; "": it is written
		note     string
	}{
		"nothing to say":                {opinionAnalyzer{}, "", ""},
		"an error in what is added":     {opinionAnalyzer{findings: onlyAfter("ERROR")}, "INVALID_ACTION: the action does not exist", "objects by ValidatePolicy"},
		"a security warning of it":      {opinionAnalyzer{findings: onlyAfter("SECURITY_WARNING")}, "INVALID_ACTION", "objects by ValidatePolicy"},
		"a matter of style":             {opinionAnalyzer{findings: onlyAfter("SUGGESTION")}, "", ""},
		"a warning":                     {opinionAnalyzer{findings: onlyAfter("WARNING")}, "", ""},
		"an error that was there":       {opinionAnalyzer{findings: func(string) string { return opinionFinding("ERROR", "OLD", "of others") }}, "", ""},
		"an error that comes once more": {opinionAnalyzer{findings: opinionOftener}, "OLD", "objects by ValidatePolicy"},
		"public by what is added": {opinionAnalyzer{public: func(document string) string {
			if opinionOurs(document) {
				return fmt.Sprintf(opinionFailed, "ReplimendA", 1)
			}
			return `{"result": "PASS"}`
		}}, "public access", "objects by CheckNoPublicAccess"},
		"public as it was": {opinionAnalyzer{public: func(string) string { return fmt.Sprintf(opinionFailed, "Website", 0) }}, "", ""},
		"more public than it was": {opinionAnalyzer{public: func(document string) string {
			if opinionOurs(document) {
				return fmt.Sprintf(opinionFailed, "ReplimendA", 1)
			}
			return fmt.Sprintf(opinionFailed, "Website", 0)
		}}, "statement ReplimendA: everybody", "objects by CheckNoPublicAccess"},
		"may not ask":   {opinionAnalyzer{refuse: "AccessDeniedException", status: http.StatusForbidden}, "", "gave no opinion by CheckNoPublicAccess: AccessDeniedException"},
		"not supported": {opinionAnalyzer{refuse: "ValidationException", status: http.StatusBadRequest}, "", "gave no opinion by ValidatePolicy: ValidationException"},
		"no service":    {opinionAnalyzer{refuse: "UnknownOperationException", status: http.StatusNotFound}, "", "gave no opinion by ValidatePolicy: UnknownOperation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStoreWorld(t)
			w.startAll(t)
			proxy := newStoreProxy(t, row.analyzer.answer)
			e := w.edit(t, w.bucketPolicy())
			var mu sync.Mutex
			var notes []string
			store := w.writer(t, proxy.url, awscloud.WriteOptions{Opinion: true, Note: func(s string) {
				mu.Lock()
				defer mu.Unlock()
				notes = append(notes, s)
			}})
			err := store.Put(t.Context(), storeApproved, e)
			switch {
			case row.want == "" && err != nil:
				t.Error(err)
			case row.want != "" && (!errors.Is(err, snapshot.ErrUnwritable) || !strings.Contains(err.Error(), row.want)):
				t.Errorf("got %v, want %q", err, row.want)
			}
			live := e.After
			if row.want != "" {
				live = e.Before
			}
			if !patch.Same(w.read(t, e.Document), live) {
				t.Error("the document is not what the answer says")
			}
			if row.note == "" && len(notes) > 0 || row.note != "" && !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, row.note) }) {
				t.Errorf("noted %q, want %q", notes, row.note)
			}
		})
	}
}

// opinionOftener finds the same fault once before and twice after.
func opinionOftener(document string) string {
	out := opinionFinding("ERROR", "OLD", "of others")
	if opinionOurs(document) {
		out += "," + out
	}
	return out
}

// TestOpinionAsksForTheKind: Access Analyzer is told what it is to look at, and an undoing is asked about as well.
func TestOpinionAsksForTheKind(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	for _, row := range []struct {
		ref                    snapshot.Ref
		policy, kind, resource string // what is asked as; an empty resource is not asked about public access
	}{
		{w.rolePolicy(), "IDENTITY_POLICY", "", ""},
		{w.trust(), "RESOURCE_POLICY", "AWS::IAM::AssumeRolePolicyDocument", "AWS::IAM::AssumeRolePolicyDocument"},
		{w.keyPolicy(), "RESOURCE_POLICY", "", "AWS::KMS::Key"},
		{w.bucketPolicy(), "RESOURCE_POLICY", "AWS::S3::Bucket", "AWS::S3::Bucket"},
	} {
		proxy := newStoreProxy(t, opinionAnalyzer{}.answer)
		store := w.writer(t, proxy.url, awscloud.WriteOptions{Trust: true, Opinion: true})
		if err := store.Put(t.Context(), storeApproved, w.edit(t, row.ref)); err != nil {
			t.Fatal(err)
		}
		var sent struct{ PolicyType, ValidatePolicyResourceType, ResourceType string }
		made := proxy.made("access-analyzer:ValidatePolicy")
		if len(made) != 1 {
			t.Fatalf("%s: validated %d times", row.ref.Kind, len(made))
		}
		if err := json.Unmarshal([]byte(made[0].body), &sent); err != nil {
			t.Fatal(err)
		}
		public := proxy.made("access-analyzer:CheckNoPublicAccess")
		if len(public) > 0 {
			if err := json.Unmarshal([]byte(public[0].body), &sent); err != nil {
				t.Fatal(err)
			}
		}
		if sent.PolicyType != row.policy || sent.ValidatePolicyResourceType != row.kind || sent.ResourceType != row.resource {
			t.Errorf("%s: asked as %+v", row.ref.Kind, sent)
		}
		if role := proxy.session(made[0]).Get("RoleArn"); !strings.HasSuffix(role, "replimend-reader") {
			t.Errorf("asked as %q", role)
		}
	}
}

// TestOpinionIsCleaned: what the service says is text from outside.
func TestOpinionIsCleaned(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	proxy := newStoreProxy(t, opinionAnalyzer{findings: func(document string) string {
		if !opinionOurs(document) {
			return ""
		}
		return `{"findingType": "ERROR", "issueCode": "X", "findingDetails": "a\u001b[31m\nb` + strings.Repeat("é", 1000) + `", "learnMoreLink": "", "locations": []}`
	}}.answer)
	err := w.writer(t, proxy.url, awscloud.WriteOptions{Opinion: true}).Put(t.Context(), storeApproved, w.edit(t, w.keyPolicy()))
	if !errors.Is(err, snapshot.ErrUnwritable) || strings.ContainsAny(err.Error(), "\x1b\n") || len(err.Error()) > 600 {
		t.Errorf("got %q", err)
	}
}
