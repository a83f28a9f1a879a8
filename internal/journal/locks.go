package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
)

// lockRow says who holds a document. DynamoDB may delete it long after it ran out, so what counts is the time in it.
type lockRow struct {
	key
	Document string `dynamodbav:"document"`
	Holder   string `dynamodbav:"holder"`
	Until    string `dynamodbav:"until"`
	Expires  int64  `dynamodbav:"expires"`
}

type suppressionRow struct {
	key
	Suppression string `dynamodbav:"suppression"` // as JSON
	Expires     int64  `dynamodbav:"expires"`
}

func lockKey(document string) key { return key{"lock#" + digest(document), "lock"} }

func suppressionKey(r incident.Route) key {
	return key{"suppression#" + digest(r.Source, r.Rule, r.Destination), "suppression"}
}

// Lock takes all the documents or none, as a Ledger does: the error is an *incident.LockedError for the first that somebody else
// holds.
func (t *Table) Lock(ctx context.Context, holder string, documents []string) error {
	documents = slices.Compact(slices.Sorted(slices.Values(documents)))
	if holder == "" {
		return errors.New("lock documents: nobody to hold them")
	}
	if len(documents) == 0 {
		return nil
	}
	err := contend(ctx, func() error {
		now := t.Now()
		until := now.Add(incident.Lease)
		free := absent.Or(is("holder", holder), expression.Name("until").LessThanEqual(expression.Value(stamp(now))))
		x := transaction{table: t.Name}
		for _, d := range documents {
			x.put(lockRow{lockKey(d), d, holder, stamp(until), until.Unix()}, free)
		}
		err := x.do(ctx, t.Client)
		if !contended(err) {
			return err
		}
		for _, d := range documents {
			row, ok, e := get[lockRow](ctx, t.Client, t.Name, lockKey(d))
			if e != nil {
				return e
			}
			until, e := moment(row.Until)
			if ok && e == nil && row.Holder != holder && now.Before(until) {
				return &incident.LockedError{Document: d, Holder: row.Holder, Until: until}
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("lock documents: %w", err)
	}
	return nil
}

// Unlock releases those of the documents that the holder holds.
func (t *Table) Unlock(ctx context.Context, holder string, documents []string) error {
	var errs []error
	for _, d := range documents {
		err := remove(ctx, t.Client, t.Name, lockKey(d), is("holder", holder))
		if err != nil && !awserr.Is(err, awserr.Conflict) {
			errs = append(errs, fmt.Errorf("unlock %s: %w", d, err))
		}
	}
	return errors.Join(errs...)
}

// Suppress silences a route, in place of an earlier suppression of it.
func (t *Table) Suppress(ctx context.Context, s incident.Suppression) error {
	err := s.Check(t.Now())
	var text []byte
	if err == nil {
		text, err = json.Marshal(s)
	}
	if err == nil {
		err = put(ctx, t.Client, t.Name, suppressionRow{suppressionKey(s.Route), string(text), s.Expires.Unix()}, always)
	}
	if err != nil {
		return fmt.Errorf("suppress %s: %w", s.Route, err)
	}
	return nil
}

// Lift ends the suppression of a route, if there is one.
func (t *Table) Lift(ctx context.Context, r incident.Route) error {
	if err := remove(ctx, t.Client, t.Name, suppressionKey(r), always); err != nil {
		return fmt.Errorf("lift suppression of %s: %w", r, err)
	}
	return nil
}

// Suppressed is the suppression that is in force for a route.
func (t *Table) Suppressed(ctx context.Context, r incident.Route) (incident.Suppression, bool, error) {
	row, ok, err := get[suppressionRow](ctx, t.Client, t.Name, suppressionKey(r))
	var s incident.Suppression
	if err == nil && ok {
		err = json.Unmarshal([]byte(row.Suppression), &s)
	}
	if err != nil {
		return incident.Suppression{}, false, fmt.Errorf("read suppression of %s: %w", r, err)
	}
	if !ok || !t.Now().Before(s.Expires) {
		return incident.Suppression{}, false, nil
	}
	return s, true, nil
}
