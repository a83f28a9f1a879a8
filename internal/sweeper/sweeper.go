// Package sweeper is the function that looks at what no event tells of.
package sweeper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/deployed"
	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/queue"
	"github.com/replimend/replimend/internal/remedy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// Sweeper looks at everything that no event told of: every route of every member, incidents whose message was lost, suppressions that have
// ended. It writes no document and opens no incident: it tells the worker where to look.
type Sweeper struct {
	Settings *settings.Settings
	Cloud    Surveyor
	Record   Record
	Ended    interface { // tells people of the end of a suppression
		TellEnded(ctx context.Context, s incident.Suppression, open incident.Summary) error
	}
	Work deployed.Sender
	Own  interface { // the sweep's own queue
		SendSweep(ctx context.Context, s queue.Sweep) error
	}
	Log *slog.Logger
	Now func() time.Time
}

// Surveyor reads what there is in an account and Region. An awscloud.Reader does.
type Surveyor interface {
	Buckets(ctx context.Context, account, region string) ([]string, error)
	ReplicatingOf(ctx context.Context, account, region string, names []string) (buckets []string, unread map[string]string, err error)
	Survey(ctx context.Context, sources []string) (*snapshot.Snapshot, error)
}

// Record is what a sweep wants of a journal.
type Record interface {
	List(ctx context.Context, f incident.Filter) ([]incident.Summary, error)
	Silences(ctx context.Context) ([]incident.Suppression, error)
	Lift(ctx context.Context, s incident.Suppression) error
}

// New reaches AWS with that configuration, and members through their reader roles alone. It makes no call.
func New(c deployed.Config, cfg aws.Config, log *slog.Logger) *Sweeper {
	accounts := awscloud.NewAccounts(awscloud.Access{Base: cfg, Members: c.Settings.Members})
	reader := awscloud.NewReader(accounts, awscloud.ReadOptions{Approved: c.Settings.Routes, Guardrails: true, Now: time.Now})
	return &Sweeper{
		Settings: c.Settings, Cloud: reader,
		Record: &journal.Table{Client: dynamodb.NewFromConfig(cfg), Name: c.Table, Now: time.Now},
		Ended:  &remedy.Workflow{Settings: c.Settings, Snapshotter: reader, Notifier: deployed.Notices{Log: log, To: deployed.NoticesTo(c, cfg)}, Now: time.Now},
		Work:   queue.Queue{Client: sqs.NewFromConfig(cfg), URL: c.Work},
		Own:    queue.Queue{Client: sqs.NewFromConfig(cfg), URL: c.Sweep},
		Log:    log, Now: time.Now,
	}
}

// Scheduled says whether an event begins a sweep; false: it is a batch of messages. It begins one when it is an object without Records
// whose detail-type, where it has one, is that of a schedule: {} does, and what EventBridge Scheduler and a scheduled rule send. Any other
// event that a rule sends here by mistake is an error, so that a busy bucket does not have everything swept for each of its objects.
// https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
func Scheduled(event []byte) (bool, error) {
	var members map[string]json.RawMessage // by their exact names
	if err := json.Unmarshal(event, &members); err != nil || members == nil {
		return false, errors.New("read event: it is no JSON object")
	}
	if _, ok := members["Records"]; ok {
		return false, nil
	}
	kind, ok := members["detail-type"]
	if ok && string(kind) != `"Scheduled Event"` {
		return false, fmt.Errorf("read event: %.80q is no schedule and no batch of messages", kind)
	}
	return true, nil
}

