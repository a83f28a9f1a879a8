package awscloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/jsontree"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// wantedBucket is a bucket, and the account that should own it; "" when nothing says.
type wantedBucket struct{ name, account string }

// isBucket is what can be the name of a bucket and nothing else: the SDK takes ARNs of access points where it takes names, and
// what a replication configuration names may have been written by anybody.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func isBucket(name string) bool { return len(name) <= 255 && bucketCharacters.MatchString(name) }

// Counted repetitions are written out when they are compiled, at each cold start of a function.
var bucketCharacters = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]+[A-Za-z0-9]$`)

// isRegion is what can be a Region and nothing else: it becomes part of a host's name.
var isRegion = regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9]{1,2}$`).MatchString

// bucket is the bucket of that name, read in the account that owns it and in its Region. Where nobody proves to own it, the
// account stays empty and every document is missing: a bucket of somebody else may have taken the name.
func (u *run) bucket(ctx context.Context, name string, guess place) reading[snapshot.Bucket] {
	return u.buckets.get(wantedBucket{name, guess.account}, func() reading[snapshot.Bucket] {
		if !isBucket(name) {
			return reading[snapshot.Bucket]{refused: map[string]string{"": refusal(unusable("%.80q is no name of a bucket", name))}}
		}
		guess.region = cmp.Or(guess.region, u.reader.home)
		return u.readBucket(ctx, name, guess)
	})
}

// keepBucket is the bucket, which is in the snapshot from then on. Its zero value is one that cannot be read or does not exist.
func (u *run) keepBucket(ctx context.Context, name string, guess place) snapshot.Bucket {
	read := u.bucket(ctx, name, guess)
	u.mu.Lock()
	defer u.mu.Unlock()
	path := jsontree.Join("buckets", name)
	if known := u.out.Buckets[name]; u.kept[path] && known.V.Account == "" && read.value.V.Account != "" {
		// Another rule named no owner, so that it was not found.
		delete(u.kept, path)
		for _, member := range append([]string{"account", "region"}, bucketMembers...) {
			delete(u.out.Unreadable, jsontree.Join(path, member))
		}
	}
	if u.keep(path, read.refused) && read.value.State != snapshot.Missing {
		u.out.Buckets[name] = read.value
	}
	return read.value.V
}

// maxGuesses is up to how many accounts are asked for all documents at once. Of more it is first asked who owns the bucket, which
// takes a round of its own, but not a dozen calls for each account.
const maxGuesses = 3

// readBucket tries those who may own the bucket, until one proves to.
func (u *run) readBucket(ctx context.Context, name string, at place) reading[snapshot.Bucket] {
	guessed, region := at.account, ""
	tried := map[string]bool{"": true}
	var why error
	for tier, owners := range []func() []string{
		func() []string { return []string{guessed} },
		u.reader.accounts.Known,
		func() []string { return []string{u.caller(ctx)} },
	} {
		accounts := slices.DeleteFunc(owners(), func(a string) bool { return tried[a] })
		for _, a := range accounts {
			tried[a] = true
		}
		candidates := places(accounts, at.region)
		if len(candidates) > maxGuesses {
			candidates = u.owner(ctx, name, candidates)
		}
		attempts, _ := each(ctx, candidates, func(ctx context.Context, at place) (attempt, error) { return u.readAs(ctx, name, at), nil })
		for _, a := range attempts {
			switch {
			case a.gone:
				return reading[snapshot.Bucket]{value: snapshot.None[snapshot.Bucket]()}
			case a.owned:
				return reading[snapshot.Bucket]{value: snapshot.Of(a.bucket), refused: a.members.refused()}
			}
			region, why = cmp.Or(region, a.region), cmp.Or(why, a.why)
			if a.shut && tier == 0 {
				return unowned(region, why) // most likely it is theirs, so that nobody else needs to be asked
			}
		}
		at.region = cmp.Or(region, at.region)
	}
	return unowned(region, why)
}

// unowned is a bucket that nobody proved to own.
func unowned(region string, why error) reading[snapshot.Bucket] {
	text := "Unverified: no account that can be read proves to own the bucket"
	if why != nil {
		text = refusal(why)
	}
	refused := map[string]string{"account": text}
	for _, member := range bucketMembers {
		refused[member] = text
	}
	if region == "" {
		refused["region"] = text
	}
	return reading[snapshot.Bucket]{value: snapshot.Of(snapshot.Bucket{Region: region}), refused: refused}
}

