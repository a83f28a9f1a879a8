package journal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
)

// recordRow is an incident. Its documents are rows of their own: a row has at most 400 KB.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
type recordRow struct {
	key
	Version int64   `dynamodbav:"version"` // counts every write, also those that are no new revision
	Record  string  `dynamodbav:"record"`  // the incident as JSON, without documents
	Images  []image `dynamodbav:"images"`  // of each change, in their order
	Shelf   string  `dynamodbav:"shelf"`   // partition of the index
	Rank    string  `dynamodbav:"rank"`    // order in the index
	Summary string  `dynamodbav:"summary"` // as JSON
	Expires int64   `dynamodbav:"expires,omitempty"`
}

// gone says that DynamoDB may delete the row, and those of its documents, whenever it gets to it: from then on it does not count.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ttl-expired-items.html
func (t *Table) gone(row recordRow) bool { return row.Expires != 0 && row.Expires <= t.Now().Unix() }

// image is the documents of a change by their SHA-256; "" is no document.
type image struct {
	Before string `dynamodbav:"before,omitempty"`
	After  string `dynamodbav:"after,omitempty"`
}

// placeRow says where an incident is: the one of an ID, or the one of a route that is not over.
type placeRow struct {
	key
	Incident string `dynamodbav:"incident"` // its ID
	RoutePK  string `dynamodbav:"routePK"`
	RouteSK  string `dynamodbav:"routeSK"`
	Expires  int64  `dynamodbav:"expires,omitempty"`
}

type documentRow struct {
	key
	Document string `dynamodbav:"document"`
	Expires  int64  `dynamodbav:"expires,omitempty"`
}

// patchRow counts for the limits, which look back hours; it is kept as long as an incident that is over.
type patchRow struct {
	key
	Account string `dynamodbav:"account"`
	At      string `dynamodbav:"at"`
	Expires int64  `dynamodbav:"expires"`
}

// The partitions of the index: whoever looks for open incidents does not read through all that are over.
const (
	shelfOpen = "open"
	shelfOver = "over"
)

func routePK(r incident.Route) string { return "route#" + digest(r.Source, r.Rule, r.Destination) }

func recordKey(i incident.Incident) key {
	return key{routePK(i.Route), "incident#" + stamp(i.Opened) + "#" + i.ID}
}

func openKey(r incident.Route) key    { return key{routePK(r), "open"} }
func placeKey(id string) key          { return key{"incident#" + id, "route"} }
func documentKey(id, hash string) key { return key{"incident#" + id, "document#" + hash} }

// stored is an incident as it is in the table, without documents.
type stored struct {
	incident.Incident
	row recordRow
}

func (t *Table) stored(row recordRow) (stored, error) {
	s := stored{row: row}
	if err := json.Unmarshal([]byte(row.Record), &s.Incident); err != nil {
		return s, err
	}
	if len(row.Images) != len(s.Changes) {
		return s, fmt.Errorf("incident %s has %d changes and %d images", s.ID, len(s.Changes), len(row.Images))
	}
	return s, nil
}

// at reads the incident in that place, if it is still there.
func (t *Table) at(ctx context.Context, p placeRow) (stored, bool, error) {
	row, ok, err := get[recordRow](ctx, t.Client, t.Name, key{p.RoutePK, p.RouteSK})
	if err != nil || !ok || t.gone(row) {
		return stored{}, false, err
	}
	s, err := t.stored(row)
	return s, err == nil, err
}

// find reads the incident of an ID.
func (t *Table) find(ctx context.Context, id string) (stored, bool, error) {
	p, ok, err := get[placeRow](ctx, t.Client, t.Name, placeKey(id))
	if err != nil || !ok {
		return stored{}, false, err
	}
	return t.at(ctx, p)
}

// whole is the incident with its documents.
func (t *Table) whole(ctx context.Context, s stored) (incident.Incident, error) {
	all, err := t.wholes(ctx, []stored{s})
	if err != nil {
		return incident.Incident{}, err
	}
	return all[0], nil
}

// maxBatch is how many rows are read at once at most.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const maxBatch = 100

