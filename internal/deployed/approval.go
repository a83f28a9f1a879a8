package deployed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/settings"
)

// Desk is where people answer. It shows what they are asked, and seals and keeps what they say. It carries out nothing: that a plan is
// still the one that somebody approved, and that enough people did, is for the worker to find.
//
// What it may do is all that it can do: see package needs.
type Desk struct {
	Incidents interface {
		Get(ctx context.Context, id string) (incident.Incident, error)
	}
	Answers interface {
		Give(ctx context.Context, a incident.Approval) (incident.Approval, error)
	}
	Settings *settings.Settings
	Work     Sender
	Log      *slog.Logger
	Now      func() time.Time
}

// NewDesk reaches AWS with that configuration. It makes no call.
func NewDesk(c Config, cfg aws.Config, log *slog.Logger) *Desk {
	tables := dynamodb.NewFromConfig(cfg)
	return &Desk{
		Incidents: &journal.Table{Client: tables, Name: c.Table, Now: time.Now},
		Answers: &journal.Approvals{
			Kept:   &journal.ApprovalTable{Client: tables, Name: c.Approvals, Now: time.Now},
			Sealer: journal.KMS{Client: kms.NewFromConfig(cfg), Key: c.Seal}, Now: time.Now,
		},
		Settings: c.Settings, Work: queue.Queue{Client: sqs.NewFromConfig(cfg), URL: c.Work}, Log: log, Now: time.Now,
	}
}

// Request is what somebody asks of a Desk, over HTTP.
type Request struct {
	Method, Path string
	ContentType  string
	Body         []byte
	// Caller is the ARN that AWS says the caller's credentials have; "": nobody proved who they are.
	Caller string
}

// Response is a status of HTTP, and a body in JSON.
type Response struct {
	Status int
	Body   []byte
}

// maxBody bounds what somebody sends, in bytes. An answer has a few hundred.
const maxBody = 4 << 10

// refused is why somebody gets no answer, in words that are fit for them.
type refused struct {
	status     int
	code, text string
}

func (r *refused) Error() string { return r.code + ": " + r.text }

func refuse(status int, code, format string, args ...any) error {
	return &refused{status, code, fmt.Sprintf(format, args...)}
}

// Handle answers one request: GET /incidents/{id} shows what people are asked and changes nothing, POST /incidents/{id}/answer takes an
// answer. Whoever is not one of the approvers sees nothing, not even whether there is an incident.
func (d *Desk) Handle(ctx context.Context, r Request) Response {
	log := d.Log.With("caller", r.Caller, "method", r.Method)
	id, answers := deskPath(r.Path)
	if id != "" {
		log = log.With("incident", id)
	}
	status := http.StatusOK
	body, err := d.serve(ctx, log, r, id, answers)
	var why *refused
	switch {
	case errors.As(err, &why):
		status = why.status
	case err != nil: // what it says is for the log alone
		why, status = &refused{code: "internal", text: "something went wrong: the log has it"}, http.StatusInternalServerError
	}
	if err != nil {
		body = map[string]any{"error": map[string]string{"code": why.code, "message": why.text}}
	}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	attributes := []slog.Attr{slog.Int("status", status)}
	if err != nil {
		attributes = append(attributes, slog.String("error", err.Error()))
	}
	log.LogAttrs(ctx, level, "request", attributes...)
	text, err := json.Marshal(body)
	if err != nil {
		log.ErrorContext(ctx, "print response", "error", err.Error())
		return Response{Status: http.StatusInternalServerError, Body: []byte(`{}`)}
	}
	return Response{status, text}
}

// deskPath takes a path apart: which incident it is about, "" for no path of ours, and whether it is where answers are given.
func deskPath(path string) (id string, answers bool) {
	id, ok := strings.CutPrefix(path, "/incidents/")
	id, answers = strings.CutSuffix(id, "/answer")
	if !ok || !incident.IsID(id) {
		return "", false
	}
	return id, answers
}

