package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"github.com/replimend/replimend/internal/incident"
)

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

// Handle answers one request: GET /incidents/{id} shows what people are asked and changes nothing, POST /incidents/{id}/answer takes an
// answer. Whoever is not one of the approvers sees nothing, not even whether there is an incident.
func (d *Desk) Handle(ctx context.Context, r Request) Response {
	log := d.Log.With("caller", r.Caller, "method", r.Method)
	id, answers := deskPath(r.Path)
	if id != "" {
		log = log.With("incident", id)
	}
	status := http.StatusOK
	body, err := d.serve(ctx, r, id, answers)
	var why *Refused
	switch {
	case errors.As(err, &why):
		status = why.Status
	case err != nil: // what it says is for the log alone
		why, status = &Refused{Code: "internal", Text: "something went wrong: the log has it"}, http.StatusInternalServerError
	}
	if err != nil {
		body = map[string]any{"error": map[string]string{"code": why.Code, "message": why.Text}}
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

func (d *Desk) serve(ctx context.Context, r Request, id string, answers bool) (any, error) {
	switch {
	case r.Caller == "":
		return nil, Refuse(http.StatusForbidden, "nobody", "AWS does not say who calls: sign the request with your credentials")
	case !d.Settings.Approvals.Admits(r.Caller):
		return nil, d.notApprover(r.Caller)
	case id == "":
		return nil, Refuse(http.StatusNotFound, "no-such-path", "there are /incidents/INCIDENT and /incidents/INCIDENT/answer")
	}
	want := http.MethodGet
	if answers {
		want = http.MethodPost
	}
	if r.Method != want {
		return nil, Refuse(http.StatusMethodNotAllowed, "method", "this path takes %s", want)
	}
	var said incident.Said
	var err error
	if want == http.MethodPost {
		if said, err = read(r); err != nil {
			return nil, err
		}
	}
	i, err := d.Incident(ctx, id)
	if err != nil {
		return nil, err
	}
	expires := d.Now().Add(d.Settings.Approvals.Lasts())
	if want == http.MethodGet {
		return i.Asked(expires), nil
	}
	return d.Answer(ctx, i, said, r.Caller)
}

// read reads an answer as it is sent. What is not exactly one is refused.
func read(r Request) (incident.Said, error) {
	var said incident.Said
	if kind, _, err := mime.ParseMediaType(r.ContentType); err != nil || kind != "application/json" {
		return said, Refuse(http.StatusUnsupportedMediaType, "content-type", "want application/json")
	}
	if len(r.Body) > maxBody {
		return said, Refuse(http.StatusRequestEntityTooLarge, "too-long", "the limit is %d bytes", maxBody)
	}
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(&said); err != nil {
		return said, Refuse(http.StatusBadRequest, "not-an-answer",
			`want {"plan": HASH, "answer": "approve", "decline" or "undo"}, with a "reason" if you like, and nothing else`)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return said, Refuse(http.StatusBadRequest, "not-an-answer", "something follows the answer")
	}
	if said.Plan == "" || said.Answer != incident.Approve && said.Answer != incident.Decline && said.Answer != incident.Undo {
		return said, Refuse(http.StatusBadRequest, "not-an-answer",
			`"plan" is the hash of the plan that was shown, and "answer" approve, decline or undo`)
	}
	return said, nil
}
