package notify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/secret"
	"github.com/replimend/replimend/internal/settings"
)

// Teller tells targets what there is to tell, each at most once as far as it can be known: who is told is in the settings, what was said
// before is in the book. To a target whose answer is lost, or when the process ends between the answer and the book, the same may be
// said twice; PagerDuty takes the second for the first.
type Teller struct {
	Targets []settings.Target
	Book    Book
	Secrets interface {
		Get(ctx context.Context, arn string, fresh bool) (secret.Secret, error)
	}
	Client *Client
	Topics interface {
		Publish(ctx context.Context, in *sns.PublishInput, o ...func(*sns.Options)) (*sns.PublishOutput, error)
	}
	Events interface {
		Put(ctx context.Context, e Event) error
	}
	// Again sees to it that Tell is asked again, for that target alone.
	Again func(ctx context.Context, m incident.Message, target string, delay time.Duration) error
	// Link is where an incident is looked at and decided on, for an hour, and the code that is told beside it; "": there is no such page. Nil:
	// there never is.
	Link func(ctx context.Context, id, plan string, l settings.Language) (url, code string)
	// Decides says that somebody takes what people press, where a tool has buttons.
	Decides bool
	Now     func() time.Time

	with map[settings.Tool]tool // nil: tools
}

// Book is where it is kept what targets were told. What it does is said by incident.Notices.
type Book interface {
	Notice(ctx context.Context, id, target string) (incident.Notice, error)
	KeepNotice(ctx context.Context, n incident.Notice) (incident.Notice, error)
	Admit(ctx context.Context, target string, most int) (wait time.Duration, err error)
}

// TopicNeeds is the IAM actions that a Teller needs on the topics of the targets.
func TopicNeeds() []string { return []string{"sns:Publish"} }

// OnBus is the target of every message that the event bus is. It has no name that one of the settings can have.
const OnBus = "event bus"

// Fate is what became of a message for one target.
type Fate string

// The fates.
const (
	Sent   Fate = "sent"
	Held   Fate = "held back" // until it is no longer quiet, there is room again, or who has the word is done
	Known  Fate = "known"     // it was said before, or something later, or that nothing more is to be said
	Failed Fate = "failed"    // and the message has to come again
)

// Result is a fate with its reason, which has no secret in it.
type Result struct {
	Target string
	Tool   settings.Tool // "" for the bus
	Fate   Fate
	Err    error // of one that failed
}

// The times of telling.
const (
	// word is for how long somebody has the word: longer than a function runs.
	word = 2 * time.Minute
	// waits is after how long is asked again who has the word.
	waits = 15 * time.Second
	// reserve is the time that stays for the book when the tools took all that there was.
	reserve = 5 * time.Second
	// longestHold is for how long a queue holds a message back at most: then it is asked again.
	longestHold = 15 * time.Minute
)

// Tell tells each target that takes the message, and the event bus; or only one of them. It does so at the same time, so that none waits
// for another one, and gives what became of it for each, in their order. A target that takes no such message has no result.
func (t *Teller) Tell(ctx context.Context, m incident.Message, only string) []Result {
	digest := digestOf(m)
	type task struct {
		target settings.Target
		result *Result
	}
	all := []task{{target: settings.Target{Name: OnBus}}}
	for _, target := range t.Targets {
		all = append(all, task{target: target})
	}
	var wg sync.WaitGroup
	for i, x := range all {
		if only != "" && only != x.target.Name || !takes(x.target, m) {
			continue
		}
		wg.Go(func() {
			fate, err := t.tell(ctx, x.target, m, digest, only != "")
			if err != nil {
				fate, err = Failed, fmt.Errorf("tell %s: %w", x.target.Name, err)
			}
			if fate != "" {
				all[i].result = &Result{x.target.Name, x.target.Tool, fate, err}
			}
		})
	}
	wg.Wait()
	var out []Result
	for _, x := range all {
		if x.result != nil {
			out = append(out, *x.result)
		}
	}
	return out
}

