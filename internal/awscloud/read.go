package awscloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/sync/errgroup"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

// ReadOptions is what a Reader may know beforehand, and how much it reads.
type ReadOptions struct {
	// Approved is where routes were when they were approved. It says what can be asked for before the configuration answers, and
	// is never taken for what is there: what it names and the configuration does not is in no snapshot.
	Approved []settings.ApprovedRoute
	// Roles are read beside those of the routes.
	Roles []policy.ARN
	// Region is the first guess of a bucket's Region; "" is that of the base.
	Region string
	// Guardrails asks for the organization, its accounts, and the SCPs and RCPs over every account of the snapshot. They are
	// found level by level, which takes more rounds than everything else.
	Guardrails bool
	// Now is the clock; nil is the machine's.
	Now func() time.Time
	// Progress is told how many source buckets of a run are read, one call at a time. It may be nil.
	Progress func(done, total int)
}

// Reader reads live AWS into snapshots. It keeps no document: each run asks again. It can be used by many goroutines.
//
// A run reads each bucket, role, key and policy once, however many routes share it. Where the route is approved and is as it was,
// everything that it names is asked for at once, and what that leads to, such as the policies of the role, in the next two rounds.
// Without an approved route it is first the source bucket, then the role, the keys and the destination, then the policies of the
// role and the default key of the destination. One round more takes each of: a managed policy whose default version is not its
// first; a key that is named by an alias, of the destination's default; a replica key that is named by an alias without an
// account, which means one of the destination's Region; a bucket in another Region, or of another account, than was guessed, or
// that no route and no rule says the owner of and more than three accounts may own. Before all of them a reader role is assumed,
// once an hour and account.
type Reader struct {
	accounts *Accounts
	options  ReadOptions
	home     string        // the Region of what belongs to none
	slots    chan struct{} // one for each call that may wait for an answer

	mu     sync.Mutex
	calls  map[string]int
	places map[string]place // of buckets, as guesses
}

// place is an account and a Region in it; "" is not known.
type place struct{ account, region string }

// NewReader makes no call.
func NewReader(a *Accounts, o ReadOptions) *Reader {
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Reader{
		accounts: a, options: o, home: cmp.Or(o.Region, a.access.Base.Region, "us-east-1"),
		slots: make(chan struct{}, maxConcurrent), calls: make(map[string]int), places: make(map[string]place),
	}
	for _, route := range o.Approved {
		for _, b := range []settings.Bucket{route.Source, route.Destination} {
			r.places[b.Bucket] = place{b.Account, b.Region}
		}
	}
	return r
}

// Snapshot reads the routes that leave a bucket, and the samples, which are versions of objects in it. Of more than
// snapshot.MaxObjects samples the first are read; one that does not exist any more is left out. What is refused is missing and
// listed as unreadable. The error is that of the context.
func (r *Reader) Snapshot(ctx context.Context, source string, samples []incident.Object) (*snapshot.Snapshot, error) {
	return r.read(ctx, []string{source}, samples)
}

// Survey is Snapshot of many buckets in one run, without samples.
func (r *Reader) Survey(ctx context.Context, sources []string) (*snapshot.Snapshot, error) {
	return r.read(ctx, sources, nil)
}

// Calls is how often each operation was called so far, such as "s3:GetBucketPolicy". Each page is a call, and what the SDK tried
// again is none.
func (r *Reader) Calls() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.calls)
}

func (r *Reader) read(ctx context.Context, sources []string, samples []incident.Object) (*snapshot.Snapshot, error) {
	u := r.run()
	// A bucket takes a dozen calls, so that as many buckets at a time as calls are more than enough to keep all slots busy, and
	// an account with thousands of buckets does not make all of their goroutines at once.
	var buckets errgroup.Group
	buckets.SetLimit(maxConcurrent)
	var progress sync.Mutex
	done := 0
	for _, source := range sources {
		buckets.Go(func() error {
			if ctx.Err() == nil {
				u.source(ctx, source, samples)
			}
			progress.Lock()
			defer progress.Unlock()
			done++
			if r.options.Progress != nil {
				r.options.Progress(done, len(sources))
			}
			return nil
		})
	}
	for _, arn := range r.options.Roles {
		buckets.Go(func() error {
			u.keepRole(ctx, arn)
			return nil
		})
	}
	_ = buckets.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read snapshot: %w", err)
	}
	return u.snapshot(ctx, sources), nil
}

