package site

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/link"
	"github.com/replimend/replimend/internal/page"
)

// silence is the decision that is no answer.
const silence = page.Silence

// decidable is what somebody who signed in can decide about an incident now.
func decidable(i incident.Incident) []string {
	var out []string
	if i.Answerable() {
		out = append(out, string(incident.Approve), string(incident.Decline))
	}
	if i.Stands() && i.Plan != "" {
		out = append(out, string(incident.Undo))
	}
	if !i.Over() {
		out = append(out, silence)
	}
	return out
}

// byCode is what whoever has the code of a link can decide.
func byCode(i incident.Incident, l link.Link) []string {
	return slices.DeleteFunc(decidable(i), func(decision string) bool { return !permits(l, decision, i.Plan) })
}

// permits says whether a link and its code permit a decision. What a plan is declined by is its own link: whoever has it was shown it.
func permits(l link.Link, decision, plan string) bool {
	switch decision {
	case string(incident.Decline):
		return l.Scope&link.Decline != 0 && l.Of(plan)
	case silence:
		return l.Scope&link.Silence != 0
	}
	return false
}

// The bounds of what people send: a form in bytes, and how many codes are taken for one link, right or wrong.
const (
	maxForm  = 8 << 10
	maxTries = 5
)

// fields is the fields of a form that was sent from the page itself, each of those names and at most once.
func (v *visit) fields(names ...string) (map[string]string, error) {
	// Browsers say where a form comes from. What has no such header does not come from a browser.
	if err := http.NewCrossOriginProtection().Check(v.r); err != nil {
		return nil, no(http.StatusForbidden, "cross-origin")
	}
	if kind, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, no(http.StatusUnsupportedMediaType, "not-a-form")
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.w, v.r.Body, maxForm))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return nil, no(http.StatusRequestEntityTooLarge, "too-long", maxForm)
	}
	if err != nil {
		return nil, no(http.StatusBadRequest, "not-a-form")
	}
	sent, err := url.ParseQuery(string(body))
	if err != nil || v.r.URL.RawQuery != "" {
		return nil, no(http.StatusBadRequest, "not-a-form")
	}
	out := map[string]string{}
	for name, values := range sent {
		if len(values) != 1 || !slices.Contains(names, name) {
			return nil, no(http.StatusBadRequest, "not-a-form")
		}
		out[name] = values[0]
	}
	return out, nil
}

// decision is what somebody sends about an incident.
type decision struct {
	said  incident.Said // Answer is silence, too
	lasts time.Duration // of a silence
	who   string
	// word is spent on it, before it is kept: what is sent twice is kept once. until is when it is refused by itself.
	word  string
	until time.Time
	// link is by which it comes, nil where somebody signed in, and code is what they typed.
	link *link.Link
	code string
}

// decide takes what somebody decides. First is found out whether it would be taken, so that nothing is spent on what is not.
func (v *visit) decide() error {
	fields, err := v.fields("decision", "plan", "csrf", "token", "code", "hours", "reason")
	if err != nil {
		return err
	}
	d := decision{said: incident.Said{
		Plan: fields["plan"], Answer: incident.Answer(fields["decision"]), Reason: incident.Line(fields["reason"]),
	}}
	switch d.said.Answer {
	case incident.Approve, incident.Decline, incident.Undo:
		if d.said.Plan == "" {
			return no(http.StatusBadRequest, "not-a-form")
		}
	case silence:
		n, err := strconv.Atoi(fields["hours"])
		if err != nil || strconv.Itoa(n) != fields["hours"] || !slices.Contains(page.Hours(), n) {
			return no(http.StatusBadRequest, "not-a-form")
		}
		d.lasts = time.Duration(n) * time.Hour
	default:
		return no(http.StatusBadRequest, "not-a-form")
	}
	if err := v.by(&d, fields); err != nil {
		return err
	}
	ctx := v.r.Context()
	i, err := v.Desk.Incident(ctx, v.id)
	if err != nil {
		return err
	}
	if err := v.taken(i, d); err != nil {
		return err
	}
	if d.link != nil {
		if err := v.try(ctx, d); err != nil {
			return err
		}
	}
	switch err := v.Words.Spend(ctx, d.word, d.until); {
	case errors.Is(err, incident.ErrUsed):
		return v.again(ctx, i, d)
	case err != nil:
		return err
	}
	return v.keepDecision(ctx, i, d)
}