// takes says whether messages of such accounts and labels are for the target. Where it is not known whose a route is, it may be anybody's.
func takes(t settings.Target, m incident.Message) bool {
	some := func(want, have []string) bool {
		return len(want) == 0 || slices.ContainsFunc(have, func(s string) bool { return slices.Contains(want, s) })
	}
	return (len(m.Accounts) == 0 || some(t.Accounts, m.Accounts)) && some(t.Labels, m.Labels)
}

// severe is how loud a severity is. One that is not known is as loud as can be.
func severe(s string) int {
	at := slices.Index([]string{string(incident.Info), string(incident.Warning), string(incident.Critical)}, s)
	if at < 0 {
		return int(^uint(0) >> 1)
	}
	return at
}

// digestOf stands for what a message says, whenever it is said.
func digestOf(m incident.Message) string {
	m.At, m.Exposure.AsOf = time.Time{}, time.Time{}
	text, err := json.Marshal(m)
	if err != nil { // of plain texts and times there is no such error
		text = []byte(m.Text())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// tell tells one target; again says that it was held back before. No fate: the target does not take the message.
func (t *Teller) tell(ctx context.Context, target settings.Target, m incident.Message, digest string, again bool) (Fate, error) {
	now := t.Now()
	about := cmp.Or(m.Incident, "none-"+digest)
	n, err := t.Book.Notice(ctx, about, target.Name)
	if err != nil {
		return "", err
	}
	heard := n.Said != "" || n.Held != ""
	bus := target.Name == OnBus
	switch {
	case !bus && !heard && severe(string(m.Severity)) < severe(cmp.Or(target.AtLeast, string(incident.Info))):
		return "", nil // of what a target heard of it is told the rest, however severe
	case n.Over || m.At.Before(n.Latest):
		return Known, nil
	case n.Said == digest:
		return Known, t.forget(ctx, n, m)
	case n.Until.After(now):
		return Held, t.Again(ctx, m, target.Name, waits)
	}
	wait := time.Duration(0)
	if !bus {
		if wait, err = t.hold(ctx, target, m, now); err != nil {
			return "", err
		}
	}
	if wait > 0 {
		if n.Held == digest && !again {
			return Held, nil // it waits in the queue since the message came the first time
		}
		if err := t.Again(ctx, m, target.Name, wait); err != nil {
			return "", err
		}
		n.Held, n.Latest = digest, m.At
		return Held, t.keep(ctx, n)
	}
	n.Latest, n.Until = m.At, now.Add(word)
	n, err = t.Book.KeepNotice(ctx, n)
	if errors.Is(err, incident.ErrStale) {
		return Held, t.Again(ctx, m, target.Name, waits)
	}
	if err != nil {
		return "", err
	}
	return t.speak(ctx, target, m, digest, n)
}

// forget has what is held back stay unsaid, because something is as it was said last.
func (t *Teller) forget(ctx context.Context, n incident.Notice, m incident.Message) error {
	if n.Held == "" {
		return nil
	}
	n.Held, n.Latest = "", m.At
	return t.keep(ctx, n)
}

// keep keeps a notice, unless somebody else kept another one: theirs is as good.
func (t *Teller) keep(ctx context.Context, n incident.Notice) error {
	if _, err := t.Book.KeepNotice(ctx, n); err != nil && !errors.Is(err, incident.ErrStale) {
		return err
	}
	return nil
}

// hold is for how long a message has to wait: until it is no longer quiet, or there is room for one more.
func (t *Teller) hold(ctx context.Context, target settings.Target, m incident.Message, now time.Time) (time.Duration, error) {
	if m.Severity != incident.Critical && target.Quiet.At(now) {
		for later := now.Truncate(time.Minute).Add(time.Minute); later.Sub(now) < longestHold; later = later.Add(time.Minute) {
			if !target.Quiet.At(later) {
				return later.Sub(now), nil
			}
		}
		return longestHold, nil
	}
	wait, err := t.Book.Admit(ctx, target.Name, cmp.Or(target.PerHour, settings.DefaultPerHour))
	return min(wait, longestHold), err
}

// speak says a message to a target whose word it has, and remembers what came of it, also when the time is over by then.
func (t *Teller) speak(ctx context.Context, target settings.Target, m incident.Message, digest string, n incident.Notice) (Fate, error) {
	within := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		within, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}
	ref, err := t.say(within, target, m, Ref{n.ID, n.Channel})
	n.Until = time.Time{}
	if err == nil {
		n.Said, n.At, n.Held, n.Over, n.ID, n.Channel = digest, t.Now(), "", m.Over(), ref.ID, ref.Channel
	}
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), reserve)
	defer cancel()
	if _, e := t.Book.KeepNotice(keeping, n); e != nil {
		return "", errors.Join(err, e)
	}
	if err != nil {
		return "", err
	}
	return Sent, nil
}