// place is where the bucket may be.
func (r *Reader) place(bucket string) place {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.places[bucket]
}

// run is one reading of the cloud.
type run struct {
	reader *Reader

	doors     memo[place, door]
	callers   memo[string, string] // the account of the base, under ""
	buckets   memo[wantedBucket, reading[snapshot.Bucket]]
	roles     memo[policy.ARN, reading[snapshot.Role]]
	managed   memo[managedPolicy, document]
	keys      memo[policy.ARN, reading[snapshot.Key]]
	aliases   memo[policy.ARN, target]
	objects   memo[wantedObject, reading[snapshot.Object]]
	guards    memo[string, reading[snapshot.Guardrails]] // by account
	members   memo[string, membership]                   // by account
	trees     memo[string, tree]                         // by management account
	parents   memo[branch, parent]
	attached  memo[attachment, attachedDocuments]
	guardrail memo[branch, document]

	// What the snapshot is to have: it is what the configuration names, not what was asked for ahead.
	mu       sync.Mutex
	out      snapshot.Snapshot
	kept     map[string]bool // the buckets, roles, … that are in it, by path
	accounts map[string]bool // whose guardrails it is to have
}

func (r *Reader) run() *run {
	return &run{reader: r, kept: make(map[string]bool), accounts: make(map[string]bool), out: snapshot.Snapshot{
		TakenAt: r.options.Now().UTC().Format(time.RFC3339),
		Buckets: make(map[string]snapshot.Value[snapshot.Bucket]), Roles: make(map[policy.ARN]snapshot.Value[snapshot.Role]),
		Keys: make(map[policy.ARN]snapshot.Value[snapshot.Key]), Unreadable: make(map[string]string),
	}}
}

// source reads everything that a route from the bucket needs.
func (u *run) source(ctx context.Context, name string, samples []incident.Object) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	samples = distinct(samples)
	guess := u.reader.place(name)
	u.ahead(ctx, &tasks, name, guess, samples)
	bucket := u.keepBucket(ctx, name, guess)
	u.guard(ctx, &tasks, bucket.Account)
	if len(samples) > 0 {
		tasks.Go(func() { u.samples(ctx, name, &bucket, samples) })
	}
	u.defaultKeys(ctx, &tasks, &bucket)
	config, ok := bucket.Replication.Get()
	if !ok {
		return
	}
	roleAccount := bucket.Account
	if arn, err := policy.ParseARN(config.Role); err == nil && isRole(arn) {
		roleAccount = arn.Account
		tasks.Go(func() { u.keepRole(ctx, arn) })
	}
	for _, rule := range config.Rules {
		tasks.Go(func() { u.destination(ctx, &bucket, roleAccount, rule.Destination) })
	}
}

// ahead asks for what the approved routes of the bucket name. Whatever comes of it is in the snapshot only where the
// configuration leads there, too.
func (u *run) ahead(ctx context.Context, tasks *sync.WaitGroup, name string, guess place, samples []incident.Object) {
	for _, a := range u.reader.options.Approved {
		if a.Source.Bucket != name {
			continue
		}
		tasks.Go(func() { u.role(ctx, a.Role.ARN) })
		tasks.Go(func() { u.bucket(ctx, a.Destination.Bucket, place{a.Destination.Account, a.Destination.Region}) })
		for _, arn := range append(slices.Clone(a.SourceKeys), a.ReplicaKey) {
			if !arn.IsZero() {
				tasks.Go(func() { u.key(ctx, arn) })
			}
		}
	}
	if guess.account == "" || guess.region == "" {
		return
	}
	for _, o := range samples {
		tasks.Go(func() { u.object(ctx, name, guess, o) })
	}
}

