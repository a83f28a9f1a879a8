package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/signal"
	"github.com/replimend/replimend/internal/snapshot"
)

// verb is one word of the script language.
type verb struct {
	usage   string // its arguments; those after … may repeat, those in [] may be left out
	least   int
	most    int // -1: any number
	expects bool
	do      func(ctx context.Context, st *stage, args []string) error
}

func (v verb) check(args []string) error {
	if len(args) < v.least || v.most >= 0 && len(args) > v.most {
		return fmt.Errorf("want the arguments %s", v.usage)
	}
	return nil
}

// verbs is the whole language. Those that expect something fail the scenario when it is not so.
var verbs = map[string]verb{
	"route":       {"SOURCE RULE observe|approve|automatic [strict]", 3, 4, false, approveRoute},
	"put":         {"BUCKET KEY [sse-s3|kms|dsse|sse-c] [tagged] [locked] [public] [archived] [large] [foreign] [no-bucket-key]", 2, -1, false, put},
	"sample":      {"BUCKET KEY", 2, 2, false, sample},
	"finding":     {"CAUSE fault|warning|advice|none", 2, 2, true, finding},
	"delete":      {"BUCKET KEY", 2, 2, false, deleteObject},
	"failure":     {"REASON|none", 1, 1, true, failure},
	"drop":        {"KIND ID NAME|- SID…", 4, -1, false, drop},
	"policy":      {"KIND ID NAME|- FILE|none", 4, 4, false, replacePolicy},
	"bucket-key":  {"BUCKET on|off", 2, 2, false, bucketKey},
	"rule":        {"BUCKET FILE", 2, 2, false, setRule},
	"remake-role": {"ARN", 1, 1, false, remakeRole},
	"verdict":     {"SOURCE RULE VERDICT", 3, 3, true, verdict},
	"fault":       {"CAUSE SIDE KIND", 3, 3, true, fault},
	"faults":      {"NUMBER", 1, 1, true, faults},
	"edits":       {"KIND…|none", 1, -1, true, edits},
	"guard":       {"allow|ask|refuse [RULE…]", 1, -1, true, judged},
	"consent":     {"", 0, 0, false, consent},
	"heal":        {"OUTCOME", 1, 1, true, heal},
	"recall":      {"OUTCOME", 1, 1, true, recall},
	"writes":      {"NUMBER", 1, 1, true, writes},
	"status":      {"BUCKET KEY STATUS|none", 3, 3, true, status},
	"tag":         {"BUCKET KEY NUMBER", 3, 3, false, tag},
	"owner":       {"BUCKET KEY ACCOUNT", 3, 3, true, owner},
	"warning":     {"CAUSE SIDE KIND", 3, 3, true, warning},
	"key":         {"ARN STATE", 2, 2, false, keyState},
	"tags":        {"BUCKET KEY NUMBER", 3, 3, true, tagCount},
	"replica":     {"BUCKET KEY ENCRYPTION", 3, 3, true, replica},
	"as":          {"PRINCIPAL get|put BUCKET KEY [in-parts] allowed|denied", 5, 6, true, as},
	"access":      {"PRINCIPAL get|put BUCKET KEY|- VERDICT", 5, 5, true, lookAccess},
	"cause":       {"CAUSE SIDE KIND", 3, 3, true, accessCause},
	"apply":       {"KIND…|none", 1, -1, true, applyAccess},
	"change":      {"FILE", 1, 1, false, changeWorld},
	"meanwhile":   {"FILE", 1, 1, false, meanwhile},
	"unread":      {"FILE", 1, 1, false, unread},
	"reported":    {"BUCKET RULE KEY REASON", 4, 4, false, reported},
	"settings":    {"FILE", 1, 1, false, setSettings},
	"kill-switch": {"ACCOUNT|hub", 1, 1, false, throwSwitch},
	"breaking":    {"EVENT PRINCIPAL", 2, 2, false, breaking},
	"wait":        {"HOURS", 1, 1, false, wait},
	"forge":       {"KIND FILE", 2, 2, false, forge},
	"fill":        {"ROLE POLICY CHARACTERS", 3, 3, false, fill},
}