// bucketMembers is the documents of a bucket.
var bucketMembers = []string{
	"versioning", "replication", "encryption", "policy", "ownership", "publicAccessBlock", "objectLock", "requestPayer",
	"notifications", "tags",
}

func places(accounts []string, region string) []place {
	out := make([]place, len(accounts))
	for i, a := range accounts {
		out[i] = place{a, region}
	}
	return out
}

// owner asks at all places at once whether the bucket belongs there. It answers none or one, with the bucket's Region.
func (u *run) owner(ctx context.Context, name string, candidates []place) []place {
	owns := make([]bool, len(candidates))
	var tasks sync.WaitGroup
	for i := range candidates {
		at := &candidates[i]
		tasks.Go(func() {
			for range 2 {
				region, err := u.head(ctx, name, *at)
				owns[i] = err == nil || absent(err) // of one that does not exist, everybody may say so
				if region == "" || region == at.region {
					return
				}
				at.region = region
			}
		})
	}
	tasks.Wait()
	if i := slices.Index(owns, true); i >= 0 {
		return candidates[i : i+1]
	}
	return nil
}

// head asks whether the account owns the bucket. The Region is in the answer whether the bucket is there, elsewhere or closed.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
func (u *run) head(ctx context.Context, name string, at place) (region string, err error) {
	d := u.door(ctx, at)
	if d.err != nil {
		return "", d.err
	}
	out, err := d.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name, ExpectedBucketOwner: &at.account})
	if err != nil {
		return regionOf(err), err
	}
	region = aws.ToString(out.BucketRegion)
	if !isRegion(region) {
		region = ""
	}
	return region, nil
}

// regionOf is the Region of the bucket as an error of S3 names it, "" when it does not.
func regionOf(err error) string {
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPResponse() == nil {
		return ""
	}
	if region := response.HTTPResponse().Header.Get("x-amz-bucket-region"); isRegion(region) {
		return region
	}
	return ""
}

// attempt is what came of reading a bucket as one account's.
type attempt struct {
	bucket  snapshot.Bucket
	members *members
	owned   bool   // S3 answered at least once, to calls that name the owner
	gone    bool   // there is no such bucket
	shut    bool   // the account cannot be entered
	region  string // as S3 says; "" when it does not
	why     error  // it is not owned
}

// readAs reads a bucket as that account's, and again where S3 says that it is in another Region.
func (u *run) readAs(ctx context.Context, name string, at place) attempt {
	var a attempt
	for range 2 {
		a = u.attempt(ctx, name, at)
		if a.region == "" || a.region == at.region {
			break
		}
		at.region = a.region
	}
	return a
}

func (u *run) attempt(ctx context.Context, name string, at place) attempt {
	d := u.door(ctx, at)
	if d.err != nil {
		return attempt{shut: true, why: d.err}
	}
	a := attempt{members: new(members)}
	var head error
	a.members.tasks.Go(func() { a.region, head = u.head(ctx, name, at) })
	fetchBucket(ctx, a.members, d.s3, name, at.account, &a.bucket)
	a.members.tasks.Wait()
	a.gone = absent(head)
	for _, err := range a.members.errs {
		a.gone = a.gone || awserr.NoBucket(err)
	}
	// Every call named the owner, and S3 answers those of another one with nothing but AccessDenied.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
	a.owned = !a.gone && (head == nil || len(a.members.errs) < a.members.asked)
	a.why = cmp.Or(a.members.errs["policy"], head)
	a.bucket.Account, a.bucket.Region = at.account, cmp.Or(a.region, at.region)
	return a
}

