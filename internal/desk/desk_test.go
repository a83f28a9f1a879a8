package desk_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/replimend/replimend/internal/desk"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/seal"
	"github.com/replimend/replimend/internal/settings"
)

const (
	jane = "arn:aws:iam::111122223333:user/jane"
	john = "arn:aws:iam::111122223333:user/john"
	plan = "0123abcd"
)

// office is a Desk over a file, with an incident about which people are asked.
type office struct {
	*desk.Desk
	t    *testing.T
	kept *journal.File
	id   string
	sent []queue.Work
	fail error // of what is sent
	log  strings.Builder
	now  time.Time
}

func (d *office) Send(_ context.Context, w queue.Work, _ time.Duration) error {
	if d.fail == nil {
		d.sent = append(d.sent, w)
	}
	return d.fail
}

// broken is a journal that fails.
type broken struct{}

var errSecret = errors.New("table arn:aws:dynamodb:eu-west-1:111122223333:table/incidents is throttled")

func (broken) Get(context.Context, string) (incident.Incident, error) {
	return incident.Incident{}, errSecret
}

func (broken) Give(context.Context, incident.Approval) (incident.Approval, error) {
	return incident.Approval{}, errSecret
}

func newDesk(t *testing.T, change func(*incident.Incident)) *office {
	t.Helper()
	d := &office{t: t, now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	now := func() time.Time { return d.now }
	d.kept = &journal.File{Path: filepath.Join(t.TempDir(), "journal.json"), Now: now}
	secret, err := seal.NewSecret([]byte(strings.Repeat("x", 32)))
	if err != nil {
		t.Fatal(err)
	}
	route := incident.Route{Source: "a", Rule: "r", Destination: "b"}
	i := incident.Incident{ID: incident.ID(route, d.now), Route: route, Outcome: incident.Open, Opened: d.now}
	i.Failures.Add(incident.Object{Key: "passport.pdf", VersionID: "v1"}, d.now)
	if i, err = d.kept.Open(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	i.Plan = plan
	i.Become(incident.AwaitingApproval, d.now, "nobody answered yet")
	i.Proposal = incident.NewProposal(plan, d.now, "+ a statement", []string{"mode: approve"}, 1)
	change(&i)
	if i, err = d.kept.Record(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	d.id = i.ID
	d.Desk = &desk.Desk{
		Incidents: d.kept, Answers: &journal.Approvals{Kept: d.kept, Sealer: secret, Now: now},
		Settings: &settings.Settings{Approvals: settings.Approvals{Hours: 2, Approvers: []policy.ARN{
			{Partition: "aws", Service: "iam", Account: "111122223333", Resource: "user/j*"},
		}}},
		Work: d, Log: slog.New(slog.NewJSONHandler(&d.log, nil)), Now: now,
	}
	return d
}

func as(*incident.Incident) {}

// post is a valid answer.
func (d *office) post() desk.Request {
	return desk.Request{
		Method: http.MethodPost, Path: "/incidents/" + d.id + "/answer", ContentType: "application/json; charset=utf-8", Caller: jane,
		Body: []byte(`{"plan":"` + plan + `","answer":"approve","reason":"looks right"}`),
	}
}

func (d *office) answers() []incident.Approval {
	d.t.Helper()
	all, err := d.kept.Answers(d.t.Context(), d.id)
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// TestRefusals: what is not exactly an answer of somebody who may give it is refused with its reason, and nothing is kept or sent.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*desk.Request)
		status int
		code   string
	}{
		"nobody":     {func(r *desk.Request) { r.Caller = "" }, 403, "nobody"},
		"a stranger": {func(r *desk.Request) { r.Caller = "arn:aws:iam::111122223333:user/mallory" }, 403, "not-an-approver"},
		"a stranger, and no incident": {func(r *desk.Request) {
			r.Caller, r.Path = "arn:aws:iam::111122223333:user/mallory", "/incidents/inc-ffffffffffffffffffff/answer"
		}, 403, "not-an-approver"},
		"root":            {func(r *desk.Request) { r.Caller = "arn:aws:iam::111122223333:root" }, 403, "not-an-approver"},
		"no path":         {func(r *desk.Request) { r.Path = "/" }, 404, "no-such-path"},
		"a longer path":   {func(r *desk.Request) { r.Path += "/x" }, 404, "no-such-path"},
		"another path":    {func(r *desk.Request) { r.Path = "/incidents/../" + r.Path }, 404, "no-such-path"},
		"no incident":     {func(r *desk.Request) { r.Path = "/incidents/inc-ffffffffffffffffffff/answer" }, 404, "no-such-incident"},
		"get an answer":   {func(r *desk.Request) { r.Method = http.MethodGet }, 405, "method"},
		"put an answer":   {func(r *desk.Request) { r.Method = http.MethodPut }, 405, "method"},
		"a form":          {func(r *desk.Request) { r.ContentType = "application/x-www-form-urlencoded" }, 415, "content-type"},
		"no content type": {func(r *desk.Request) { r.ContentType = "" }, 415, "content-type"},
		"too long":        {func(r *desk.Request) { r.Body = append(r.Body, make([]byte, 4<<10)...) }, 413, "too-long"},
		"no body":         {func(r *desk.Request) { r.Body = nil }, 400, "not-an-answer"},
		"null":            {func(r *desk.Request) { r.Body = []byte("null") }, 400, "not-an-answer"},
		"a list":          {func(r *desk.Request) { r.Body = []byte("[]") }, 400, "not-an-answer"},
		"two":             {func(r *desk.Request) { r.Body = append(r.Body, r.Body...) }, 400, "not-an-answer"},
		"an unknown member": {func(r *desk.Request) {
			r.Body = []byte(`{"plan":"` + plan + `","answer":"approve","approver":"x"}`)
		}, 400, "not-an-answer"},
		"another answer": {func(r *desk.Request) { r.Body = []byte(`{"plan":"` + plan + `","answer":"Approve"}`) }, 400, "not-an-answer"},
		"no answer":      {func(r *desk.Request) { r.Body = []byte(`{"plan":"` + plan + `"}`) }, 400, "not-an-answer"},
		"no plan":        {func(r *desk.Request) { r.Body = []byte(`{"answer":"approve"}`) }, 400, "not-an-answer"},
		"another plan":   {func(r *desk.Request) { r.Body = []byte(`{"plan":"0123abce","answer":"approve"}`) }, 409, "other-plan"},
	} {
		d := newDesk(t, as)
		r := d.post()
		tt.change(&r)
		got := d.Handle(t.Context(), r)
		if got.Status != tt.status || !strings.Contains(string(got.Body), `"code":"`+tt.code+`"`) || len(d.answers()) > 0 || len(d.sent) > 0 {
			t.Errorf("%s: %d %s, kept %d, sent %d", name, got.Status, got.Body, len(d.answers()), len(d.sent))
		}
		if !strings.Contains(d.log.String(), `"error":"`+tt.code) {
			t.Errorf("%s: the log is %s", name, d.log.String())
		}
	}
}

// TestWhatPeopleAreNotAsked takes no answer: an incident that is somewhere else, or about another plan.
func TestWhatPeopleAreNotAsked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*incident.Incident)
		status int
	}{
		"applied":               {func(i *incident.Incident) { i.Outcome = incident.Applied }, 409},
		"escalated":             {func(i *incident.Incident) { i.Outcome = incident.Escalated }, 409},
		"resolved":              {func(i *incident.Incident) { i.Outcome = incident.Resolved }, 409},
		"refused":               {func(i *incident.Incident) { i.Outcome = incident.Refused }, 409},
		"nothing is proposed":   {func(i *incident.Incident) { i.Proposal = nil }, 409},
		"an older proposal":     {func(i *incident.Incident) { i.Plan = "ffff" }, 409},
		"declined by somebody":  {func(i *incident.Incident) { i.Outcome = incident.Declined }, 200},
		"it waits for approval": {as, 200},
	} {
		d := newDesk(t, tt.change)
		if got := d.Handle(t.Context(), d.post()); got.Status != tt.status || (len(d.answers()) > 0) != (tt.status == 200) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
}