// Begin has every account and Region of the members swept, hands lost work over, and tells of suppressions that have ended. It does as
// much of it as it can. Begun again after an error, it repeats what it did: no harm, and each incident is looked at once more.
func (s *Sweeper) Begin(ctx context.Context) error {
	errs := []error{s.fanOut(ctx)}
	open, err := s.open(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	silences, err := s.Record.Silences(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	var ended []incident.Suppression
	inForce := map[incident.Route][]incident.Suppression{}
	for _, x := range silences {
		if x.Ended(s.Now()) {
			ended = append(ended, x)
		} else {
			inForce[x.Route] = append(inForce[x.Route], x)
		}
	}
	byRoute := map[incident.Route]incident.Summary{}
	resumed := 0
	for _, i := range open {
		byRoute[i.Route] = i
		if !remedy.Revisits(i, inForce[i.Route]) {
			continue
		}
		err := s.Work.Send(ctx, queue.Work{Incident: i.ID}, 0)
		if err == nil {
			resumed++
		}
		errs = append(errs, err)
	}
	for _, x := range ended {
		errs = append(errs, s.end(ctx, x, byRoute[x.Route]))
	}
	s.Log.InfoContext(ctx, "sweep begun", "open", len(open), "resumed", resumed, "suppressions", len(silences), "ended", len(ended))
	return errors.Join(errs...)
}

// fanOut sends one message for each account and Region.
func (s *Sweeper) fanOut(ctx context.Context) error {
	var errs []error
	for _, m := range s.Settings.Members {
		for _, region := range m.Regions {
			errs = append(errs, s.Own.SendSweep(ctx, queue.Sweep{Account: m.Account, Region: region}))
		}
	}
	for _, r := range s.Settings.Routes {
		if !s.swept(r.Source.Account, r.Source.Region) {
			s.Log.WarnContext(ctx, "approved route is not swept: no member has its account and Region", "route", r.Name)
		}
	}
	return errors.Join(errs...)
}

func (s *Sweeper) swept(account, region string) bool {
	m, ok := s.Settings.Member(account)
	return ok && slices.Contains(m.Regions, region)
}

// open is every incident that is not over.
func (s *Sweeper) open(ctx context.Context) ([]incident.Summary, error) {
	var out []incident.Summary
	f := incident.Filter{Open: true}
	for {
		page, err := s.Record.List(ctx, f)
		out = append(out, page...)
		if err != nil || len(page) < f.Most() {
			return out, err
		}
		f.After = page[len(page)-1]
	}
}

// end tells people of the end of a suppression, and removes it, in that order: who ends in between does it again the next time, so that
// people hear of it once, or twice, and never not at all. The route's incident is gone on with like any other.
func (s *Sweeper) end(ctx context.Context, x incident.Suppression, open incident.Summary) error {
	if err := s.Ended.TellEnded(ctx, x, open); err != nil {
		return fmt.Errorf("tell of the end of the suppression of %s: %w", x.Route, err)
	}
	return s.Record.Lift(ctx, x)
}

// Handle sweeps the account and Region of each message, and gives back the IDs of the messages that have to come again.
func (s *Sweeper) Handle(ctx context.Context, messages []deployed.Delivery) []string {
	var failed []string
	for _, m := range messages {
		log := s.Log.With("message_id", m.ID)
		task, err := queue.ParseSweep(m.Body)
		if err == nil {
			err = s.sweep(ctx, log.With("account", task.Account, "region", task.Region), task)
		}
		if err != nil {
			log.ErrorContext(ctx, "failed", "error", err.Error())
			failed = append(failed, m.ID)
		}
	}
	return failed
}

// The bounds of one message. A bucket that replicates takes a dozen calls, and the roles and keys that its routes share are read once
// for a span.
const (
	maxBuckets = 200              // that one message looks at
	maxSpan    = 50               // that are read at a time
	reserve    = 15 * time.Second // for handing over what was found, and the rest
)

// sweep looks at the buckets of one account and Region, as many as the bounds and the time allow, and hands the rest to the next message.
func (s *Sweeper) sweep(ctx context.Context, log *slog.Logger, task queue.Sweep) error {
	if !s.swept(task.Account, task.Region) {
		return fmt.Errorf("sweep %s: no member has that account and Region", task)
	}
	names, err := s.names(ctx, task)
	if err != nil {
		return err
	}
	listed, err := s.open(ctx)
	if err != nil {
		return err
	}
	open := map[incident.Route]incident.Summary{}
	for _, i := range listed {
		open[i.Route] = i
	}
	reading := ctx
	deadline, bounded := ctx.Deadline()
	if bounded {
		var cancel context.CancelFunc
		reading, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}
	var sums deployed.Tally
	done, slowest := 0, time.Duration(0)
	for span := range slices.Chunk(names[:min(len(names), maxBuckets)], maxSpan) {
		begun := s.Now()
		if done > 0 && bounded && deadline.Sub(begun)-reserve < slowest {
			break
		}
		f, err := s.look(reading, log, task, span)
		if done > 0 && errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			break // the time did not suffice for this span: the next message has more
		}
		if err == nil {
			err = s.hand(ctx, f, open)
		}
		if err != nil {
			return err
		}
		sums.Add(f.Tally)
		done += len(span)
		slowest = max(slowest, s.Now().Sub(begun))
	}
	if done < len(names) {
		rest := queue.Sweep{Account: task.Account, Region: task.Region, After: names[done-1]}
		if err := s.Own.SendSweep(ctx, rest); err != nil {
			return err
		}
	}
	log.InfoContext(ctx, "swept", "buckets", done, "left", len(names)-done, "routes", sums.Routes)
	deployed.MeasureSweep(ctx, log, s.Now(), sums)
	return nil
}

// names is the buckets to look at: those that there are, and those that approved routes leave, whether they are there or not.
func (s *Sweeper) names(ctx context.Context, task queue.Sweep) ([]string, error) {
	names, err := s.Cloud.Buckets(ctx, task.Account, task.Region)
	if err != nil {
		return nil, err
	}
	for _, r := range s.Settings.Routes {
		if r.Source.Account == task.Account && r.Source.Region == task.Region {
			names = append(names, r.Source.Bucket)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(name string) bool { return name <= task.After }), nil
}

// finding is what is to be said of some buckets.
type finding struct {
	deployed.Tally
	ill  []incident.Route // approved, and not as they should be
	well []incident.Route // approved, and in order
}

// look diagnoses every route that leaves some buckets.
func (s *Sweeper) look(ctx context.Context, log *slog.Logger, task queue.Sweep, names []string) (finding, error) {
	var f finding
	sources, unread, err := s.Cloud.ReplicatingOf(ctx, task.Account, task.Region, names)
	if err != nil {
		return f, err
	}
	view := &snapshot.Snapshot{}
	if len(sources) > 0 {
		if view, err = s.Cloud.Survey(ctx, sources); err != nil {
			return f, err
		}
	}
	for _, bucket := range sources {
		if view.Buckets[bucket].V.Replication.State == snapshot.Missing {
			unread[bucket] = "its configuration could not be read again"
		}
	}
	for _, bucket := range slices.Sorted(maps.Keys(unread)) {
		f.Unreadable++
		log.WarnContext(ctx, "bucket cannot be read", "bucket", bucket, "reason", unread[bucket])
	}
	seen := map[string]bool{} // approved routes, by name
	for _, d := range diagnose.Diagnose(view, nil).Routes {
		if slices.Contains(sources, d.Source) { // and not the destination of one, which was read only in part
			seen[s.judge(ctx, log, view, d, &f)] = true
		}
	}
	for _, r := range s.Settings.Routes {
		_, unknown := unread[r.Source.Bucket]
		if slices.Contains(names, r.Source.Bucket) && r.Source.Account == task.Account && !seen[r.Name] && !unknown {
			f.Gone++
			log.WarnContext(ctx, "approved route is gone", "name", r.Name)
			f.ill = append(f.ill, incident.Route{Source: r.Source.Bucket, Rule: r.Rule.ID, Destination: r.Destination.Bucket})
		}
	}
	return f, nil
}

// judge says of one route how it stands, and gives the name of the approved route that it is or was meant to be.
func (s *Sweeper) judge(ctx context.Context, log *slog.Logger, view *snapshot.Snapshot, d diagnose.Route, f *finding) string {
	route := incident.Route{Source: d.Source, Rule: d.Rule, Destination: d.Destination}
	log = log.With("route", incident.Line(route.String()), "verdict", d.Verdict)
	f.Routes++
	if d.Verdict == diagnose.Healthy {
		f.Healthy++
	}
	approved, against := guard.Approval(d.Of, view, s.Settings)
	if approved.Name == "" {
		f.Unapproved++
		log.WarnContext(ctx, "route is not approved")
		return ""
	}
	blind := unheard(d.Findings)
	if len(blind) > 0 {
		f.Blind++
		log.WarnContext(ctx, "route is blind: nobody hears when it breaks", "name", approved.Name, "causes", blind)
	}
	if len(against) > 0 {
		log.WarnContext(ctx, "route is not as it was approved", "name", approved.Name, "differs", against)
	}
	if d.Verdict == diagnose.Healthy && len(against) == 0 && len(blind) == 0 {
		f.well = append(f.well, route)
	} else {
		f.ill = append(f.ill, route)
	}
	return approved.Name
}

// unheard is the causes for which nobody hears of failures, as the catalogue groups them.
func unheard(findings []diagnose.Finding) []string {
	var out []string
	for _, c := range diagnose.Causes() {
		if c.Group == diagnose.OfNotice && slices.ContainsFunc(findings, func(x diagnose.Finding) bool {
			return x.Cause == c.Name && x.Severity == diagnose.Warning
		}) {
			out = append(out, c.Name)
		}
	}
	return out
}

// hand has the worker look at what is ill. Where the route has an open incident, that is gone on with when a sweep begins, or a person
// has it; only of a route that is in order, which a person had, the worker is told: it is over now.
func (s *Sweeper) hand(ctx context.Context, f finding, open map[incident.Route]incident.Summary) error {
	var errs []error
	for _, r := range f.ill {
		if _, known := open[r]; !known {
			errs = append(errs, s.Work.Send(ctx, queue.Work{Look: &queue.Look{Route: r}}, 0))
		}
	}
	for _, r := range f.well {
		if i, known := open[r]; known && remedy.Closes(i) {
			errs = append(errs, s.Work.Send(ctx, queue.Work{Incident: i.ID}, 0))
		}
	}
	return errors.Join(errs...)
}