// documentKinds is the kinds of documents that the script can change.
var documentKinds = map[string]snapshot.Kind{
	"role-policy": snapshot.RolePolicy, "role-trust": snapshot.RoleTrust, "destination-bucket-policy": snapshot.DestinationBucketPolicy,
	"source-bucket-policy": snapshot.SourceBucketPolicy, "source-key-policy": snapshot.SourceKeyPolicy, "replica-key-policy": snapshot.ReplicaKeyPolicy,
	"user-policy": snapshot.UserPolicy, "bucket-policy": snapshot.BucketPolicy, "key-policy": snapshot.KeyPolicy,
}

// approveRoute approves the route as it is now, pins and all, in that mode.
func approveRoute(ctx context.Context, st *stage, args []string) error {
	if len(args) == 4 && args[3] != "strict" {
		return fmt.Errorf("unknown word %q", args[3])
	}
	s, err := st.cloud.Snapshot(ctx, args[0])
	if err != nil {
		return err
	}
	for _, r := range diagnose.Diagnose(s, nil).Routes {
		if r.Source != args[0] || r.Rule != args[1] {
			continue
		}
		approved, err := guard.Pin(r.Of, s)
		if err != nil {
			return err
		}
		if approved.Mode, err = settings.ParseMode(args[2]); err != nil {
			return err
		}
		if len(args) < 4 {
			approved.Allow = settings.Allow{RoleTrust: true, NoBoundary: true} // few worlds have boundaries
		}
		st.settings.Routes = append(st.settings.Routes, approved)
		st.tell(Step{Title: "set-up", Text: fmt.Sprintf("route %s is approved, mode %s", r.Of, args[2])})
		return nil
	}
	return fmt.Errorf("there is no such rule")
}

// put writes an object and lets S3 replicate.
func put(ctx context.Context, st *stage, args []string) error {
	o := lab.PutOptions{Size: 184_320} // a document, as people have them
	for _, a := range args[2:] {
		switch a {
		case "sse-s3":
			o.Encryption = "AES256"
		case "kms":
			o.Encryption = "aws:kms"
		case "dsse":
			o.Encryption = "aws:kms:dsse"
		case "sse-c":
			o.Encryption = "SSE-C"
		case "tagged":
			o.Tags = map[string]string{"team": "data"}
		case "public":
			o.ACL = "public-read"
		case "locked":
			o.Retention, o.LegalHold = true, true
		case "archived":
			o.StorageClass = "GLACIER"
		case "large":
			o.Size = 6 << 30 // more than one request can write
		case "foreign":
			o.Owner = "999999999999"
		case "no-bucket-key":
			o.BucketKey = new(bool)
		default:
			return fmt.Errorf("unknown word %q", a)
		}
	}
	written, err := st.cloud.PutObject(args[0], args[1], o)
	if err != nil {
		return err
	}
	if err := st.cloud.Replicate(ctx); err != nil {
		return err
	}
	now, err := st.latest(args[0], args[1])
	if err != nil {
		return err
	}
	st.written = append(st.written, now)
	text := fmt.Sprintf("%s is written to %s (%s)", args[1], args[0], orNone(written.Encryption.V))
	st.tell(Step{Title: "object", Text: text + ": replication status " + orNone(now.ReplicationStatus.V)})
	return nil
}

// deleteObject deletes without naming a version, which leaves a delete marker, and lets S3 replicate.
func deleteObject(ctx context.Context, st *stage, args []string) error {
	marker, err := st.cloud.DeleteObject(args[0], args[1])
	if err != nil {
		return err
	}
	if err := st.cloud.Replicate(ctx); err != nil {
		return err
	}
	now, err := st.cloud.Head(args[0], args[1], marker.VersionID)
	if err != nil {
		return err
	}
	st.tell(Step{Title: "object", Text: fmt.Sprintf("%s is deleted from %s: the delete marker's replication status is %s", args[1], args[0], orNone(now.ReplicationStatus.V))})
	return nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// failure takes the events that S3 sent since the last one, and holds their reason against the script.
func failure(_ context.Context, st *stage, args []string) error {
	var reasons []string
	for _, raw := range st.cloud.Events() {
		signals, err := signal.Parse(raw)
		if err != nil {
			return err
		}
		for _, s := range signals {
			reasons = append(reasons, s.Reason)
		}
		st.signals = append(st.signals, signals...)
		st.tell(Step{Title: "event", Text: compact(raw)})
	}
	if args[0] == "none" && len(reasons) == 0 {
		st.tell(Step{Title: "event", Text: "S3 sends no event"})
		return nil
	}
	if len(reasons) == 0 || reasons[len(reasons)-1] != args[0] {
		return fmt.Errorf("S3 sent %v", reasons)
	}
	return nil
}

// compact is the record without white space.
func compact(raw []byte) string {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return string(raw)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return string(raw)
	}
	return string(text)
}