// TestAnswerIsSealedForAWhile, kept under the caller's ARN, and the worker is told.
func TestAnswerIsSealedForAWhile(t *testing.T) {
	t.Parallel()
	d := newDesk(t, as)
	for range 2 { // the same again changes nothing
		got := d.Handle(t.Context(), d.post())
		var taken incident.Taken
		if err := json.Unmarshal(got.Body, &taken); err != nil || got.Status != 200 || taken.Missing != "" || taken.Approver != jane {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
	}
	counts, err := d.Answers.(*journal.Approvals).Answers(t.Context(), incident.Incident{ID: d.id, Plan: plan})
	if err != nil || len(counts) != 1 || counts[0].Approver != jane || counts[0].Answer != incident.Approve || !counts[0].Expires.Equal(d.now.Add(2*time.Hour)) {
		t.Errorf("what counts is %+v, %v", counts, err)
	}
	if len(d.sent) != 2 || d.sent[0].Incident != d.id {
		t.Errorf("sent %+v", d.sent)
	}
	for _, want := range []string{`"incident":"` + d.id, `"caller":"` + jane, `"reason":"looks right"`} {
		if !strings.Contains(d.log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, d.log.String())
		}
	}
}

// TestWhoIsMissing: whoever answers is told who else has to.
func TestWhoIsMissing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*incident.Incident)
		want   string
	}{
		"nobody":   {as, ""},
		"a second": {func(i *incident.Incident) { i.Proposal.People = 2 }, "one more person has to approve it"},
		"the same": {func(i *incident.Incident) { i.Proposal.People, i.Proposal.Approvers = 2, []string{jane} }, "one more person has to approve it"},
		"both":     {func(i *incident.Incident) { i.Proposal.People, i.Proposal.Approvers = 2, []string{john} }, ""},
		"not only the author": {func(i *incident.Incident) {
			i.Breaking = &incident.Call{Event: "PutKeyPolicy", Principal: jane}
		}, "somebody who did not make the change that broke the route has to approve it, too"},
	} {
		d := newDesk(t, tt.change)
		got := d.Handle(t.Context(), d.post())
		var taken incident.Taken
		if err := json.Unmarshal(got.Body, &taken); err != nil || got.Status != 200 || taken.Missing != tt.want {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
}

// TestShownIsWhatIsAsked and changes nothing, names no object, and is shown to nobody else.
func TestShownIsWhatIsAsked(t *testing.T) {
	t.Parallel()
	d := newDesk(t, as)
	before, err := d.kept.Get(t.Context(), d.id)
	if err != nil {
		t.Fatal(err)
	}
	r := desk.Request{Method: http.MethodGet, Path: "/incidents/" + d.id, Caller: jane}
	got := d.Handle(t.Context(), r)
	var asked incident.Asked
	if err := json.Unmarshal(got.Body, &asked); err != nil || got.Status != 200 || asked.Proposal == nil || asked.Proposal.Diff != "+ a statement" ||
		!asked.Expires.Equal(d.now.Add(2*time.Hour)) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if strings.Contains(string(got.Body), "passport") {
		t.Errorf("it names an object: %s", got.Body)
	}
	after, err := d.kept.Get(t.Context(), d.id)
	if err != nil || after.Revision != before.Revision || len(d.answers()) > 0 || len(d.sent) > 0 {
		t.Errorf("something was changed: %v", err)
	}
	r.Method = http.MethodPost
	if got := d.Handle(t.Context(), r); got.Status != 405 {
		t.Errorf("posted to what is shown: %d", got.Status)
	}
	r.Method, r.Caller = http.MethodGet, "arn:aws:iam::111122223333:user/mallory"
	if got := d.Handle(t.Context(), r); got.Status != 403 || strings.Contains(string(got.Body), plan) {
		t.Errorf("a stranger sees %d %s", got.Status, got.Body)
	}
}

// TestFaultsStayInside: what goes wrong is in the log, and not in what the caller gets. An answer that is kept and not handed over is told.
func TestFaultsStayInside(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*office){
		"reading": func(d *office) { d.Incidents = broken{} }, "keeping": func(d *office) { d.Answers = broken{} },
	} {
		d := newDesk(t, as)
		change(d)
		got := d.Handle(t.Context(), d.post())
		if got.Status != 500 || strings.Contains(string(got.Body), "dynamodb") || !strings.Contains(d.log.String(), "is throttled") || len(d.sent) > 0 {
			t.Errorf("%s: %d %s, log %s", name, got.Status, got.Body, d.log.String())
		}
	}
	d := newDesk(t, as)
	d.fail = errSecret
	if got := d.Handle(t.Context(), d.post()); got.Status != 503 || strings.Contains(string(got.Body), "dynamodb") || len(d.answers()) != 1 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	d.fail = nil
	if got := d.Handle(t.Context(), d.post()); got.Status != 200 || len(d.answers()) != 1 || len(d.sent) != 1 {
		t.Errorf("again: %d %s", got.Status, got.Body)
	}
}
