package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

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

// suppressionRow has no time to live: a suppression that has ended stays until people were told.
type suppressionRow struct {
	key
	Suppression string `dynamodbav:"suppression"` // as JSON
}

func lockKey(document string) key { return key{"lock#" + digest(document), "lock"} }

// SuppressionPartition is the partition of all of them: people make them one by one, and they are listed as a whole.
const SuppressionPartition = "suppression"

// suppressionOf is what the sort keys of a route's suppressions begin with.
func suppressionOf(r incident.Route) string { return digest(r.Source, r.Rule, r.Destination) + "#" }

func suppressionKey(s incident.Suppression) key {
	return key{SuppressionPartition, suppressionOf(s.Route) + digest(s.Cause)}
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

// Suppress silences a route, in place of an earlier suppression of it for the same cause.
func (t *Table) Suppress(ctx context.Context, s incident.Suppression) error {
	err := s.Check(t.Now())
	var row suppressionRow
	if err == nil {
		row, err = suppressionRowOf(s)
	}
	if err == nil {
		err = put(ctx, t.Client, t.Name, row, always)
	}
	if err != nil {
		return fmt.Errorf("suppress %s: %w", s.Route, err)
	}
	return nil
}

func suppressionRowOf(s incident.Suppression) (suppressionRow, error) {
	s.Expires = s.Expires.UTC().Round(0) // one suppression has one text
	text, err := json.Marshal(s)
	return suppressionRow{suppressionKey(s), string(text)}, err
}

// Lift ends that very suppression, or removes it when it has ended. One that took its place since stays.
func (t *Table) Lift(ctx context.Context, s incident.Suppression) error {
	row, err := suppressionRowOf(s)
	if err == nil {
		err = remove(ctx, t.Client, t.Name, row.key, is("suppression", row.Suppression))
	}
	if err != nil && !awserr.Is(err, awserr.Conflict) {
		return fmt.Errorf("lift suppression of %s: %w", s.Route, err)
	}
	return nil
}

// Suppressed is the suppressions that are in force for a route.
func (t *Table) Suppressed(ctx context.Context, r incident.Route) ([]incident.Suppression, error) {
	of := expression.Key("pk").Equal(expression.Value(SuppressionPartition)).And(expression.Key("sk").BeginsWith(suppressionOf(r)))
	all, err := t.silences(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("read suppressions of %s: %w", r, err)
	}
	return slices.DeleteFunc(all, func(s incident.Suppression) bool { return s.Ended(t.Now()) }), nil
}

// Silences is every suppression, those that have ended included.
func (t *Table) Silences(ctx context.Context) ([]incident.Suppression, error) {
	all, err := t.silences(ctx, expression.Key("pk").Equal(expression.Value(SuppressionPartition)))
	if err != nil {
		return nil, fmt.Errorf("read suppressions: %w", err)
	}
	return all, nil
}

func (t *Table) silences(ctx context.Context, where expression.KeyConditionBuilder) (out []incident.Suppression, err error) {
	err = query(ctx, t.Client, &dynamodb.QueryInput{TableName: aws.String(t.Name)}, where, func(row suppressionRow) (bool, error) {
		var s incident.Suppression
		err := json.Unmarshal([]byte(row.Suppression), &s)
		out = append(out, s)
		return true, err
	})
	slices.SortFunc(out, incident.FirstEnds)
	return out, err
}
