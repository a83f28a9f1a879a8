package awscloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/snapshot"
)

// What becomes of a write besides success, snapshot.ErrDrift and snapshot.ErrUnwritable.
var (
	// ErrOverwritten says that the document was written, and that somebody else wrote another one after that: what is there now is
	// neither the document before nor the one after. It is no drift, because the write was made.
	ErrOverwritten = errors.New("somebody else wrote the document meanwhile")
	// ErrUnconfirmed says that AWS took the document and does not show it: it still shows the one before, or cannot be read.
	// The write may show later, also after a reading that does not have it.
	ErrUnconfirmed = errors.New("document was written and is not seen yet")
)

// unwritten is an error before which nothing was written.
func unwritten(err error) error {
	if errors.Is(err, snapshot.ErrDrift) || errors.Is(err, snapshot.ErrUnwritable) {
		return err
	}
	return fmt.Errorf("%w: %w", snapshot.ErrUnwritable, err)
}

// WriteOptions is what a Writer may do and whom it asks.
type WriteOptions struct {
	// Owner finds the account and Region of a bucket whose policy is to be written, from approved routes or a verified snapshot.
	// When it says false, or is nil, the bucket's policy is not written.
	Owner func(bucket string) (account, region string, ok bool)
	// Trust is whether trust policies may be written. Somebody must have approved each of them.
	Trust bool
	// Opinion is whether IAM Access Analyzer is asked before a document is written. Where the caller may not ask, the document is
	// written without.
	Opinion bool
	// Note is told what the second opinion said, or why there is none. It may be nil.
	Note func(string)
}

// Writer writes policy documents, each in a session that may do this and nothing else. It can be used by many goroutines; two
// writes of one document at the same time need a lock of the caller's, because AWS knows no condition on a write.
type Writer struct {
	accounts *Accounts
	options  WriteOptions
	wait     func(context.Context, time.Duration) error

	mu     sync.Mutex
	doubts map[storePlace]bool // documents that may have been written and were not seen since
}

// NewWriter makes no call.
func NewWriter(a *Accounts, o WriteOptions) *Writer {
	return &Writer{accounts: a, options: o, wait: storeWait, doubts: map[storePlace]bool{}}
}

func storeWait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// stores is every kind of document that can be written. What is not here is never written: not the policies of users, no
// attached policy, no boundary, no policy of an organization, no configuration.
var stores = map[snapshot.Kind]*store{
	snapshot.RolePolicy:              &inlineStore,
	snapshot.RoleTrust:               &trustStore,
	snapshot.SourceKeyPolicy:         &keyStore,
	snapshot.ReplicaKeyPolicy:        &keyStore,
	snapshot.KeyPolicy:               &keyStore,
	snapshot.SourceBucketPolicy:      &bucketStore,
	snapshot.DestinationBucketPolicy: &bucketStore,
	snapshot.BucketPolicy:            &bucketStore,
}

// store is how one kind of document is read and written.
type store struct {
	put    preflight.Need  // the one action of a session that writes
	remove *preflight.Need // the one action of a session that deletes; nil: what it belongs to cannot be without the document
	form   storeForm
	asks   analyzerForm

	// at finds where the document is. It makes no call.
	at func(o *WriteOptions, ref snapshot.Ref) (storePlace, error)
	// live reads the document; absent: its owner is there and the document is not.
	live func(ctx context.Context, reader aws.Config, at storePlace) (snapshot.Value[policy.Document], error)
	// others is the size of what counts together with the document; nil: nothing does.
	others func(ctx context.Context, reader aws.Config, at storePlace) (int, error)
	// write makes the one call. An empty text deletes.
	write func(ctx context.Context, session aws.Config, at storePlace, text string) error
}

// storePlace is where a document is.
type storePlace struct {
	arn     policy.ARN // of what it belongs to: the one resource of the session
	account string     // that owns it
	region  string     // in which the calls are made
	owner   string     // the name of what it belongs to, as calls take it
	policy  string     // the name of an inline policy; of a role without one it is the trust policy
}

// Live is the document as it is now, read with the reader's role. It is absent when what it belongs to is there and has none, and
// an error when it could not be read or is not understood.
func (w *Writer) Live(ctx context.Context, ref snapshot.Ref) (snapshot.Value[policy.Document], error) {
	s, at, err := w.find(ref)
	if err != nil {
		return snapshot.Value[policy.Document]{}, fmt.Errorf("read %s: %w", ref, err)
	}
	live, err := s.live(ctx, w.reader(at), at)
	if err != nil {
		return snapshot.Value[policy.Document]{}, fmt.Errorf("read %s: %w", ref, err)
	}
	return live, nil
}