// fetchBucket reads the documents of a bucket.
func fetchBucket(ctx context.Context, m *members, c *s3.Client, name, owner string, b *snapshot.Bucket) {
	fetch(m, "versioning", &b.Versioning, func() (snapshot.Value[string], error) {
		out, err := c.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &name, ExpectedBucketOwner: &owner})
		if err != nil || out.Status == "" {
			return snapshot.None[string](), err
		}
		return word("versioning status", out.Status, out.Status.Values())
	})
	fetch(m, "replication", &b.Replication, func() (snapshot.Value[snapshot.Replication], error) {
		out, err := c.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: &name, ExpectedBucketOwner: &owner})
		if err != nil {
			return none[snapshot.Replication](err)
		}
		return as[snapshot.Replication](out.ReplicationConfiguration)
	})
	fetch(m, "encryption", &b.Encryption, func() (snapshot.Value[snapshot.Encryption], error) {
		out, err := c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: &name, ExpectedBucketOwner: &owner})
		if err != nil {
			return none[snapshot.Encryption](err)
		}
		return as[snapshot.Encryption](out.ServerSideEncryptionConfiguration)
	})
	fetch(m, "policy", &b.Policy, func() (snapshot.Value[policy.Document], error) {
		out, err := c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: &name, ExpectedBucketOwner: &owner})
		if err != nil {
			return none[policy.Document](err)
		}
		d, err := parseDocument(aws.ToString(out.Policy))
		return snapshot.Of(d), err
	})
	fetch(m, "ownership", &b.Ownership, func() (snapshot.Value[string], error) {
		out, err := c.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: &name, ExpectedBucketOwner: &owner})
		if err != nil {
			return none[string](err)
		}
		if out.OwnershipControls == nil || len(out.OwnershipControls.Rules) == 0 {
			return snapshot.Value[string]{}, unusable("ownership controls without a rule")
		}
		ownership := out.OwnershipControls.Rules[0].ObjectOwnership
		return word("ownership", ownership, ownership.Values())
	})
	fetch(m, "publicAccessBlock", &b.PublicAccessBlock, func() (snapshot.Value[jsontree.Node], error) {
		out, err := c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &name, ExpectedBucketOwner: &owner})
		if err != nil {
			return none[jsontree.Node](err)
		}
		return snapshot.Of(answer(out.PublicAccessBlockConfiguration)), nil
	})
	fetch(m, "objectLock", &b.ObjectLock, func() (snapshot.Value[snapshot.ObjectLock], error) {
		out, err := c.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: &name, ExpectedBucketOwner: &owner})
		if err != nil {
			return none[snapshot.ObjectLock](err)
		}
		return as[snapshot.ObjectLock](out.ObjectLockConfiguration)
	})
	fetch(m, "requestPayer", &b.RequestPayer, func() (snapshot.Value[string], error) {
		out, err := c.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: &name, ExpectedBucketOwner: &owner})
		if err != nil {
			return none[string](err)
		}
		return word("payer", out.Payer, out.Payer.Values())
	})
	fetch(m, "notifications", &b.Notifications, func() (snapshot.Value[jsontree.Node], error) {
		in := &s3.GetBucketNotificationConfigurationInput{Bucket: &name, ExpectedBucketOwner: &owner}
		out, err := c.GetBucketNotificationConfiguration(ctx, in)
		if err != nil {
			return none[jsontree.Node](err)
		}
		return snapshot.Of(answer(out)), nil
	})
	fetch(m, "tags", &b.Tags, func() (snapshot.Value[map[string]string], error) {
		out, err := c.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &name, ExpectedBucketOwner: &owner})
		if err != nil {
			return none[map[string]string](err)
		}
		return snapshot.Of(tagsOf(out.TagSet)), nil
	})
}

// none is a document of a bucket that does not exist, or the error that says more or less than that.
func none[T any](err error) (snapshot.Value[T], error) {
	if absent(err) && !awserr.NoBucket(err) {
		return snapshot.None[T](), nil
	}
	return snapshot.Value[T]{}, err
}

// word is a word of a closed set. What is not in the set is not understood.
func word[T ~string](what string, text T, set []T) (snapshot.Value[string], error) {
	if !slices.Contains(set, text) {
		return snapshot.Value[string]{}, unusable("unknown %s %.80q", what, string(text))
	}
	return snapshot.Of(string(text)), nil
}