func (d *Desk) serve(ctx context.Context, log *slog.Logger, r Request, id string, answers bool) (any, error) {
	switch {
	case r.Caller == "":
		return nil, refuse(http.StatusForbidden, "nobody", "AWS does not say who calls: sign the request with your credentials")
	case !d.Settings.Approvals.Admits(r.Caller):
		return nil, refuse(http.StatusForbidden, "not-an-approver", "%s is not one of approvals.approvers of the deployed settings", r.Caller)
	case id == "":
		return nil, refuse(http.StatusNotFound, "no-such-path", "there are /incidents/INCIDENT and /incidents/INCIDENT/answer")
	}
	want := http.MethodGet
	if answers {
		want = http.MethodPost
	}
	if r.Method != want {
		return nil, refuse(http.StatusMethodNotAllowed, "method", "this path takes %s", want)
	}
	var said incident.Said
	var err error
	if want == http.MethodPost {
		if said, err = read(r); err != nil {
			return nil, err
		}
	}
	i, err := d.Incidents.Get(ctx, id)
	if errors.Is(err, incident.ErrNotFound) {
		return nil, refuse(http.StatusNotFound, "no-such-incident", "there is no incident %s", id)
	}
	if err != nil {
		return nil, err
	}
	expires := d.Now().Add(d.Settings.Approvals.Lasts())
	if want == http.MethodGet {
		return i.Asked(expires), nil
	}
	return d.take(ctx, log, i, said, r.Caller)
}

// read reads an answer as it is sent. What is not exactly one is refused.
func read(r Request) (incident.Said, error) {
	var said incident.Said
	if kind, _, err := mime.ParseMediaType(r.ContentType); err != nil || kind != "application/json" {
		return said, refuse(http.StatusUnsupportedMediaType, "content-type", "want application/json")
	}
	if len(r.Body) > maxBody {
		return said, refuse(http.StatusRequestEntityTooLarge, "too-long", "the limit is %d bytes", maxBody)
	}
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(&said); err != nil {
		return said, refuse(http.StatusBadRequest, "not-an-answer",
			`want {"plan": HASH, "answer": "approve" or "decline"}, with a "reason" if you like, and nothing else`)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return said, refuse(http.StatusBadRequest, "not-an-answer", "something follows the answer")
	}
	if said.Plan == "" || said.Answer != incident.Approve && said.Answer != incident.Decline {
		return said, refuse(http.StatusBadRequest, "not-an-answer",
			`"plan" is the hash of the plan that was shown, and "answer" approve or decline`)
	}
	return said, nil
}

// take seals an answer, keeps it, and tells the worker. The same answer again is kept in the place of the first and tells the worker again:
// that is how somebody makes up for a message that was lost. It counts longer, and still for one cure: the worker takes none that was
// given before people were asked.
func (d *Desk) take(ctx context.Context, log *slog.Logger, i incident.Incident, said incident.Said, caller string) (any, error) {
	switch {
	case !i.Answerable():
		return nil, refuse(http.StatusConflict, "not-asked", "nobody is asked about incident %s: it is %s", i.ID, i.Outcome)
	case said.Plan != i.Plan:
		return nil, refuse(http.StatusConflict, "other-plan", "the plan is another one by now: look at the incident again before you answer")
	}
	now := d.Now().UTC()
	a, err := d.Answers.Give(ctx, incident.Approval{
		Incident: i.ID, Plan: i.Plan, Answer: said.Answer, Approver: caller, At: now, Expires: now.Add(d.Settings.Approvals.Lasts()),
	})
	if errors.Is(err, incident.ErrStale) {
		return nil, refuse(http.StatusConflict, "later-answer", "you gave a later answer than this one: it stands")
	}
	if err != nil {
		return nil, err
	}
	log.InfoContext(ctx, "answered", "plan", a.Plan, "answer", a.Answer, "expires", a.Expires, "reason", incident.Line(said.Reason))
	if err := d.Work.Send(ctx, queue.Work{Incident: i.ID}, 0); err != nil {
		log.ErrorContext(ctx, "not handed over", "error", err.Error())
		return nil, refuse(http.StatusServiceUnavailable, "not-handed-over",
			"the answer is kept, but the worker could not be told of it: send it again, which is safe")
	}
	return incident.Taken{
		Incident: i.ID, Plan: a.Plan, Answer: a.Answer, Approver: a.Approver, Expires: a.Expires, Missing: d.missing(i, a),
	}, nil
}

// missing says who still has to approve beside who did by the worker's last look, and by this answer.
func (d *Desk) missing(i incident.Incident, a incident.Approval) string {
	if a.Answer != incident.Approve {
		return ""
	}
	answers := []incident.Approval{a}
	for _, who := range i.Proposal.Approvers {
		answers = append(answers, incident.Approval{Answer: incident.Approve, Approver: who})
	}
	return guard.CheckApprovals(i.Proposal.People, answers, i.Breaking, d.Settings).Missing
}