func (t *Table) wholes(ctx context.Context, all []stored) ([]incident.Incident, error) {
	documents := map[key]*policy.Document{}
	for _, s := range all {
		for _, i := range s.row.Images {
			for _, hash := range []string{i.Before, i.After} {
				if hash != "" {
					documents[documentKey(s.ID, hash)] = nil
				}
			}
		}
	}
	for keys := range slices.Chunk(slices.Collect(maps.Keys(documents)), maxBatch) {
		if err := t.documents(ctx, keys, documents); err != nil {
			return nil, err
		}
	}
	var out []incident.Incident
	for _, s := range all {
		i := s.Incident
		document := func(hash string) *policy.Document { return documents[documentKey(s.ID, hash)] }
		for n, image := range s.row.Images {
			c := &i.Changes[n]
			c.Before, c.After = document(image.Before), document(image.After)
			if (c.Before == nil) != (image.Before == "") || (c.After == nil) != (image.After == "") {
				return nil, fmt.Errorf("incident %s: the image of %s %s is gone", s.ID, c.Kind, c.ID)
			}
		}
		out = append(out, i)
	}
	return out, nil
}

// documents reads documents. What DynamoDB leaves out of an answer is asked for again.
func (t *Table) documents(ctx context.Context, keys []key, into map[key]*policy.Document) error {
	ask := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	for _, k := range keys {
		ask.Keys = append(ask.Keys, k.attributes())
	}
	return contend(ctx, func() error {
		out, err := t.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{t.Name: ask}})
		if err != nil {
			return err
		}
		for _, item := range out.Responses[t.Name] {
			var row documentRow
			if err := attributevalue.UnmarshalMap(item, &row); err != nil {
				return err
			}
			d, err := policy.Parse([]byte(row.Document))
			if err != nil {
				return err
			}
			into[row.key] = &d
		}
		if left := out.UnprocessedKeys[t.Name]; len(left.Keys) > 0 {
			ask = left
			return errMoved
		}
		return nil
	})
}

// Open has the failures join the route's open incident, or opens one, as a Ledger does. What is known already is not written.
func (t *Table) Open(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	err := i.Openable()
	var s stored
	if err == nil {
		err = contend(ctx, func() (err error) { s, err = t.open(ctx, i); return err })
	}
	var out incident.Incident
	if err == nil {
		out, err = t.whole(ctx, s)
	}
	if err != nil {
		return incident.Incident{}, fmt.Errorf("open incident %s: %w", i.ID, err)
	}
	return out, nil
}

func (t *Table) open(ctx context.Context, i incident.Incident) (stored, error) {
	p, ok, err := get[placeRow](ctx, t.Client, t.Name, openKey(i.Route))
	if err != nil {
		return stored{}, err
	}
	if !ok {
		return t.begin(ctx, i)
	}
	s, ok, err := t.at(ctx, p)
	if err != nil {
		return stored{}, err
	}
	if !ok || s.Over() {
		return stored{}, errMoved
	}
	failures := s.Failures.Merge(i.Failures)
	if failures.Equal(s.Failures) {
		return s, nil
	}
	s.Failures = failures
	row, err := t.row(s.Incident, s.row.Images)
	if err != nil {
		return stored{}, err
	}
	row.Version = s.row.Version + 1
	return s, put(ctx, t.Client, t.Name, row, is("version", s.row.Version))
}

// begin opens an incident on a route that has none.
func (t *Table) begin(ctx context.Context, i incident.Incident) (stored, error) {
	taken, isTaken, err := t.find(ctx, i.ID)
	if err != nil {
		return stored{}, err
	}
	if isTaken && i.Repeats(taken.Incident) {
		return taken, nil
	}
	last, any, err := t.last(ctx, i.Route)
	if err != nil {
		return stored{}, err
	}
	if any && i.Repeats(last.Incident) {
		return last, nil
	}
	if isTaken {
		i.ID = i.Again()
		if _, again, err := t.find(ctx, i.ID); again || err != nil {
			return stored{}, cmp.Or(err, incident.ErrStale)
		}
	}
	i.Revision = 1
	return t.save(ctx, nil, i)
}

// last is the newest incident of a route.
func (t *Table) last(ctx context.Context, r incident.Route) (s stored, ok bool, err error) {
	err = t.route(ctx, r, 1, func(row recordRow) (bool, error) {
		s, err = t.stored(row)
		ok = err == nil
		return false, err
	})
	return s, ok, err
}

// route reads the incidents of a route, the newest first.
func (t *Table) route(ctx context.Context, r incident.Route, page int32, take func(recordRow) (bool, error)) error {
	present := func(row recordRow) (bool, error) {
		if t.gone(row) {
			return true, nil
		}
		return take(row)
	}
	return query(ctx, t.Client, &dynamodb.QueryInput{
		TableName: aws.String(t.Name), ScanIndexForward: aws.Bool(false), Limit: aws.Int32(page),
	}, expression.Key("pk").Equal(expression.Value(routePK(r))).And(expression.Key("sk").BeginsWith("incident#")), present)
}