func (w *Writer) reader(at storePlace) aws.Config { return w.accounts.Reader(at.account, at.region) }

func (w *Writer) find(ref snapshot.Ref) (*store, storePlace, error) {
	s, ok := stores[ref.Kind]
	if !ok {
		return nil, storePlace{}, fmt.Errorf("%w: a %.40q is never written", snapshot.ErrUnwritable, string(ref.Kind))
	}
	at, err := s.at(&w.options, ref)
	return s, at, err
}

// Put writes the document after in place of the one before; an absent document deletes it. It reads again before it writes, and
// after. When the live document is the one after already, nothing is written and all is well; but a document that this Writer wrote
// and has not seen since is written even then, because the earlier write may show later.
//
// An error that is snapshot.ErrDrift or snapshot.ErrUnwritable says that nothing was written, ErrOverwritten and ErrUnconfirmed that
// something was. After any other error, such as a connection that broke, the document may be written or not. The code of an
// error of AWS can be had from package awserr.
func (w *Writer) Put(ctx context.Context, by incident.Authority, e patch.Edit) error {
	if err := w.write(ctx, by, e); err != nil {
		return fmt.Errorf("put %s: %w", e.Document, err)
	}
	return nil
}

func (w *Writer) write(ctx context.Context, by incident.Authority, e patch.Edit) error {
	s, at, err := w.find(e.Document)
	if err != nil {
		return unwritten(err)
	}
	if e.Account != "" && e.Account != at.account {
		return fmt.Errorf("%w: it belongs to account %s and not to %.20q", snapshot.ErrUnwritable, at.account, e.Account)
	}
	if e.Document.Kind == snapshot.RoleTrust {
		if err := w.mayTrust(by); err != nil {
			return err
		}
	}
	text, err := s.text(e)
	if err != nil {
		return unwritten(err)
	}
	session, err := w.session(s, at, by, text)
	if err != nil {
		return unwritten(err)
	}
	doubted := w.doubted(at)
	if there, err := w.compare(ctx, s, at, e); err != nil {
		return unwritten(err)
	} else if there && !doubted {
		return nil
	}
	if err := w.judge(ctx, s, at, e); err != nil {
		return unwritten(err)
	}
	// The session is opened before the last look at the document, so that nothing but the call itself comes after that.
	if _, err := session.Credentials.Retrieve(ctx); err != nil {
		return unwritten(fmt.Errorf("open session: %w", err))
	}
	if err := w.send(ctx, s, session, at, e, text); err != nil {
		return err
	}
	if err := w.confirm(ctx, s, at, e); err != nil {
		return err
	}
	w.doubt(at, false)
	return nil
}

func (w *Writer) doubted(at storePlace) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.doubts[at]
}

func (w *Writer) doubt(at storePlace, doubted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if doubted {
		w.doubts[at] = true
		return
	}
	delete(w.doubts, at)
}

// send makes the one call, and again where the service was too busy or failed. It looks at the document before every attempt and the
// SDK repeats none, because between two of them there is time for somebody else.
func (w *Writer) send(ctx context.Context, s *store, session aws.Config, at storePlace, e patch.Edit, text string) error {
	session.RetryMaxAttempts = 1
	doubted := w.doubted(at)
	var unsure error // of an attempt that may have been made
	failed := func(err error) error {
		if unsure != nil && ctx.Err() != nil {
			return unsure // there was no time to look what became of it
		}
		if unsure != nil {
			return fmt.Errorf("%w; then: %v", unsure, err) //nolint:errorlint // it must not say that nothing was written
		}
		return unwritten(err)
	}
	for try, pause := 1, storePause; ; try, pause = try+1, 2*pause {
		there, err := w.compare(ctx, s, at, e)
		switch {
		case err != nil:
			return failed(err)
		case there && !doubted:
			return nil
		case ctx.Err() != nil:
			return failed(ctx.Err())
		}
		w.doubt(at, true)
		err = s.write(ctx, session, at, text)
		switch gone := text == "" && awserr.Is(err, awserr.Absent); {
		case err == nil, gone && (doubted || unsure != nil):
			return nil
		case !awserr.Refused(err):
			unsure = err
		case unsure == nil && !doubted:
			w.doubt(at, false)
		}
		if try == maxWrites || !awserr.Is(err, awserr.Throttled, awserr.Unavailable) {
			return failed(err)
		}
		if err := w.wait(ctx, pause/2+rand.N(pause/2)); err != nil {
			return failed(err)
		}
	}
}

