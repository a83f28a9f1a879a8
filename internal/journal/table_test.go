package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/journal"
	"github.com/replimend/replimend/internal/journaltest"
	"github.com/replimend/replimend/internal/mototest"
)

// written is an incident with a document before and two after.
func written(t *testing.T, i incident.Incident) incident.Incident {
	t.Helper()
	i.Changes = []incident.Change{
		{Kind: "key-policy", ID: "k", Before: journaltest.Document(t, 1, 1), After: journaltest.Document(t, 2, 1), State: incident.Written},
		{Kind: "role-policy", ID: "r", After: journaltest.Document(t, 3, 1), State: incident.Intended},
	}
	for n := range i.Changes {
		i.Changes[n].Account, i.Changes[n].At = "111122223333", i.Opened
	}
	return i
}

// rows is every row of a table.
func rows(t *testing.T, c *dynamodb.Client, table string) []map[string]types.AttributeValue {
	t.Helper()
	out, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(table)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Items
}

func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	}
	return ""
}

// expiring is when the rows of each kind expire, "" for those that stay.
func expiring(t *testing.T, c *dynamodb.Client, table string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, row := range rows(t, c, table) {
		pk, _, _ := strings.Cut(text(row["pk"]), "#")
		sk, _, _ := strings.Cut(text(row["sk"]), "#")
		if pk == "patch" {
			sk = ""
		}
		name := pk + " " + sk
		if before, ok := out[name]; ok && before != text(row[journal.TTLAttribute]) {
			t.Errorf("%s expires at %s and %s", name, before, text(row[journal.TTLAttribute]))
		}
		out[name] = text(row[journal.TTLAttribute])
	}
	return out
}

