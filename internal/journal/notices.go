package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/replimend/replimend/internal/incident"
)

// NoticePartitions is what the partitions of notices begin with, in the table of incidents. Whoever may use those and no others sees no
// incident, and changes none.
const NoticePartitions = "notice#"

// NoticeTable keeps what targets were told, in the table of incidents.
//
//	pk                   sk                          what
//	notice#ID            TARGET                      what a target was told of an incident
//	notice#of-target     TARGET                      when the messages of the last hour were sent to it
type NoticeTable struct {
	Client *dynamodb.Client
	Name   string
	// Keep is how long it is remembered what was said; zero: DefaultKeep, as long as an incident that is over.
	Keep time.Duration
	Now  func() time.Time
}

// NoticeNeeds is the IAM actions that a NoticeTable needs on the table, in NoticePartitions.
func NoticeNeeds() []string { return []string{"dynamodb:GetItem", "dynamodb:PutItem"} }

// noticeRow is a notice.
type noticeRow struct {
	key
	Version int64  `dynamodbav:"version"` // the notice's revision
	Notice  string `dynamodbav:"notice"`  // as JSON
	Expires int64  `dynamodbav:"expires"`
}

// rateRow is when messages were sent to a target.
type rateRow struct {
	key
	Version int64   `dynamodbav:"version"` // counts every write
	Times   []int64 `dynamodbav:"times"`   // since 1970, in milliseconds, the earliest first
	Expires int64   `dynamodbav:"expires"`
}

func noticeKey(id, target string) key { return key{NoticePartitions + id, target} }

// rateKey is of no incident: an ID begins with inc-.
func rateKey(target string) key { return noticeKey("of-target", target) }

// Notice is what is remembered of what a target was told of an incident. Where that is nothing its revision is 0.
func (t *NoticeTable) Notice(ctx context.Context, id, target string) (incident.Notice, error) {
	n := incident.Notice{Incident: id, Target: target}
	row, ok, err := get[noticeRow](ctx, t.Client, t.Name, noticeKey(id, target))
	if err == nil && ok {
		err = json.Unmarshal([]byte(row.Notice), &n)
	}
	if err != nil {
		return incident.Notice{}, fmt.Errorf("read notice of %s to %s: %w", id, target, err)
	}
	return n, nil
}

// KeepNotice remembers a notice in place of the revision that it was read as, and gives it with its new one. incident.ErrStale: it is
// another one by now, be it that the answer to the same write was lost.
func (t *NoticeTable) KeepNotice(ctx context.Context, n incident.Notice) (incident.Notice, error) {
	when := absent
	if n.Revision > 0 {
		when = is("version", n.Revision)
	}
	n.Revision++
	text, err := json.Marshal(n)
	if err == nil {
		row := noticeRow{noticeKey(n.Incident, n.Target), n.Revision, string(text), t.expires(cmp.Or(t.Keep, DefaultKeep))}
		err = contend(ctx, func() error {
			err := put(ctx, t.Client, t.Name, row, when)
			if !contended(err) {
				return err
			}
			old, ok, e := get[noticeRow](ctx, t.Client, t.Name, row.key)
			if e != nil {
				return e
			}
			if ok != (row.Version > 1) || ok && old.Version != row.Version-1 {
				return incident.ErrStale
			}
			return err
		})
	}
	if err != nil {
		return incident.Notice{}, fmt.Errorf("keep notice of %s to %s: %w", n.Incident, n.Target, err)
	}
	return n, nil
}

// Admit counts one more message to a target, of which there are that many within an incident.Ring at most. Where there is no room it
// counts nothing, and gives after how long there is.
func (t *NoticeTable) Admit(ctx context.Context, target string, most int) (wait time.Duration, err error) {
	err = contend(ctx, func() error {
		row, ok, err := get[rateRow](ctx, t.Client, t.Name, rateKey(target))
		if err != nil {
			return err
		}
		when := absent
		if ok {
			when = is("version", row.Version)
		}
		times := make([]time.Time, len(row.Times))
		for i, ms := range row.Times {
			times[i] = time.UnixMilli(ms)
		}
		if times, wait = incident.Admitted(times, most, t.Now()); wait > 0 {
			return nil
		}
		next := rateRow{key: rateKey(target), Version: row.Version + 1, Expires: t.expires(2 * incident.Ring)}
		for _, at := range times {
			next.Times = append(next.Times, at.UnixMilli())
		}
		return put(ctx, t.Client, t.Name, next, when)
	})
	if err != nil {
		return 0, fmt.Errorf("count messages to %s: %w", target, err)
	}
	return wait, nil
}

// expires is when DynamoDB may delete what is kept now.
func (t *NoticeTable) expires(after time.Duration) int64 { return t.Now().Add(after).Unix() }