// compare reads the live document and says whether it is the one after already. Otherwise it must be the one before.
func (w *Writer) compare(ctx context.Context, s *store, at storePlace, e patch.Edit) (there bool, err error) {
	live, err := s.live(ctx, w.reader(at), at)
	switch {
	case err != nil:
		return false, fmt.Errorf("read before writing: %w", err)
	case patch.Alike(live, e.After, at.arn.Partition):
		return true, nil
	case !patch.Alike(live, e.Before, at.arn.Partition):
		return false, snapshot.ErrDrift
	}
	return false, nil
}

// judge is what has to be asked about a document that is to be written.
func (w *Writer) judge(ctx context.Context, s *store, at storePlace, e patch.Edit) error {
	others := 0
	if s.others != nil && e.After.State == snapshot.Present {
		var err error
		if others, err = s.others(ctx, w.reader(at), at); err != nil {
			return fmt.Errorf("measure the other policies: %w", err)
		}
	}
	if why := e.Unwritable(others); why != "" {
		return fmt.Errorf("%w: %s", snapshot.ErrUnwritable, why)
	}
	if !w.options.Opinion {
		return nil
	}
	return w.opinion(ctx, s, at, e)
}

// session may make the one call on the one ARN. The ARN has no wildcard and no variable: at has seen to it.
func (w *Writer) session(s *store, at storePlace, by incident.Authority, text string) (aws.Config, error) {
	need := s.put
	if text == "" {
		need = *s.remove
	}
	only, err := policy.Allowing(policy.StatementSpec{Actions: []string{need.Action}, Resources: []string{at.arn.String()}})
	if err != nil {
		return aws.Config{}, fmt.Errorf("narrow session: %w", err)
	}
	return w.accounts.Narrowed(at.account, at.region, Purpose{
		Role: need.Role, Policy: only, Incident: by.Incident, Approver: by.Approver,
	})
}

// Between readings that do not show a write there is a pause that doubles: 16 s in all. IAM and KMS are eventually consistent.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
// https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
const (
	storeReadings = 7
	storePause    = 250 * time.Millisecond
)

// maxWrites is how often a document is written at most while AWS says that it is too busy.
const maxWrites = 6

// confirm reads until the document after is there.
func (w *Writer) confirm(ctx context.Context, s *store, at storePlace, e patch.Edit) error {
	pause := storePause
	for i := 1; ; i++ {
		live, err := s.live(ctx, w.reader(at), at)
		if err == nil && patch.Alike(live, e.After, at.arn.Partition) {
			return nil
		}
		if i == storeReadings {
			switch {
			case err != nil:
				return fmt.Errorf("%w: read again: %w", ErrUnconfirmed, err)
			case patch.Alike(live, e.Before, at.arn.Partition):
				return ErrUnconfirmed
			}
			return ErrOverwritten
		}
		if err := w.wait(ctx, pause); err != nil {
			return fmt.Errorf("%w: %w", ErrUnconfirmed, err)
		}
		pause *= 2
	}
}

// storedSize is how long a document is without white space. One that is no JSON counts whole.
func storedSize(text string) int {
	var short bytes.Buffer
	if json.Compact(&short, []byte(text)) != nil {
		return len(text)
	}
	return short.Len()
}

// storeRegion is the Region in which the calls to IAM of a partition are made: where its control plane is.
// https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html
func storeRegion(partition string) (string, error) {
	for _, region := range []string{"us-east-1", "cn-north-1", "us-gov-west-1"} {
		if policy.Partition(region) == partition {
			return region, nil
		}
	}
	return "", fmt.Errorf("%w: the partition %.40q is not known", snapshot.ErrUnwritable, partition)
}

func (w *Writer) mayTrust(by incident.Authority) error {
	switch {
	case !w.options.Trust:
		return fmt.Errorf("%w: trust policies are not to be written", snapshot.ErrUnwritable)
	case by.Approver == "":
		return fmt.Errorf("%w: nobody approved the trust policy", snapshot.ErrUnwritable)
	}
	return nil
}