// TestOnlyWhatIsOverExpires: DynamoDB must never delete what somebody may still need, such as the image of an open incident.
func TestOnlyWhatIsOverExpires(t *testing.T) {
	t.Parallel()
	clock := journaltest.NewClock()
	table, approvals := tables(t, client(t, mototest.Start(t)), clock)
	at := func(d time.Duration) string { return strconv.FormatInt(journaltest.Start.Add(d).Unix(), 10) }
	i, err := table.Open(t.Context(), opened(0))
	if err != nil {
		t.Fatal(err)
	}
	record := func(o incident.Outcome, want map[string]string) {
		t.Helper()
		i.Become(o, clock.Now(), "so")
		if i, err = table.Record(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		want["patch "] = at(journal.DefaultKeep)
		if diff := cmp.Diff(want, expiring(t, table.Client, table.Name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", o, diff)
		}
	}
	i = written(t, i)
	record(incident.Proven, map[string]string{"route incident": "", "route open": "", "incident route": "", "incident document": ""})
	clock.Pass(time.Hour)
	over := at(journal.DefaultKeep + time.Hour)
	record(incident.Resolved, map[string]string{"route incident": over, "incident route": over, "incident document": over})
	clock.Pass(time.Hour)
	record(incident.Resolved, map[string]string{"route incident": over, "incident route": over, "incident document": over})
	record(incident.Escalated, map[string]string{"route incident": "", "route open": "", "incident route": "", "incident document": ""})

	table.Keep = time.Hour
	over = at(3 * time.Hour)
	record(incident.Resolved, map[string]string{"route incident": over, "incident route": over, "incident document": over})

	if err := table.Lock(t.Context(), "a", []string{"b"}); err != nil {
		t.Fatal(err)
	}
	if got := expiring(t, table.Client, table.Name)["lock lock"]; got != at(2*time.Hour+incident.Lease) {
		t.Errorf("a lock expires at %q", got)
	}
	if err := approvals.Approve(t.Context(), journaltest.Approval(incident.Approve, "ann", clock.Now())); err != nil {
		t.Fatal(err)
	}
	if got := expiring(t, table.Client, approvals.Name)["incident answer"]; got != at(3*time.Hour+24*time.Hour) {
		t.Errorf("an approval expires at %q", got)
	}
}

// TestWhatExpiredIsGone: DynamoDB deletes rows late, one by one and in any order. What is half deleted must not stand in the way.
func TestWhatExpiredIsGone(t *testing.T) {
	t.Parallel()
	clock := journaltest.NewClock()
	table, _ := tables(t, client(t, mototest.Start(t)), clock)
	ctx := t.Context()
	i, err := table.Open(ctx, opened(0))
	if err != nil {
		t.Fatal(err)
	}
	i = written(t, i)
	i.Become(incident.Resolved, clock.Now(), "so")
	if i, err = table.Record(ctx, i); err != nil {
		t.Fatal(err)
	}
	look := func() (found bool, listed, past int) {
		t.Helper()
		_, err := table.Get(ctx, i.ID)
		if err != nil && !errors.Is(err, incident.ErrNotFound) {
			t.Error(err)
		}
		all, listErr := table.List(ctx, incident.Filter{})
		p, pastErr := table.Past(ctx, i.Route, clock.Now())
		if err := errors.Join(listErr, pastErr); err != nil {
			t.Error(err)
		}
		return err == nil, len(all), len(p.Incidents)
	}
	clock.Pass(journal.DefaultKeep - time.Second)
	if found, listed, past := look(); !found || listed != 1 || past != 1 {
		t.Errorf("before: found %t, %d listed, %d past", found, listed, past)
	}
	clock.Pass(time.Second)
	for _, row := range rows(t, table.Client, table.Name) {
		if found, listed, past := look(); found || listed != 0 || past != 0 {
			t.Errorf("afterwards: found %t, %d listed, %d past", found, listed, past)
		}
		if _, ok := row[journal.TTLAttribute]; !ok {
			t.Errorf("%s %s stays for ever", text(row["pk"]), text(row["sk"]))
		}
		if _, err := table.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: aws.String(table.Name), Key: map[string]types.AttributeValue{"pk": row["pk"], "sk": row["sk"]},
		}); err != nil {
			t.Fatal(err)
		}
		later := opened(0)
		later.Opened = clock.Now()
		again, err := table.Open(ctx, later)
		if err != nil || again.Over() {
			t.Fatalf("opened %s, which is %s, %v", again.ID, again.Outcome, err)
		}
		clock.Pass(time.Second)
		again.Become(incident.Ignored, clock.Now(), "so")
		if _, err := table.Record(ctx, again); err != nil {
			t.Fatal(err)
		}
		clock.Pass(journal.DefaultKeep)
	}
}