// by finds out who decides: whoever signed in, with a form that they were shown, or else whoever has a link and its code.
func (v *visit) by(d *decision, fields map[string]string) error {
	if v.who != nil {
		f, err := v.formOf(fields["csrf"])
		if err != nil {
			return err
		}
		d.who, d.word, d.until = v.who.ARN, "form#"+f.Nonce+"#"+string(d.said.Answer), time.Unix(v.who.Expires, 0)
		return nil
	}
	if fields["token"] == "" {
		return no(http.StatusForbidden, "session-ended")
	}
	l, err := v.linked(fields["token"])
	if err != nil {
		return err
	}
	switch {
	case d.said.Answer == incident.Approve || d.said.Answer == incident.Undo:
		return no(http.StatusForbidden, "sign-in-to-decide")
	case !permits(l, string(d.said.Answer), d.said.Plan):
		return no(http.StatusConflict, "other-plan")
	}
	d.who, d.link, d.code, d.until = incident.ByCode, &l, fields["code"], l.Expires
	d.word = fmt.Sprintf("link#%x#%s", l.Nonce, d.said.Answer)
	return nil
}

// taken says why the desk would not take a decision.
func (v *visit) taken(i incident.Incident, d decision) error {
	if d.said.Answer == silence {
		return v.Desk.TakesSilence(i, d.lasts, d.who)
	}
	return v.Desk.Takes(i, d.said, d.who)
}

// try takes one of the few times that somebody may say the code of a link, before it is looked at: also of many who try at the same time
// no more than that have an answer.
func (v *visit) try(ctx context.Context, d decision) error {
	for n := range maxTries {
		err := v.Words.Spend(ctx, fmt.Sprintf("link#%x#try#%d", d.link.Nonce, n+1), d.until)
		switch {
		case errors.Is(err, incident.ErrUsed):
			continue
		case err != nil:
			return err
		case !v.secret.HasCode(*d.link, d.code):
			return no(http.StatusForbidden, "wrong-code")
		}
		return nil
	}
	return no(http.StatusForbidden, "no-more-codes")
}

// again is what is said to whoever sends a form, or uses a link, for the second time: what is kept, and nothing else is done.
func (v *visit) again(ctx context.Context, i incident.Incident, d decision) error {
	if d.said.Answer == silence {
		return no(http.StatusConflict, "silence-sent-before")
	}
	kept, ok, err := v.Answers.Given(ctx, i.ID, d.said.Plan, d.who)
	switch {
	case err != nil:
		return err
	case d.link != nil && ok:
		return no(http.StatusConflict, "used", string(kept.Answer), catalogue.Short(kept.Plan), catalogue.Moment(v.language, kept.At))
	case ok:
		return no(http.StatusConflict, "sent-before", string(kept.Answer), catalogue.Short(kept.Plan), catalogue.Moment(v.language, kept.At))
	case d.link != nil:
		return no(http.StatusConflict, "used-for-nothing")
	}
	return no(http.StatusConflict, "nothing-kept")
}

// keepDecision hands a decision to the desk, and says what came of it.
func (v *visit) keepDecision(ctx context.Context, i incident.Incident, d decision) error {
	if d.said.Answer == silence {
		if err := v.Desk.Silence(ctx, i, d.lasts, d.who, d.said.Reason); err != nil {
			return err
		}
		return no(http.StatusOK, "silenced", catalogue.Moment(v.language, v.Now().Add(d.lasts)))
	}
	taken, err := v.Desk.Answer(ctx, i, d.said, d.who)
	if err != nil {
		return err
	}
	plan, until := catalogue.Short(taken.Plan), catalogue.Moment(v.language, taken.Expires)
	switch {
	case taken.Answer == incident.Decline:
		return no(http.StatusOK, "declined", plan)
	case taken.Answer == incident.Undo:
		return no(http.StatusOK, "undo-asked")
	case taken.Missing != "":
		return no(http.StatusOK, "approved-one-more", plan, until, taken.Missing)
	}
	return no(http.StatusOK, "approved", plan, until)
}
