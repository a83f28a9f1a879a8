// Package desk is where people decide: it shows what they are asked, and seals and keeps what they say, whichever way they come. A Desk
// knows who they are because whoever let them in does: AWS for the URL with signed requests, which is here, Slack for its buttons, and an
// OpenID provider for the page.
package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/seal"
	"github.com/replimend/replimend/internal/settings"
)

// Desk takes what people decide. It carries out nothing: that a plan is still the one that somebody approved, that enough people did, and
// that what is to be taken back still stands, is for the worker to find.
//
// What it may do is all that it can do: see package needs.
type Desk struct {
	Incidents interface {
		// Get is incident.ErrNotFound where there is none.
		Get(ctx context.Context, id string) (incident.Incident, error)
	}
	Answers interface {
		// Give seals an answer and keeps it; incident.ErrStale where the same person gave a later one.
		Give(ctx context.Context, a incident.Approval) (incident.Approval, error)
	}
	Silences interface {
		Suppress(ctx context.Context, s incident.Suppression) error
	}
	Settings *settings.Settings
	Work     deployed.Sender
	Log      *slog.Logger
	Now      func() time.Time
}

// Store is where it is kept what people are asked and what they say, with the key that seals it.
type Store struct {
	Incidents *journal.Table
	Answers   *journal.ApprovalTable
	Seal      seal.KMS
}

// NewStore reaches AWS with that configuration. It makes no call.
func NewStore(c deployed.Config, cfg aws.Config) Store {
	tables := dynamodb.NewFromConfig(cfg)
	return Store{
		Incidents: &journal.Table{Client: tables, Name: c.Table, Now: time.Now},
		Answers:   &journal.ApprovalTable{Client: tables, Name: c.Approvals, Now: time.Now},
		Seal:      seal.KMS{Client: kms.NewFromConfig(cfg), Key: c.Seal},
	}
}

// Desk is one that keeps it there, and tells the worker of the configuration. It makes no call.
func (s Store) Desk(c deployed.Config, cfg aws.Config, log *slog.Logger) *Desk {
	return &Desk{
		Incidents: s.Incidents, Answers: &journal.Approvals{Kept: s.Answers, Sealer: s.Seal, Now: time.Now}, Silences: s.Incidents,
		Settings: c.Settings, Work: queue.Queue{Client: sqs.NewFromConfig(cfg), URL: c.Work}, Log: log, Now: time.Now,
	}
}

// New reaches AWS with that configuration. It makes no call.
func New(c deployed.Config, cfg aws.Config, log *slog.Logger) *Desk {
	return NewStore(c, cfg).Desk(c, cfg, log)
}

// Refused is why somebody does not get what they asked for, in words that are fit for them.
type Refused struct {
	Status int    // of HTTP
	Code   string // in kebab-case
	Text   string
}

// Error is the code and the text.
func (r *Refused) Error() string { return r.Code + ": " + r.Text }

// Refuse is a *Refused.
func Refuse(status int, code, format string, args ...any) error {
	return &Refused{status, code, fmt.Sprintf(format, args...)}
}

// Incident is the incident of that ID. The error is a *Refused where there is none.
func (d *Desk) Incident(ctx context.Context, id string) (incident.Incident, error) {
	i, err := d.Incidents.Get(ctx, id)
	if errors.Is(err, incident.ErrNotFound) {
		return i, Refuse(http.StatusNotFound, "no-such-incident", "there is no incident %s", id)
	}
	return i, err
}

// Answer takes what somebody says of the plan of an incident. Who is known by an ARN and is not an approver is refused; incident.ByCode may
// decline alone. An error that is no *Refused is for the log, and not for them.
//
// It seals the answer, keeps it, and tells the worker. The same answer again is kept in the place of the first and tells the worker again:
// that is how somebody makes up for a message that was lost. It counts longer, and still for one cure: the worker takes none that was
// given before people were asked.
func (d *Desk) Answer(ctx context.Context, i incident.Incident, said incident.Said, who string) (incident.Taken, error) {
	if err := d.Takes(i, said, who); err != nil {
		return incident.Taken{}, err
	}
	now := d.Now().UTC()
	a, err := d.Answers.Give(ctx, incident.Approval{
		Incident: i.ID, Plan: i.Plan, Answer: said.Answer, Approver: who, At: now, Expires: now.Add(d.Settings.Approvals.Lasts()),
	})
	if errors.Is(err, incident.ErrStale) {
		return incident.Taken{}, Refuse(http.StatusConflict, "later-answer", "you gave a later answer than this one: it stands")
	}
	if err != nil {
		return incident.Taken{}, err
	}
	d.Log.InfoContext(ctx, "answered", "incident", i.ID, "by", who, "plan", a.Plan, "answer", a.Answer, "expires", a.Expires,
		"reason", incident.Line(said.Reason))
	if err := d.tell(ctx, i); err != nil {
		return incident.Taken{}, err
	}
	return incident.Taken{
		Incident: i.ID, Plan: a.Plan, Answer: a.Answer, Approver: a.Approver, Expires: a.Expires, Missing: d.missing(i, a),
	}, nil
}