// ref reads KIND ID NAME.
func ref(args []string) (snapshot.Ref, error) {
	kind, ok := documentKinds[args[0]]
	if !ok {
		return snapshot.Ref{}, fmt.Errorf("unknown document kind %q: want one of %s", args[0], strings.Join(kinds(), ", "))
	}
	out := snapshot.Ref{Kind: kind, ID: args[1]}
	if args[2] != "-" {
		out.Name = args[2]
	}
	return out, nil
}

// live is a document of the cloud as it is now.
func (st *stage) live(ctx context.Context, r snapshot.Ref) (snapshot.Value[policy.Document], error) {
	s, err := st.cloud.Snapshot(ctx, st.bucket)
	if err != nil {
		return snapshot.Value[policy.Document]{}, err
	}
	return s.Document(r), nil
}

// drop removes statements; a document without any is removed whole.
func drop(ctx context.Context, st *stage, args []string) error {
	r, err := ref(args)
	if err != nil {
		return err
	}
	d, err := st.live(ctx, r)
	if err != nil {
		return err
	}
	var rest []policy.Statement
	dropped := 0
	for i, s := range d.V.Statements {
		if slices.Contains(args[3:], s.Name(i)) {
			dropped++
			continue
		}
		rest = append(rest, s)
	}
	if dropped != len(args[3:]) {
		return fmt.Errorf("%s has not all of these statements", r)
	}
	after := snapshot.None[policy.Document]()
	if len(rest) > 0 {
		after = snapshot.Of(policy.New(rest...))
	}
	st.tell(Step{Title: "fault", Text: fmt.Sprintf("somebody removes %s from %s", strings.Join(args[3:], ", "), r)})
	return st.cloud.SetPolicy(r, after)
}

func replacePolicy(_ context.Context, st *stage, args []string) error {
	r, err := ref(args)
	if err != nil {
		return err
	}
	after := snapshot.None[policy.Document]()
	if args[3] != "none" {
		d, err := policy.Parse([]byte(st.parts[args[3]]))
		if err != nil {
			return fmt.Errorf("%s: %w", args[3], err)
		}
		after = snapshot.Of(d)
	}
	st.tell(Step{Title: "fault", Text: fmt.Sprintf("somebody replaces %s", r)})
	return st.cloud.SetPolicy(r, after)
}

func bucketKey(_ context.Context, st *stage, args []string) error {
	if args[1] != "on" && args[1] != "off" {
		return fmt.Errorf("want on or off")
	}
	st.tell(Step{Title: "fault", Text: fmt.Sprintf("somebody switches the S3 Bucket Key of %s %s", args[0], args[1])})
	return st.cloud.EditBucket(args[0], func(b *snapshot.Bucket) {
		rules := slices.Clone(b.Encryption.V.Rules)
		for i := range rules {
			rules[i].BucketKeyEnabled = args[1] == "on"
		}
		b.Encryption = snapshot.Of(snapshot.Encryption{Rules: rules})
	})
}

func setRule(_ context.Context, st *stage, args []string) error {
	text := st.parts[args[1]]
	var rule snapshot.Rule
	if err := json.Unmarshal([]byte(text), &rule); err != nil {
		return fmt.Errorf("%s: %w", args[1], err)
	}
	st.tell(Step{Title: "fault", Text: fmt.Sprintf("somebody writes replication rule %s of %s to %s", rule.ID, args[0], rule.Destination.Bucket)})
	return st.cloud.SetRule(args[0], rule)
}