// destination reads what a rule writes to. The source bucket is where the configuration was read.
func (u *run) destination(ctx context.Context, source *snapshot.Bucket, roleAccount string, d snapshot.Destination) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	name, replicaKey := d.Bucket, ""
	if arn, err := policy.ParseARN(d.Bucket); err == nil && arn.Service == "s3" {
		name = arn.Resource
	}
	if d.EncryptionConfiguration != nil {
		replicaKey = d.EncryptionConfiguration.ReplicaKmsKeyID
	}
	guess := u.reader.place(name)
	if policy.IsAccountID(d.Account) {
		guess.account = cmp.Or(guess.account, d.Account)
	}
	guess.region = cmp.Or(guess.region, source.Region)
	arn, err := policy.ParseARN(replicaKey)
	byARN := err == nil
	if byARN {
		// The key of the replicas is in the Region of their bucket, or nothing arrives.
		// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
		if u.reader.place(name).region == "" && isRegion(arn.Region) {
			guess.region = arn.Region
		}
		tasks.Go(func() { u.keepKey(ctx, replicaKey, place{}) })
	}
	bucket := u.keepBucket(ctx, name, guess)
	u.guard(ctx, &tasks, bucket.Account)
	u.defaultKeys(ctx, &tasks, &bucket)
	if replicaKey != "" && !byARN {
		// What is not named by ARN means a key of the requester's account, which is the role's, in the destination's Region.
		// https://docs.aws.amazon.com/AmazonS3/latest/API/API_EncryptionConfiguration.html
		tasks.Go(func() { u.keepKey(ctx, replicaKey, place{roleAccount, bucket.Region}) })
	}
}

// keep says whether nobody kept what stands at that path before, and adds what could not be read of it.
func (u *run) keep(path string, refused map[string]string) bool {
	if u.kept[path] {
		return false
	}
	u.kept[path] = true
	for member, why := range refused {
		at := path
		if member != "" {
			at = jsontree.Join(path, member)
		}
		u.out.Unreadable[at] = why
	}
	return true
}

func (u *run) snapshot(ctx context.Context, sources []string) *snapshot.Snapshot {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := range u.out.Objects {
		o := &u.out.Objects[i]
		if b := u.out.Buckets[o.Bucket].V; b.Ownership.V == "BucketOwnerEnforced" {
			// https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
			o.Owner = b.Account
		}
	}
	u.govern(ctx, sources)
	if len(u.out.Unreadable) == 0 {
		u.out.Unreadable = nil
	}
	return &u.out
}

// reading is what came of reading one thing: its value, and why members of it are missing. The member "" is the whole.
type reading[T any] struct {
	value   snapshot.Value[T]
	refused map[string]string
}

// members collects the members of one thing, each of them read by a goroutine of its own.
type members struct {
	tasks sync.WaitGroup
	mu    sync.Mutex
	asked int
	errs  map[string]error
}