// Record keeps the incident in place of its last revision, and returns it with the next, as a Ledger does.
func (t *Table) Record(ctx context.Context, i incident.Incident) (incident.Incident, error) {
	var out stored
	err := contend(ctx, func() error {
		last, ok, err := t.find(ctx, i.ID)
		if err != nil {
			return err
		}
		if !ok {
			return incident.ErrNotFound
		}
		next, err := i.Next(last.Incident)
		if err != nil {
			return err
		}
		if last.Over() && !next.Over() {
			if _, other, err := get[placeRow](ctx, t.Client, t.Name, openKey(i.Route)); other || err != nil {
				return cmp.Or(err, incident.ErrStale)
			}
		}
		out, err = t.save(ctx, &last, next)
		return err
	})
	if err != nil {
		return incident.Incident{}, fmt.Errorf("record incident %s: %w", i.ID, err)
	}
	return out.Incident, nil
}

// save writes everything that next, which has its documents, changes about last; nil: it is new.
func (t *Table) save(ctx context.Context, last *stored, next incident.Incident) (stored, error) {
	documents := map[string]string{}
	images := make([]image, len(next.Changes))
	for n, c := range next.Changes {
		var errs [2]error
		images[n].Before, errs[0] = hashOf(c.Before, documents)
		images[n].After, errs[1] = hashOf(c.After, documents)
		if err := errors.Join(errs[:]...); err != nil {
			return stored{}, err
		}
	}
	row, err := t.row(next, images)
	if err != nil {
		return stored{}, err
	}
	old, when := stored{}, absent
	if last != nil {
		old, when = *last, is("version", last.row.Version)
	}
	row.Version = old.row.Version + 1
	if old.row.Expires != 0 && row.Expires != 0 {
		row.Expires = old.row.Expires // with its documents
	}

	x := transaction{table: t.Name}
	x.put(row, when)
	place := placeRow{Incident: next.ID, RoutePK: row.PK, RouteSK: row.SK}
	isOpen, wasOpen := !next.Over(), last != nil && !last.Over()
	switch {
	case isOpen && !wasOpen:
		place.key = openKey(next.Route)
		x.put(place, absent)
	case wasOpen && !isOpen:
		x.remove(openKey(next.Route)) // it is this incident's: the version that the condition names was open
	}
	turned := isOpen != wasOpen
	if last == nil || turned {
		place.key, place.Expires = placeKey(next.ID), row.Expires
		x.put(place, always)
	}
	had := map[string]bool{}
	for _, i := range old.row.Images {
		had[i.Before], had[i.After] = true, true
	}
	delete(had, "")
	for _, hash := range slices.Sorted(maps.Keys(documents)) {
		if turned || !had[hash] {
			x.put(documentRow{documentKey(next.ID, hash), documents[hash], row.Expires}, always)
		}
		delete(had, hash)
	}
	for hash := range had {
		x.remove(documentKey(next.ID, hash))
	}
	before, after := old.Patches(), next.Patches()
	for _, p := range after {
		if !slices.Contains(before, p) {
			x.put(patchRow{patchKey(next.ID, p), p.Account, stamp(p.At), p.At.Add(t.keep()).Unix()}, always)
		}
	}
	for _, p := range before {
		if !slices.Contains(after, p) {
			x.remove(patchKey(next.ID, p))
		}
	}
	return stored{next, row}, x.do(ctx, t.Client)
}

// hashOf is what a document is called in the table, and keeps its text under that; "" is no document.
func hashOf(d *policy.Document, texts map[string]string) (string, error) {
	if d == nil {
		return "", nil
	}
	text, err := d.MarshalJSON()
	if err != nil {
		return "", err
	}
	hash := digest(string(text))
	texts[hash] = string(text)
	return hash, nil
}

func patchKey(id string, p incident.Patch) key {
	return key{"patch", stamp(p.At) + "#" + p.Account + "#" + id}
}

func (t *Table) keep() time.Duration {
	if t.Keep > 0 {
		return t.Keep
	}
	return DefaultKeep
}