func remakeRole(_ context.Context, st *stage, args []string) error {
	arn, err := policy.ParseARN(args[0])
	if err != nil {
		return err
	}
	st.tell(Step{Title: "fault", Text: fmt.Sprintf("somebody deletes role %s and makes it again", arn)})
	return st.cloud.RecreateRole(arn)
}

func verdict(ctx context.Context, st *stage, args []string) error {
	if err := st.look(ctx, args[0], args[1]); err != nil {
		return err
	}
	if string(st.route.Verdict) != args[2] {
		return fmt.Errorf("the verdict is %s", st.route.Verdict)
	}
	return nil
}

// sample asks about an object whatever became of it; S3 itself shows only those that FAILED.
func sample(ctx context.Context, st *stage, args []string) error {
	if _, err := st.latest(args[0], args[1]); err != nil {
		return err
	}
	st.samples = append(st.samples, [2]string{args[0], args[1]})
	s, err := st.snapshot(ctx, args[0])
	if err != nil {
		return err
	}
	st.findings = diagnose.Diagnose(s, st.signals).Findings
	st.tell(Step{Title: "question", Text: fmt.Sprintf("somebody asks about %s of %s", args[1], args[0])})
	return nil
}

// finding is one of the route, or one of the diagnosis that concerns no route.
func finding(_ context.Context, st *stage, args []string) error {
	all := slices.Clone(st.findings)
	if st.route != nil {
		all = append(all, st.route.Findings...)
	}
	severity := "none"
	for _, f := range all {
		if f.Cause == args[0] {
			severity = string(f.Severity)
		}
	}
	if severity != args[1] {
		return fmt.Errorf("it is %s among %d findings", severity, len(all))
	}
	return nil
}

func fault(_ context.Context, st *stage, args []string) error {
	for _, f := range st.route.Findings {
		if f.Severity == diagnose.Fault && f.Cause == args[0] && string(f.Side) == args[1] && string(f.Document.Kind) == args[2] {
			return nil
		}
	}
	return fmt.Errorf("the faults are %v", faultNames(st.route))
}

// warning is fault for what does not blame.
func warning(_ context.Context, st *stage, args []string) error {
	for _, f := range st.route.Findings {
		if f.Severity == diagnose.Warning && f.Cause == args[0] && string(f.Side) == args[1] && string(f.Document.Kind) == args[2] {
			return nil
		}
	}
	return fmt.Errorf("the warnings are %v", names(st.route, diagnose.Warning))
}

// keyState puts a key into a state of KMS.
func keyState(_ context.Context, st *stage, args []string) error {
	arn, err := policy.ParseARN(args[0])
	if err != nil {
		return err
	}
	st.tell(Step{Title: "fault", Text: fmt.Sprintf("key %s becomes %s", arn, args[1])})
	return st.cloud.SetKeyState(arn, args[1])
}

// tag gives an object that many tags, and lets S3 replicate.
func tag(ctx context.Context, st *stage, args []string) error {
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	tags := make(map[string]string)
	for i := range n {
		tags["tag"+strconv.Itoa(i+1)] = "x"
	}
	st.tell(Step{Title: "object", Text: fmt.Sprintf("somebody gives %s in %s %d tags", args[1], args[0], n)})
	if err := st.cloud.SetTags(args[0], args[1], tags); err != nil {
		return err
	}
	return st.cloud.Replicate(ctx)
}

func owner(_ context.Context, st *stage, args []string) error {
	o, err := st.latest(args[0], args[1])
	if err != nil {
		return err
	}
	if o.Owner != args[2] {
		return fmt.Errorf("it belongs to %s", o.Owner)
	}
	st.tell(Step{Title: "replica", Text: fmt.Sprintf("%s in %s belongs to account %s", args[1], args[0], args[2])})
	return nil
}

func faultNames(r *diagnose.Route) []string { return names(r, diagnose.Fault) }

func names(r *diagnose.Route, of diagnose.Severity) []string {
	var out []string
	for _, f := range r.Findings {
		if f.Severity == of {
			out = append(out, fmt.Sprintf("%s/%s/%s", f.Cause, f.Side, f.Document.Kind))
		}
	}
	return out
}

func faults(_ context.Context, st *stage, args []string) error {
	if got := faultNames(st.route); strconv.Itoa(len(got)) != args[0] {
		return fmt.Errorf("the faults are %v", got)
	}
	return nil
}