// fetch reads one member into the place that it has. On an error the place stays as it was, which is missing.
func fetch[T any](m *members, member string, into *T, read func() (T, error)) {
	m.mu.Lock()
	m.asked++
	m.mu.Unlock()
	m.tasks.Go(func() {
		v, err := read()
		if err == nil {
			*into = v
			return
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.errs == nil {
			m.errs = make(map[string]error)
		}
		m.errs[member] = err
	})
}

// refused is why members are missing.
func (m *members) refused() map[string]string {
	out := make(map[string]string, len(m.errs))
	for member, err := range m.errs {
		out[member] = refusal(err)
	}
	return out
}

// maxRefusal bounds the text of what could not be read, in characters.
const maxRefusal = 300

// refusal is an error as a snapshot lists it: the code, and what AWS says about it in one line.
func refusal(err error) string {
	code, text := "Unanswered", awserr.WithoutAddress(err).Error()
	var api smithy.APIError
	var unusable *unusableError
	switch {
	case errors.As(err, &unusable):
		code, text = "Unusable", unusable.Error()
	case errors.As(err, &api):
		code, text = cmp.Or(api.ErrorCode(), code), api.ErrorMessage()
	}
	visible := strings.Map(func(r rune) rune {
		if !jsontree.Visible(r) {
			return ' '
		}
		return r
	}, code+": "+cmp.Or(text, "no reason given"))
	line := strings.Join(strings.Fields(visible), " ")
	if utf8.RuneCountInString(line) > maxRefusal {
		line = string([]rune(line)[:maxRefusal-1]) + "…"
	}
	return line
}

// unusableError says that AWS answered, but with what cannot be understood, or is not to be asked.
type unusableError struct{ err error }

func (e *unusableError) Error() string { return e.err.Error() }

func (e *unusableError) Unwrap() error { return e.err }

func unusable(format string, args ...any) error {
	return &unusableError{fmt.Errorf(format, args...)}
}

// document is a policy that several may share.
type document struct {
	policy policy.Document
	err    error
}

func parseDocument(text string) (policy.Document, error) {
	d, err := policy.Parse([]byte(text))
	if err != nil {
		return d, unusable("parse policy: %w", err)
	}
	return d, nil
}

// memo does each piece of work of a run once; whoever asks meanwhile waits for it.
type memo[K comparable, V any] struct {
	mu sync.Mutex
	m  map[K]*work[V]
}

type work[V any] struct {
	done   chan struct{}
	result V
}

func (m *memo[K, V]) get(k K, do func() V) V {
	m.mu.Lock()
	w, begun := m.m[k]
	if !begun {
		if m.m == nil {
			m.m = make(map[K]*work[V])
		}
		w = &work[V]{done: make(chan struct{})}
		m.m[k] = w
	}
	m.mu.Unlock()
	if begun {
		<-w.done
	} else {
		w.result = do()
		close(w.done)
	}
	return w.result
}

// door is the way into an account and Region.
type door struct {
	s3  *s3.Client
	iam *iam.Client
	kms *kms.Client
	org *organizations.Client
	err error // why there is no way: the reader role of the account cannot be assumed
}

// door opens a session before anything is asked: who may not come in is told so once, not at every call.
func (u *run) door(ctx context.Context, at place) *door {
	d := u.doors.get(at, func() door {
		cfg := u.reader.watched(u.reader.accounts.Reader(at.account, at.region))
		if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
			return door{err: err}
		}
		return door{s3: s3Client(cfg), iam: iam.NewFromConfig(cfg), kms: kms.NewFromConfig(cfg), org: organizations.NewFromConfig(cfg)}
	})
	return &d
}

// caller is the account of the base's credentials, "" when nobody says.
func (u *run) caller(ctx context.Context) string {
	return u.callers.get("", func() string {
		cfg := u.reader.watched(in(u.reader.accounts.access.Base, u.reader.home))
		out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return ""
		}
		return aws.ToString(out.Account)
	})
}

// enters is the door of an account for calls that mean the caller's account whatever they name: without a way into the account, the
// base would answer for its own.
func (u *run) enters(ctx context.Context, account string) *door {
	if !slices.Contains(u.reader.accounts.Known(), account) && u.caller(ctx) != account {
		return &door{err: unusable("no credentials lead into account %.20s", account)}
	}
	return u.door(ctx, place{account, u.reader.home})
}

// watched counts the calls of a configuration, and makes them wait for a slot.
func (r *Reader) watched(cfg aws.Config) aws.Config {
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("ReaderCalls", r.call), middleware.After)
	})
	return cfg
}

func (r *Reader) call(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return out, metadata, ctx.Err()
	}
	r.mu.Lock()
	r.calls[strings.ToLower(awsmiddleware.GetServiceID(ctx))+":"+awsmiddleware.GetOperationName(ctx)]++
	r.mu.Unlock()
	return next.HandleInitialize(ctx, in)
}

// maxPages bounds how many pages of one list are read. A list that has more is not read at all: half of it would look whole.
const maxPages = 200

// pager is what every paginator of the SDK is.
type pager[O, F any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...F) (O, error)
}

// pages is the items of all pages.
func pages[T, O, F any](ctx context.Context, p pager[O, F], items func(O) []T) ([]T, error) {
	var out []T
	for n := 0; p.HasMorePages(); n++ {
		if n == maxPages {
			return nil, unusable("more than %d pages: %d items and more", maxPages, len(out))
		}
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, items(page)...)
	}
	return out, nil
}

// each does the work for all items side by side; the first error ends the others.
func each[T, V any](ctx context.Context, items []T, work func(context.Context, T) (V, error)) ([]V, error) {
	g, ctx := errgroup.WithContext(ctx)
	out := make([]V, len(items))
	for i, item := range items {
		g.Go(func() error {
			v, err := work(ctx, item)
			out[i] = v
			return err
		})
	}
	return out, g.Wait()
}

// absent is what a call answers for what does not exist.
func absent(err error) bool { return awserr.Is(err, awserr.Absent) }