// TestRowsAreFarFromTheLimit: an incident that has as much of everything as can be fits into rows of 400 KB.
func TestRowsAreFarFromTheLimit(t *testing.T) {
	t.Parallel()
	clock := journaltest.NewClock()
	table, _ := tables(t, client(t, mototest.Start(t)), clock)
	i := opened(0)
	var objects []incident.Object
	for n := range 3000 {
		objects = append(objects, incident.Object{Key: fmt.Sprintf("%01000d", n), VersionID: fmt.Sprintf("%01000d", n), Size: 1 << 50})
	}
	i.Failures.Versions.Add(objects...)
	i, err := table.Open(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 8 {
		i.Changes = append(i.Changes, incident.Change{
			Kind: "key-policy", ID: strings.Repeat("k", 200), Account: "111122223333", At: clock.Now(), State: incident.Written,
			Before: journaltest.Document(t, 2*n, 32<<10), After: journaltest.Document(t, 2*n+1, 32<<10),
		})
	}
	look := incident.Look{At: clock.Now()}
	for range 30 {
		h := incident.Hop{Name: "hop"}
		for range 20 {
			h.Others = append(h.Others, incident.Request{Action: strings.Repeat("\U0001F512<", 600)})
		}
		look.Hops = append(look.Hops, h)
		look.Findings = append(look.Findings, incident.Finding{Message: strings.Repeat("\U0001F512<", 600)})
	}
	i.Look, i.After = incident.NewLook(look), incident.NewLook(look)
	for range 200 {
		i.Log(clock.Now(), "%s", strings.Repeat("\U0001F512\"", 600))
	}
	if _, err := table.Record(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	largest := 0
	for _, row := range rows(t, table.Client, table.Name) {
		size := 0
		for name, value := range row {
			size += len(name) + len(text(value))
		}
		largest = max(largest, size)
	}
	t.Logf("the largest row has %d bytes", largest)
	if largest > 300_000 {
		t.Errorf("the largest row has %d bytes", largest)
	}
}

// TestALostImageIsAnError: what is not there must not pass for a document that did not exist, or undoing would delete one.
func TestALostImageIsAnError(t *testing.T) {
	t.Parallel()
	clock := journaltest.NewClock()
	table, _ := tables(t, client(t, mototest.Start(t)), clock)
	i, err := table.Open(t.Context(), opened(0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Record(t.Context(), written(t, i)); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows(t, table.Client, table.Name) {
		if strings.HasPrefix(text(row["sk"]), "document#") {
			if _, err := table.Client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
				TableName: aws.String(table.Name), Key: map[string]types.AttributeValue{"pk": row["pk"], "sk": row["sk"]},
			}); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	_, getErr := table.Get(t.Context(), i.ID)
	_, openErr := table.Open(t.Context(), opened(1))
	_, pastErr := table.Past(t.Context(), i.Route, time.Time{})
	for did, err := range map[string]error{"get": getErr, "open": openErr, "past": pastErr} {
		if err == nil || !strings.Contains(err.Error(), "is gone") {
			t.Errorf("%s: %v", did, err)
		}
	}
}

// TestSomebodyComesInBetween: whatever another client writes after the first has read, the first does what a Ledger would have
// done afterwards.
func TestSomebodyComesInBetween(t *testing.T) {
	t.Parallel()
	failed := func(i incident.Incident, n int) incident.Incident {
		i.Failures.Versions.Add(incident.Object{Key: strconv.Itoa(n)})
		return i
	}
	manual := func(ctx context.Context, table *journal.Table, id string, o incident.Outcome) error {
		i, err := table.Get(ctx, id)
		if err == nil {
			i.Become(o, journaltest.Start, "so")
			_, err = table.Record(ctx, i)
		}
		return err
	}
	type both struct {
		*journal.Table
		*journal.ApprovalTable
	}
	approval := journaltest.Approval(incident.Approve, "ann", journaltest.Start)
	later := journaltest.Approval(incident.Decline, "ann", journaltest.Start.Add(time.Minute))
	one := opened(0)
	tests := map[string]struct {
		before, rival, do func(ctx context.Context, on both) error
		on                string // the operation before which the rival acts
		want              error
		check             func(i incident.Incident) bool
	}{
		"open, and another opens": {
			nil,
			func(ctx context.Context, on both) error { _, err := on.Open(ctx, failed(opened(1), 1)); return err },
			func(ctx context.Context, on both) error {
				i, err := on.Open(ctx, failed(one, 2))
				if err == nil && i.ID != opened(1).ID {
					err = errors.New("two are open")
				}
				return err
			},
			"TransactWriteItems", nil, nil,
		},
		"join, and another joins": {
			nil,
			func(ctx context.Context, on both) error { _, err := on.Open(ctx, failed(opened(1), 1)); return err },
			func(ctx context.Context, on both) error { _, err := on.Open(ctx, failed(opened(2), 2)); return err },
			"PutItem", nil,
			func(i incident.Incident) bool { n, _ := i.Failures.Count(); return n == 2 },
		},
		"join, and it is over": {
			nil,
			func(ctx context.Context, on both) error { return manual(ctx, on.Table, one.ID, incident.Resolved) },
			func(ctx context.Context, on both) error {
				i, err := on.Open(ctx, failed(opened(2), 2))
				if err == nil && i.ID == one.ID {
					err = errors.New("joined what is over")
				}
				return err
			},
			"PutItem", nil,
			func(i incident.Incident) bool { return i.Failures.Versions.IsZero() },
		},
		"record, and another joins": {
			nil,
			func(ctx context.Context, on both) error { _, err := on.Open(ctx, failed(opened(1), 1)); return err },
			func(ctx context.Context, on both) error { return manual(ctx, on.Table, one.ID, incident.Manual) },
			"TransactWriteItems", nil,
			func(i incident.Incident) bool {
				n, _ := i.Failures.Count()
				return n == 1 && i.Outcome == incident.Manual
			},
		},
		"close, and another joins": {
			nil,
			func(ctx context.Context, on both) error { _, err := on.Open(ctx, failed(opened(1), 1)); return err },
			func(ctx context.Context, on both) error { return manual(ctx, on.Table, one.ID, incident.Resolved) },
			"TransactWriteItems", incident.ErrStale,
			func(i incident.Incident) bool { return i.Outcome == incident.Open },
		},
		"record, and another records": {
			nil,
			func(ctx context.Context, on both) error { return manual(ctx, on.Table, one.ID, incident.Refused) },
			func(ctx context.Context, on both) error { return manual(ctx, on.Table, one.ID, incident.Manual) },
			"TransactWriteItems", incident.ErrStale,
			func(i incident.Incident) bool { return i.Outcome == incident.Refused },
		},
		"open again, and another opens": {
			func(ctx context.Context, on both) error { return manual(ctx, on.Table, one.ID, incident.Resolved) },
			func(ctx context.Context, on both) error { _, err := on.Open(ctx, failed(opened(1), 1)); return err },
			func(ctx context.Context, on both) error { return manual(ctx, on.Table, one.ID, incident.Escalated) },
			"TransactWriteItems", incident.ErrStale,
			func(i incident.Incident) bool { return i.Outcome == incident.Resolved },
		},
		"lock, and another locks": {
			nil,
			func(ctx context.Context, on both) error { return on.Lock(ctx, "a", []string{"key"}) },
			func(ctx context.Context, on both) error { return on.Lock(ctx, "b", []string{"key", "role"}) },
			"TransactWriteItems", incident.ErrLocked, nil,
		},
		"use, and another uses": {
			func(ctx context.Context, on both) error { return on.Approve(ctx, approval) },
			func(ctx context.Context, on both) error { return on.Use(ctx, approval) },
			func(ctx context.Context, on both) error { return on.Use(ctx, approval) },
			"UpdateItem", incident.ErrUsed, nil,
		},
		"use, and it is taken back": {
			func(ctx context.Context, on both) error { return on.Approve(ctx, approval) },
			func(ctx context.Context, on both) error { return on.Approve(ctx, later) },
			func(ctx context.Context, on both) error { return on.Use(ctx, approval) },
			"UpdateItem", incident.ErrStale, nil,
		},
		"answer, and a later answer": {
			nil,
			func(ctx context.Context, on both) error { return on.Approve(ctx, later) },
			func(ctx context.Context, on both) error { return on.Approve(ctx, approval) },
			"PutItem", incident.ErrStale, nil,
		},
	}
	s := mototest.Start(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := journaltest.NewClock()
			account := s.Account()
			table, approvals := tables(t, dynamodb.NewFromConfig(config(t, s, account, nil)), clock)
			rival := both{table, approvals}
			came := false
			c := dynamodb.NewFromConfig(config(t, s, account, func(operation, _ string) {
				if !came && operation == tt.on {
					came = true
					if err := tt.rival(t.Context(), rival); err != nil {
						t.Errorf("the rival: %v", err)
					}
				}
			}))
			mine := both{&journal.Table{Client: c, Name: table.Name, Now: clock.Now}, &journal.ApprovalTable{Client: c, Name: approvals.Name, Now: clock.Now}}
			if name != "open, and another opens" {
				if _, err := rival.Open(t.Context(), one); err != nil {
					t.Fatal(err)
				}
			}
			if tt.before != nil {
				if err := tt.before(t.Context(), rival); err != nil {
					t.Fatal(err)
				}
			}
			if err := tt.do(t.Context(), mine); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if !came {
				t.Errorf("there was no %s to come before", tt.on)
			}
			if tt.check != nil {
				if i, err := table.Get(t.Context(), one.ID); err != nil || !tt.check(i) {
					t.Errorf("kept %s with %s failures, %v", i.Outcome, i.Failures.Versions, err)
				}
			}
		})
	}
}

// TestAnswersOfDynamoDB: what may pass is tried again and not for ever; what will not is an error at once.
func TestAnswersOfDynamoDB(t *testing.T) {
	t.Parallel()
	const namespace = "com.amazonaws.dynamodb.v20120810#"
	cancelled := func(reasons ...string) string {
		var list []map[string]string
		for _, r := range reasons {
			list = append(list, map[string]string{"Code": r})
		}
		out, _ := json.Marshal(map[string]any{"__type": namespace + "TransactionCanceledException", "CancellationReasons": list})
		return string(out)
	}
	s := mototest.Start(t)
	for name, tt := range map[string]struct {
		answer string
		times  int64 // that it is given
		tries  int64
		fails  bool
	}{
		"conflicts":            {cancelled("None", "TransactionConflict", "None"), 3, 4, false},
		"is throttled":         {cancelled("ThrottlingError"), 2, 3, false},
		"conflicts for ever":   {cancelled("TransactionConflict"), 1000, 12, true},
		"conflicts, too large": {cancelled("TransactionConflict", "ValidationError"), 1000, 1, true},
		"is denied":            {`{"__type": "` + namespace + `AccessDeniedException"}`, 1000, 1, true},
		"has no such table":    {`{"__type": "` + namespace + `ResourceNotFoundException"}`, 1000, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account := s.Account()
			clock := journaltest.NewClock()
			table, _ := tables(t, dynamodb.NewFromConfig(config(t, s, account, nil)), clock)
			var tries atomic.Int64
			address := s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".TransactWriteItems") || tries.Add(1) > tt.times {
					return false
				}
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, tt.answer)
				return true
			})
			table.Client = dynamodb.NewFromConfig(s.ConfigAt(t, address, account, "eu-west-1"))
			_, err := table.Open(t.Context(), opened(0))
			if (err != nil) != tt.fails || tries.Load() != tt.tries {
				t.Errorf("%d tries, %v", tries.Load(), err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "open incident inc-") {
				t.Errorf("the error does not say what was done: %v", err)
			}
		})
	}
}

