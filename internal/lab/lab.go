// Package lab is an embedded cloud in memory: buckets, roles and keys of any number of accounts, and an S3 that replicates a
// written object only where every policy on the way allows it.
//
// It is the independent judge of what the product concludes, so it must never learn from it: it knows the grammar of policies
// and AWS's evaluation logic (packages policy and authz), but neither the product's list of requests nor its diagnosis. The
// list of what S3 asks is hops.go, written from AWS's documentation alone. Tests, the rehearsal and the demo import it; no
// Lambda may.
//
// Where the documentation disagrees with itself, the lab takes the reading with the better evidence and can be told to take
// the other one: see Readings. What is nowhere written is marked as a deduction.
package lab

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/replimend/replimend/internal/authz"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// Options says how the cloud deviates from its defaults. The zero Options is a cloud without deviation.
type Options struct {
	// Now is the clock; nil: a logical clock that starts when the snapshot was taken and advances by one second a look.
	Now func() time.Time
	// Ignore names hops that always pass. A test that stays green with a hop ignored does not test that hop.
	Ignore map[string]bool
	// Disputed names the readings that the lab is to take over its own: see Readings.
	Disputed map[string]bool
	// Caller is who makes the writes of Put, for KMS's lock-out check. Zero: any principal of the key's account will do.
	Caller policy.ARN
	// Requester says that principals send the header with which they pay for their requests.
	Requester bool
}

// Cloud is the whole world. Its methods may be used by many goroutines at once.
type Cloud struct {
	mu           sync.Mutex
	options      Options
	caller       *authz.Principal // nil: not named
	start        time.Time
	serial       uint64
	organization *snapshot.Organization
	guardrails   map[string]snapshot.Guardrails
	buckets      map[string]*bucket            // nil: known not to exist
	roles        map[policy.ARN]*snapshot.Role // nil: known not to exist
	users        map[policy.ARN]*snapshot.User // nil: known not to exist
	keys         map[policy.ARN]*snapshot.Key  // nil: known not to exist
	events       [][]byte
}

// New is a cloud that looks like the snapshot, its objects included. A value that the snapshot does not know does not exist in
// the lab, except where nothing can exist without it: a role without a known trust policy and a key without a known key policy
// are errors. The snapshot itself is not changed later on.
func New(s *snapshot.Snapshot, options Options) (*Cloud, error) {
	c := &Cloud{
		options:    options,
		start:      logicalStart,
		guardrails: maps.Clone(s.Guardrails),
		buckets:    map[string]*bucket{},
		roles:      map[policy.ARN]*snapshot.Role{},
		users:      map[policy.ARN]*snapshot.User{},
		keys:       map[policy.ARN]*snapshot.Key{},
	}
	if t, err := time.Parse(time.RFC3339, s.TakenAt); err == nil {
		c.start = t
	}
	if err := c.checkOptions(); err != nil {
		return nil, err
	}
	if s.Organization != nil {
		c.organization = &snapshot.Organization{ID: s.Organization.ID, Accounts: slices.Clone(s.Organization.Accounts)}
	}
	for name, v := range s.Buckets {
		c.buckets[name] = nil
		if b, ok := v.Get(); ok {
			c.buckets[name] = &bucket{Bucket: settledBucket(b), name: name}
		}
	}
	for _, arn := range slices.SortedFunc(maps.Keys(s.Roles), byText) {
		c.roles[arn] = nil
		if role, ok := s.Roles[arn].Get(); ok {
			if role.Trust.State != snapshot.Present {
				return nil, fmt.Errorf("make role %s: its trust policy is not known", arn)
			}
			settled := settledRole(role)
			if settled.UniqueID == "" {
				settled.UniqueID = c.uniqueID()
			}
			c.roles[arn] = &settled
		}
	}
	for arn, v := range s.Users {
		c.users[arn] = nil
		if user, ok := v.Get(); ok {
			settled := settledUser(user)
			c.users[arn] = &settled
		}
	}
	for arn, v := range s.Keys {
		c.keys[arn] = nil
		if key, ok := v.Get(); ok {
			if key.Policy.State != snapshot.Present {
				return nil, fmt.Errorf("make key %s: its key policy is not known", arn)
			}
			settled := settledKey(key)
			c.keys[arn] = &settled
		}
	}
	for _, o := range s.Objects {
		if err := c.seed(o); err != nil {
			return nil, fmt.Errorf("make object %s/%s: %w", o.Bucket, o.Key, err)
		}
	}
	return c, nil
}

// seed is an object that was there before. What is not known of it is what the bucket would give it.
func (c *Cloud) seed(o snapshot.Object) error {
	b := c.buckets[o.Bucket]
	if b == nil {
		return noSuchBucket(o.Bucket)
	}
	v := &version{Object: o, requested: c.now(), etag: c.identifier(hexadecimal, 32)}
	v.ReplicationStatus = settled(o.ReplicationStatus)
	v.Tags = listed(o.Tags)
	v.Owner = cmp.Or(o.Owner, b.Account)
	v.VersionID = cmp.Or(o.VersionID, c.identifier(versionText, 32))
	if !o.DeleteMarker {
		v.StorageClass = cmp.Or(o.StorageClass, "STANDARD")
		if o.Encryption.State == snapshot.Missing {
			if err := c.encrypt(b, v, PutOptions{}, v.requested); err != nil {
				return err
			}
		}
	}
	b.put(v)
	return nil
}

// byText is an order in which to do what makes identifiers, so that every run makes the same.
func byText(a, b policy.ARN) int { return strings.Compare(a.String(), b.String()) }

func (c *Cloud) checkOptions() error {
	for name := range c.options.Ignore {
		if !slices.Contains(Hops(), name) {
			return fmt.Errorf("make cloud: there is no hop %q to ignore", name)
		}
	}
	for name := range c.options.Disputed {
		if _, ok := readings[name]; !ok {
			return fmt.Errorf("make cloud: nothing is disputed about %q", name)
		}
	}
	if c.options.Caller.IsZero() {
		return nil
	}
	who, err := authz.ParsePrincipal(c.options.Caller.String())
	if err != nil {
		return fmt.Errorf("make cloud: %w", err)
	}
	c.caller = &who
	return nil
}

// logicalStart is any time after S3 began to encrypt everything.
var logicalStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (c *Cloud) now() time.Time {
	if c.options.Now != nil {
		return c.options.Now().UTC()
	}
	c.start = c.start.Add(time.Second)
	return c.start
}

// The alphabets of AWS's opaque identifiers.
const (
	hexadecimal = "0123456789abcdef"
	versionText = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_."
	uniqueText  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

// identifier is an opaque text that no other call returns and that is the same in every run. n is at most 32.
func (c *Cloud) identifier(alphabet string, n int) string {
	c.serial++
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, c.serial))
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[int(sum[i])%len(alphabet)]
	}
	return string(out)
}

func (c *Cloud) uniqueID() string { return "AROA" + c.identifier(uniqueText, 17) }

// Error is a refusal with the code that AWS gives it.
type Error struct{ Code, Message string }

// Error is "CODE: message".
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func refuse(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