func tagsOf(tags []s3types.Tag) map[string]string {
	out := make(map[string]string, len(tags))
	for _, t := range tags {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}

// defaultKeys reads the keys of a bucket's default encryption. Without a key it is the account's key for S3.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ServerSideEncryptionByDefault.html
func (u *run) defaultKeys(ctx context.Context, tasks *sync.WaitGroup, b *snapshot.Bucket) {
	at := place{b.Account, b.Region}
	for _, rule := range b.Encryption.V.Rules {
		if d := rule.ApplyServerSideEncryptionByDefault; d != nil && strings.HasPrefix(d.SSEAlgorithm, "aws:kms") {
			tasks.Go(func() { u.keepKey(ctx, cmp.Or(d.KMSMasterKeyID, "alias/aws/s3"), at) })
		}
	}
}

// Replicating is the buckets of an account that have a replication configuration, sorted, and of those whose configuration could
// not be read, why. Where they are is remembered as a guess for later runs. The error says that there is no list of buckets.
func (r *Reader) Replicating(ctx context.Context, account string) (buckets []string, unread map[string]string, err error) {
	u := r.run()
	d := u.enters(ctx, account)
	if d.err != nil {
		return nil, nil, fmt.Errorf("list buckets of account %s: %w", account, d.err)
	}
	list := s3.NewListBucketsPaginator(d.s3, &s3.ListBucketsInput{MaxBuckets: aws.Int32(1000)})
	all, err := pages(ctx, list, func(page *s3.ListBucketsOutput) []s3types.Bucket { return page.Buckets })
	if err != nil {
		return nil, nil, fmt.Errorf("list buckets of account %s: %w", account, err)
	}
	places := make(map[string]place, len(all))
	for _, b := range all {
		places[aws.ToString(b.Name)] = place{account, cmp.Or(aws.ToString(b.BucketRegion), r.home)}
	}
	buckets, unread, err = u.replicating(ctx, places)
	if err != nil {
		return nil, nil, fmt.Errorf("read replication of account %s: %w", account, err)
	}
	return buckets, unread, nil
}

// Buckets is the names of the buckets that an account has in a Region, sorted. The error says that there is no list.
//
// S3 answers for a Region at that Region's endpoint only.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func (r *Reader) Buckets(ctx context.Context, account, region string) ([]string, error) {
	u := r.run()
	d := u.enters(ctx, account)
	if d.err == nil {
		d = u.door(ctx, place{account, region})
	}
	if d.err != nil {
		return nil, fmt.Errorf("list buckets of account %s in %s: %w", account, region, d.err)
	}
	list := s3.NewListBucketsPaginator(d.s3, &s3.ListBucketsInput{BucketRegion: aws.String(region), MaxBuckets: aws.Int32(1000)})
	all, err := pages(ctx, list, func(page *s3.ListBucketsOutput) []s3types.Bucket { return page.Buckets })
	if err != nil {
		return nil, fmt.Errorf("list buckets of account %s in %s: %w", account, region, err)
	}
	names := make([]string, len(all))
	for i, b := range all {
		names[i] = aws.ToString(b.Name)
	}
	slices.Sort(names)
	return names, nil
}

// ReplicatingOf is Replicating of these buckets of an account and Region, which need not exist. The error is that of the context.
func (r *Reader) ReplicatingOf(ctx context.Context, account, region string, names []string) (buckets []string, unread map[string]string, err error) {
	places := make(map[string]place, len(names))
	for _, name := range names {
		places[name] = place{account, region}
	}
	buckets, unread, err = r.run().replicating(ctx, places)
	if err != nil {
		return nil, nil, fmt.Errorf("read replication of account %s: %w", account, err)
	}
	return buckets, unread, nil
}

// replicating is which of the buckets have a replication configuration, and why that of others could not be read.
func (u *run) replicating(ctx context.Context, places map[string]place) (buckets []string, unread map[string]string, err error) {
	unread = make(map[string]string)
	var mu sync.Mutex
	_, err = each(ctx, slices.Collect(maps.Keys(places)), func(ctx context.Context, name string) (struct{}, error) {
		has, at, err := u.replicates(ctx, name, places[name])
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			unread[name] = refusal(err)
		case has:
			buckets = append(buckets, name)
			u.reader.learn(name, at)
		}
		return struct{}{}, ctx.Err()
	})
	slices.Sort(buckets)
	return buckets, unread, err
}

func (u *run) replicates(ctx context.Context, name string, at place) (bool, place, error) {
	var err error
	for range 2 {
		d := u.door(ctx, at)
		if d.err != nil {
			return false, at, d.err
		}
		_, err = d.s3.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: &name, ExpectedBucketOwner: &at.account})
		region := regionOf(err)
		if region == "" || region == at.region {
			break
		}
		at.region = region
	}
	if absent(err) {
		return false, at, nil
	}
	return err == nil, at, err
}

// learn keeps where a bucket is, as a guess.
func (r *Reader) learn(bucket string, at place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.places[bucket] = at
}