// Takes says, as a *Refused, why an answer of somebody is not taken; nil: it is, unless they gave a later one. It changes nothing.
func (d *Desk) Takes(i incident.Incident, said incident.Said, who string) error {
	byCode := who == incident.ByCode && said.Answer == incident.Decline
	switch {
	case !byCode && !d.Settings.Approvals.Admits(who):
		return d.notApprover(who)
	case said.Answer == incident.Undo && !i.Stands():
		return Refuse(http.StatusConflict, "nothing-to-undo", "nothing that was written for incident %s stands", i.ID)
	case said.Answer != incident.Undo && !i.Answerable():
		return Refuse(http.StatusConflict, "not-asked", "nobody is asked about incident %s: it is %s", i.ID, i.Outcome)
	case said.Plan != i.Plan:
		return Refuse(http.StatusConflict, "other-plan", "the plan is another one by now: look at the incident again before you answer")
	}
	return nil
}

// notApprover refuses somebody.
func (d *Desk) notApprover(who string) error {
	return Refuse(http.StatusForbidden, "not-an-approver", "%s is not one of approvals.approvers of the deployed settings", who)
}

// LongestSilence is for how long the desk silences a route at most. What is to be silent longer is for somebody at a terminal.
const LongestSilence = 7 * 24 * time.Hour

// Silence silences the route of an incident for a time: the causes that it has now, each by itself, so that another one is heard; where
// there is none, everything. Approvers may, and incident.ByCode. An error that is no *Refused is for the log.
func (d *Desk) Silence(ctx context.Context, i incident.Incident, lasts time.Duration, who, reason string) error {
	if err := d.TakesSilence(i, lasts, who); err != nil {
		return err
	}
	causes := i.Causes
	if len(causes) == 0 {
		causes = []string{""}
	}
	expires := d.Now().UTC().Add(lasts)
	for _, cause := range causes {
		err := d.Silences.Suppress(ctx, incident.Suppression{
			Route: i.Route, Cause: cause, Owner: who, Reason: cmp.Or(incident.Line(reason), "no reason was given"), Expires: expires,
		})
		if err != nil {
			return err
		}
	}
	d.Log.InfoContext(ctx, "silenced", "incident", i.ID, "by", who, "causes", causes, "expires", expires, "reason", incident.Line(reason))
	return d.tell(ctx, i)
}

// TakesSilence says, as a *Refused, why somebody may not silence the route of an incident for a time; nil: they may. It changes nothing.
func (d *Desk) TakesSilence(i incident.Incident, lasts time.Duration, who string) error {
	switch {
	case who != incident.ByCode && !d.Settings.Approvals.Admits(who):
		return d.notApprover(who)
	case i.Over():
		return Refuse(http.StatusConflict, "over", "incident %s is over: there is nothing to silence", i.ID)
	case lasts <= 0 || lasts > LongestSilence:
		return Refuse(http.StatusBadRequest, "time", "a route is silenced for %d days at most", int(LongestSilence.Hours()/24))
	}
	return nil
}

// tell tells the worker that something was decided.
func (d *Desk) tell(ctx context.Context, i incident.Incident) error {
	if err := d.Work.Send(ctx, queue.Work{Incident: i.ID}, 0); err != nil {
		d.Log.ErrorContext(ctx, "not handed over", "incident", i.ID, "error", err.Error())
		return Refuse(http.StatusServiceUnavailable, "not-handed-over",
			"the answer is kept, but the worker could not be told of it: send it again, which is safe")
	}
	return nil
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