func edits(_ context.Context, st *stage, args []string) error {
	got := []string{"none"}
	if st.route.Plan != nil {
		got = nil
		for _, e := range st.route.Plan.Edits {
			got = append(got, string(e.Document.Kind))
		}
	}
	if !slices.Equal(got, args) {
		return fmt.Errorf("the plan edits %v", got)
	}
	return nil
}

func judged(ctx context.Context, st *stage, args []string) error {
	v, err := st.verdict(ctx)
	if err != nil {
		return err
	}
	var rules []string
	for _, r := range v.Reasons {
		rules = append(rules, r.Rule)
	}
	if v.Decision.String() != args[0] {
		return fmt.Errorf("the guard says %s for %v", v.Decision, rules)
	}
	for _, rule := range args[1:] {
		if !slices.Contains(rules, rule) {
			return fmt.Errorf("the rules are %v", rules)
		}
	}
	return nil
}

func consent(_ context.Context, st *stage, _ []string) error {
	st.consent = true
	return nil
}

// heal has the workflow go as the functions have it go: what was signalled is reported first, and then the worker looks at each
// incident.
func heal(ctx context.Context, st *stage, args []string) error {
	before, told := st.writes, st.told
	workflow := st.workflow()
	incidents, err := workflow.Report(ctx, st.signals)
	if err != nil {
		return err
	}
	st.signals = nil
	for n, i := range incidents {
		if incidents[n], err = workflow.Resume(ctx, i.ID); err != nil {
			return err
		}
	}
	if len(incidents) != 1 {
		return fmt.Errorf("%d incidents, want one", len(incidents))
	}
	i := incidents[0]
	if st.told == told { // a message tells the timeline, too
		for _, e := range i.Timeline {
			st.tell(Step{Title: "workflow", Text: e.Text})
		}
	}
	if string(i.Outcome) != strings.ReplaceAll(args[0], "-", " ") {
		return fmt.Errorf("the outcome is %s after %d writes", i.Outcome, st.writes-before)
	}
	return nil
}

// recall has somebody who is on call want the last cure back, and the worker look at its incident.
func recall(ctx context.Context, st *stage, args []string) error {
	all := st.notes.Incidents()
	if len(all) == 0 {
		return errors.New("there is no incident")
	}
	st.now = st.now.Add(time.Minute) // after what it takes back
	st.recalls = true
	workflow := st.workflow()
	i, err := workflow.Resume(ctx, all[len(all)-1].ID)
	st.recalls = false
	if err != nil {
		return err
	}
	if string(i.Outcome) != args[0] {
		return fmt.Errorf("the outcome is %s", i.Outcome)
	}
	return nil
}

func writes(_ context.Context, st *stage, args []string) error {
	if strconv.Itoa(st.writes) != args[0] {
		return fmt.Errorf("%d documents were written", st.writes)
	}
	return nil
}

func status(_ context.Context, st *stage, args []string) error {
	o, err := st.latest(args[0], args[1])
	if err != nil {
		return err
	}
	if got := orNone(o.ReplicationStatus.V); got != args[2] {
		return fmt.Errorf("the status is %s", got)
	}
	return nil
}

func tagCount(_ context.Context, st *stage, args []string) error {
	o, err := st.latest(args[0], args[1])
	if err != nil {
		return err
	}
	if strconv.Itoa(len(o.Tags.V)) != args[2] {
		return fmt.Errorf("it has %d tags", len(o.Tags.V))
	}
	st.tell(Step{Title: "replica", Text: fmt.Sprintf("%s in %s has %s tags", args[1], args[0], args[2])})
	return nil
}

func replica(_ context.Context, st *stage, args []string) error {
	o, err := st.latest(args[0], args[1])
	if err != nil {
		return err
	}
	if o.ReplicationStatus.V != "REPLICA" || orNone(o.Encryption.V) != args[2] {
		return fmt.Errorf("it is %s under %s", orNone(o.ReplicationStatus.V), orNone(o.Encryption.V))
	}
	st.tell(Step{Title: "replica", Text: fmt.Sprintf("%s stands in %s, encrypted with %s", args[1], args[0], args[2])})
	return nil
}