// say says a message, in place of or after what was said before. Where what was said is gone it is said anew, and with the secret as it
// is now where the tool does not take the one that was read.
func (t *Teller) say(ctx context.Context, target settings.Target, m incident.Message, before Ref) (Ref, error) {
	if target.Name == OnBus {
		return Ref{}, t.Events.Put(ctx, EventOf(m))
	}
	with, ok := t.tools()[target.Tool]
	if !ok {
		return Ref{}, fmt.Errorf("there is no tool %q", target.Tool)
	}
	view := Of(m, target)
	if !t.Decides {
		view.Decisions = nil
	}
	t.link(ctx, &view, m, target.Language)
	if target.Tool.ByTopic() {
		return t.publish(ctx, with, target, view, before)
	}
	read, err := t.Secrets.Get(ctx, target.Secret.String(), false)
	if err != nil {
		return Ref{}, err
	}
	ref, err := t.send(ctx, with, target, view, before, read)
	var no *Refusal
	if errors.As(err, &no) && no.Gone && before != (Ref{}) {
		before = Ref{}
		ref, err = t.send(ctx, with, target, view, before, read)
	}
	if errors.As(err, &no) && no.stale() {
		now, e := t.Secrets.Get(ctx, target.Secret.String(), true)
		if e == nil && now != read {
			return t.send(ctx, with, target, view, before, now)
		}
	}
	return ref, err
}

// link adds the link to a view. It is no part of what was said: a link that is made anew is no news.
func (t *Teller) link(ctx context.Context, v *View, m incident.Message, l settings.Language) {
	if t.Link == nil || v.Incident == "" {
		return
	}
	url, code := t.Link(ctx, v.Incident, m.Plan, l)
	if url == "" {
		return
	}
	v.Link, v.LinkText = url, catalogue.ToPage(l)
	if !m.Over() { // there is nothing left to decide then
		v.Code = catalogue.PageCode(l, code)
	}
}

func (t *Teller) tools() map[settings.Tool]tool {
	if t.with != nil {
		return t.with
	}
	return tools
}

// stale says whether the secret may be an old one. A webhook that was made anew leaves nothing where it was, and Slack says with a status
// of 200 that it does not know a token.
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
func (r *Refusal) stale() bool {
	return slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone}, r.Status) ||
		slices.Contains([]string{"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"}, r.Code)
}

// send sends everything that says a message. What is shown is known from the answer to the first request.
func (t *Teller) send(ctx context.Context, with tool, target settings.Target, v View, before Ref, s secret.Secret) (Ref, error) {
	first, err := with.compose(target, v, before)
	if err != nil {
		return Ref{}, err
	}
	var ref Ref
	for i, r := range append([]Request{first}, first.Then...) {
		err := t.Client.send(ctx, r, s, with.hosts(target), func(answer Response) error {
			shown, err := with.read(answer, before)
			if i == 0 && err == nil {
				ref = shown
			}
			return err
		})
		if err != nil {
			return Ref{}, err
		}
	}
	return ref, nil
}

// publish says a message by the target's topic.
func (t *Teller) publish(ctx context.Context, with tool, target settings.Target, v View, before Ref) (Ref, error) {
	r, err := with.compose(target, v, before)
	if err != nil {
		return Ref{}, err
	}
	in := &sns.PublishInput{TopicArn: aws.String(target.Topic.String()), Message: aws.String(string(r.Body))}
	if s := r.Header["Subject"]; s != "" {
		in.Subject = aws.String(s)
	}
	if _, err := t.Topics.Publish(ctx, in); err != nil {
		return Ref{}, fmt.Errorf("publish to %s: %w", target.Topic, err)
	}
	return with.read(Response{Status: http.StatusOK}, before)
}