// TestWhatIsLeftOutIsAskedForAgain: DynamoDB may answer a part of a batch.
func TestWhatIsLeftOutIsAskedForAgain(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	account := s.Account()
	clock := journaltest.NewClock()
	table, _ := tables(t, dynamodb.NewFromConfig(config(t, s, account, nil)), clock)
	i, err := table.Open(t.Context(), opened(0))
	if err != nil {
		t.Fatal(err)
	}
	if i, err = table.Record(t.Context(), written(t, i)); err != nil {
		t.Fatal(err)
	}
	asked := 0
	address := s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".BatchGetItem") {
			return false
		}
		asked++
		if asked > 1 {
			return false
		}
		var in struct{ RequestItems json.RawMessage }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		fmt.Fprintf(w, `{"Responses": {}, "UnprocessedKeys": %s}`, in.RequestItems)
		return true
	})
	table.Client = dynamodb.NewFromConfig(s.ConfigAt(t, address, account, "eu-west-1"))
	got, err := table.Get(t.Context(), i.ID)
	if err != nil || asked != 2 {
		t.Fatalf("asked %d times, %v", asked, err)
	}
	if diff := cmp.Diff(i, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNeedsAreWhatIsCalled: a role that has what a port needs, and nothing else, suffices and has nothing to spare.
func TestNeedsAreWhatIsCalled(t *testing.T) {
	t.Parallel()
	called := map[string]bool{}
	saw := func(operation, body string) {
		if operation != "TransactWriteItems" {
			called["dynamodb:"+operation] = true
			return
		}
		var in struct {
			TransactItems      []map[string]json.RawMessage
			ClientRequestToken string
		}
		if err := json.Unmarshal([]byte(body), &in); err != nil || in.ClientRequestToken == "" {
			t.Errorf("a transaction that may be made twice when it is sent twice, %v", err)
		}
		for _, item := range in.TransactItems {
			for part := range item {
				called["dynamodb:"+part+"Item"] = true
			}
		}
	}
	s := mototest.Start(t)
	account := s.Account()
	clock := journaltest.NewClock()
	table, approvals := tables(t, dynamodb.NewFromConfig(config(t, s, account, nil)), clock)
	table.Client = dynamodb.NewFromConfig(config(t, s, account, saw))
	approvals.Client = table.Client
	check := func(who string, want []string, errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Errorf("%s: %v", who, err)
		}
		var got []string
		for action := range called {
			got = append(got, action)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-needs +called):\n%s", who, diff)
		}
		clear(called)
	}
	ctx := t.Context()
	kept, openErr := table.Open(ctx, opened(0))
	table.Client = dynamodb.NewFromConfig(config(t, s, account, nil))
	_, recordErr := table.Record(ctx, written(t, kept))
	table.Client = approvals.Client
	again := opened(1)
	again.Failures.Versions.Add(incident.Object{Key: "b"})
	kept, joinErr := table.Open(ctx, again)
	_, pastErr := table.Past(ctx, kept.Route, clock.Now())
	_, listErr := table.List(ctx, incident.Filter{Open: true})
	check("opener", journal.OpenNeeds(), openErr, recordErr, joinErr, pastErr, listErr)

	i, openErr := table.Open(ctx, opened(0))
	_, recordErr = table.Record(ctx, written(t, i))
	more := opened(1)
	more.Failures.Versions.Add(incident.Object{Key: "a"})
	i, joinErr = table.Open(ctx, more)
	i.Become(incident.Resolved, clock.Now(), "so")
	_, closeErr := table.Record(ctx, i)
	_, getErr := table.Get(ctx, i.ID)
	_, listErr = table.List(ctx, incident.Filter{})
	_, pastErr = table.Past(ctx, i.Route, clock.Now())
	_, suppressedErr := table.Suppressed(ctx, i.Route)
	_, silencesErr := table.Silences(ctx)
	check("table", journal.Needs(), openErr, recordErr, joinErr, closeErr, getErr, listErr, pastErr, suppressedErr, silencesErr,
		table.Lock(ctx, "a", []string{"b"}), table.Unlock(ctx, "a", []string{"b"}), table.Lift(ctx, incident.Suppression{Route: i.Route}),
		table.Suppress(ctx, incident.Suppression{Route: i.Route, Owner: "o", Reason: "r", Expires: clock.Now().Add(1)}))

	a := journaltest.Approval(incident.Approve, "ann", clock.Now())
	check("approver", journal.ApproverNeeds(), approvals.Approve(ctx, a), approvals.Approve(ctx, a))
	_, answersErr := approvals.Answers(ctx, a.Incident)
	useErr := approvals.Use(ctx, a)
	if again := approvals.Use(ctx, a); !errors.Is(again, incident.ErrUsed) {
		t.Error(again)
	}
	check("reader", journal.ReaderNeeds(), answersErr, useErr)

	notices := &journal.NoticeTable{Client: table.Client, Name: table.Name, Now: clock.Now}
	n, noticeErr := notices.Notice(ctx, "inc-1", "oncall")
	_, keepErr := notices.KeepNotice(ctx, n)
	_, admitErr := notices.Admit(ctx, "oncall", 1)
	check("herald", journal.NoticeNeeds(), noticeErr, keepErr, admitErr)
	for _, row := range rows(t, dynamodb.NewFromConfig(config(t, s, account, nil)), table.Name) {
		if _, of := row["notice"]; (of || row["times"] != nil) != strings.HasPrefix(text(row["pk"]), journal.NoticePartitions) || row["expires"] == nil && of {
			t.Errorf("row %v", row)
		}
	}
}