// row is the incident's own row, of no version yet.
func (t *Table) row(i incident.Incident, images []image) (recordRow, error) {
	i.Changes = slices.Clone(i.Changes)
	for n := range i.Changes {
		i.Changes[n].Before, i.Changes[n].After = nil, nil
	}
	record, err := json.Marshal(i)
	if err != nil {
		return recordRow{}, err
	}
	summary, err := json.Marshal(i.Summary())
	if err != nil {
		return recordRow{}, err
	}
	row := recordRow{
		key: recordKey(i), Record: string(record), Images: images, Summary: string(summary),
		Shelf: shelfOpen, Rank: rank(i.Opened, i.ID),
	}
	if i.Over() {
		row.Shelf, row.Expires = shelfOver, t.Now().Add(t.keep()).Unix()
	}
	return row, nil
}

// Get is the incident of that ID, or incident.ErrNotFound.
func (t *Table) Get(ctx context.Context, id string) (incident.Incident, error) {
	var out incident.Incident
	err := contend(ctx, func() error {
		s, ok, err := t.find(ctx, id)
		if err != nil {
			return err
		}
		if !ok {
			return incident.ErrNotFound
		}
		out, err = t.whole(ctx, s)
		return err
	})
	if err != nil {
		return incident.Incident{}, fmt.Errorf("get incident %s: %w", id, err)
	}
	return out, nil
}

// List is the incidents that the filter takes, the newest first. What was opened or recorded a moment ago may not be in it.
func (t *Table) List(ctx context.Context, f incident.Filter) ([]incident.Summary, error) {
	shelves := []string{shelfOpen, shelfOver}
	if f.Open {
		shelves = shelves[:1]
	}
	var out []incident.Summary
	for _, shelf := range shelves {
		n := 0
		err := query(ctx, t.Client, &dynamodb.QueryInput{
			TableName: aws.String(t.Name), IndexName: aws.String(Index),
			ScanIndexForward: aws.Bool(false), Limit: aws.Int32(incident.MaxList),
		}, between(shelf, f),
			func(row recordRow) (bool, error) {
				var s incident.Summary
				if err := json.Unmarshal([]byte(row.Summary), &s); err != nil {
					return false, err
				}
				if f.Takes(s) && !t.gone(row) {
					out = append(out, s)
					n++
				}
				return n < f.Most(), nil
			})
		if err != nil {
			return nil, fmt.Errorf("list incidents: %w", err)
		}
	}
	slices.SortFunc(out, incident.Newest)
	return out[:min(len(out), f.Most())], nil
}

// between is what stands on a shelf of the index and may be in the list.
func between(shelf string, f incident.Filter) expression.KeyConditionBuilder {
	if f.After.ID == "" {
		return from("shelf", shelf, "rank", f.Since)
	}
	last := rank(f.After.Opened, f.After.ID)
	return expression.Key("shelf").Equal(expression.Value(shelf)).And(
		expression.Key("rank").Between(expression.Value(min(stamp(f.Since), last)), expression.Value(last)))
}

// rank is the order of incidents in the index.
func rank(opened time.Time, id string) string { return stamp(opened) + "#" + id }

// from is what stands in a partition under keys that start with that time or a later one.
func from(partition, value, order string, t time.Time) expression.KeyConditionBuilder {
	return expression.Key(partition).Equal(expression.Value(value)).And(expression.Key(order).GreaterThanEqual(expression.Value(stamp(t))))
}

// Past is what is known of a route, and how much was written in every account after a time.
func (t *Table) Past(ctx context.Context, r incident.Route, since time.Time) (incident.Past, error) {
	var wrote []stored
	err := t.route(ctx, r, incident.MaxPast, func(row recordRow) (bool, error) {
		s, err := t.stored(row)
		if err == nil && s.Wrote() {
			wrote = append(wrote, s)
		}
		return len(wrote) < incident.MaxPast, err
	})
	out := incident.Past{Patches: map[string]int{}}
	if err == nil {
		slices.Reverse(wrote)
		out.Incidents, err = t.wholes(ctx, wrote)
	}
	if err == nil {
		err = query(ctx, t.Client, &dynamodb.QueryInput{TableName: aws.String(t.Name)},
			from("pk", "patch", "sk", since),
			func(row patchRow) (bool, error) {
				at, err := moment(row.At)
				if err == nil && at.After(since) {
					out.Patches[row.Account]++
				}
				return true, err
			})
	}
	if err != nil {
		return incident.Past{}, fmt.Errorf("read past of %s: %w", r, err)
	}
	return out, nil
}
