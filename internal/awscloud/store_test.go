package awscloud_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/awserr"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/settings"
	"github.com/replimend/replimend/internal/snapshot"
)

var (
	storeOptions = awscloud.WriteOptions{Trust: true}
	storeNothing = snapshot.None[policy.Document]()
)

// startAll gives every document of a world something that others wrote; the role has no policy of ours.
func (w *storeWorld) startAll(t *testing.T) {
	t.Helper()
	w.setText(t, w.keyPolicy(), `{"Version":"2012-10-17","Statement":[{"Sid":"Root","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+
		w.member+`:root"},"Action":"kms:*","Resource":"*"}]}`)
	w.setText(t, w.bucketPolicy(), `{"Version":"2012-10-17","Statement":[{"Sid":"TLS","Effect":"Deny","Principal":"*","Action":"s3:*",`+
		`"Resource":"arn:aws:s3:::`+w.bucket+`/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`)
}

// TestWriteIsOneCallInASessionForIt: what each write and each undoing sends, and that the needs name it and nothing else.
func TestWriteIsOneCallInASessionForIt(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	proxy := newStoreProxy(t, nil)
	store := w.writer(t, proxy.url, storeOptions)
	var written []string
	do := func(e patch.Edit, action string, writer settings.MemberRole, arn string) {
		t.Helper()
		before := len(proxy.made(action))
		if err := store.Put(t.Context(), storeApproved, e); err != nil {
			t.Fatal(err)
		}
		made := proxy.made(action)[before:]
		if len(made) != 1 {
			t.Fatalf("%d calls of %s, want one", len(made), action)
		}
		c := made[0]
		written = append(written, string(writer)+" "+action)
		session := proxy.session(c)
		for name, want := range map[string]string{
			"RoleArn":         "arn:aws:iam::" + w.member + ":role/replimend/" + string(writer),
			"DurationSeconds": "900",
			"SourceIdentity":  "111122223333-user-on-call",
			"RoleSessionName": storeApproved.Incident,
			"Policy":          `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"` + arn + `"}]}`,
		} {
			if got := session.Get(name); got != want {
				t.Errorf("%s: the session has %s %q, want %q", action, name, got, want)
			}
		}
		switch action {
		case "kms:PutKeyPolicy":
			var sent map[string]any
			if err := json.Unmarshal([]byte(c.body), &sent); err != nil {
				t.Fatal(err)
			}
			if _, bypass := sent["BypassPolicyLockoutSafetyCheck"]; bypass || sent["PolicyName"] != "default" || sent["KeyId"] != w.key {
				t.Errorf("sent %v", sent)
			}
		case "s3:PutBucketPolicy", "s3:DeleteBucketPolicy":
			if got := c.header.Get("X-Amz-Expected-Bucket-Owner"); got != w.member {
				t.Errorf("%s expects the owner %q", action, got)
			}
			if c.header.Get("X-Amz-Confirm-Remove-Self-Bucket-Access") != "" {
				t.Errorf("%s gives up the lock-out check", action)
			}
		}
	}
	undo := func(e patch.Edit) patch.Edit { return patch.Plan{Edits: []patch.Edit{e}}.Invert().Edits[0] }
	const identity, resource = settings.IdentityWriter, settings.ResourceWriter

	e := w.edit(t, w.rolePolicy())
	do(e, "iam:PutRolePolicy", identity, w.role)
	do(undo(e), "iam:DeleteRolePolicy", identity, w.role)
	e = w.edit(t, w.trust())
	do(e, "iam:UpdateAssumeRolePolicy", identity, w.role)
	do(undo(e), "iam:UpdateAssumeRolePolicy", identity, w.role)
	e = w.edit(t, w.keyPolicy())
	do(e, "kms:PutKeyPolicy", resource, w.key)
	do(undo(e), "kms:PutKeyPolicy", resource, w.key)
	e = w.edit(t, w.bucketPolicy())
	do(e, "s3:PutBucketPolicy", resource, "arn:aws:s3:::"+w.bucket)
	do(undo(e), "s3:PutBucketPolicy", resource, "arn:aws:s3:::"+w.bucket)
	w.set(t, w.bucketPolicy(), storeNothing)
	e = w.edit(t, w.bucketPolicy())
	do(e, "s3:PutBucketPolicy", resource, "arn:aws:s3:::"+w.bucket)
	do(undo(e), "s3:DeleteBucketPolicy", resource, "arn:aws:s3:::"+w.bucket)

	var needed []string
	reads := map[string]bool{}
	for _, n := range awscloud.Needs() {
		if n.Role != settings.Reader {
			needed = append(needed, string(n.Role)+" "+n.Action)
		}
	}
	for _, n := range awscloud.ReadNeeds() {
		reads[n.Action] = true
	}
	slices.Sort(written)
	slices.Sort(needed)
	if written = slices.Compact(written); !slices.Equal(written, needed) {
		t.Errorf("written %v, and needed %v", written, needed)
	}
	for _, c := range proxy.calls {
		if c.action == "sts:AssumeRole" || storeIsWrite(c.action) {
			continue
		}
		if !reads[c.action] {
			t.Errorf("%s is called and not needed", c.action)
		}
		if role := proxy.session(c).Get("RoleArn"); !strings.HasSuffix(role, string(settings.Reader)) {
			t.Errorf("%s is called as %q", c.action, role)
		}
	}
}

// TestNobodyApproved: the source identity says so.
func TestNobodyApproved(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	proxy := newStoreProxy(t, nil)
	if err := w.writer(t, proxy.url, storeOptions).Put(t.Context(), incident.Authority{Incident: "inc-1"}, w.edit(t, w.rolePolicy())); err != nil {
		t.Fatal(err)
	}
	if got := proxy.session(proxy.made("iam:PutRolePolicy")[0]).Get("SourceIdentity"); got != "replimend" {
		t.Errorf("the source identity is %q", got)
	}
}

// TestRefusedBeforeAnyCall: what a store refuses by looking at the edit alone costs nothing.
func TestRefusedBeforeAnyCall(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	key, bucket, role, trust := w.edit(t, w.keyPolicy()), w.edit(t, w.bucketPolicy()), w.edit(t, w.rolePolicy()), w.edit(t, w.trust())
	foreign := func(sid string) policy.Statement { return w.statement(t, w.keyPolicy(), sid) }
	keyWith := func(statements ...policy.Statement) snapshot.Value[policy.Document] {
		return snapshot.Of(key.Before.V.Append(statements...))
	}
	without := func(d policy.Document, at int) snapshot.Value[policy.Document] {
		return snapshot.Of(d.Without(func(i int, _ policy.Statement) bool { return i == at }))
	}
	two := key.Before.V.Append(foreign("Second"))
	moved := policy.New(two.Statements[1], two.Statements[0], foreign("ReplimendA"))
	older := storeDocument(t, strings.Replace(w.text(t, w.bucketPolicy()), "2012-10-17", "2008-10-17", 1))
	at := func(e patch.Edit, ref snapshot.Ref) patch.Edit { e.Document = ref; return e }
	edit := func(e patch.Edit, before, after snapshot.Value[policy.Document]) patch.Edit {
		e.Before, e.After = before, after
		return e
	}
	for name, row := range map[string]struct {
		edit patch.Edit
		by   incident.Authority
		want string
	}{
		"a user's policy":        {at(role, snapshot.Ref{Kind: snapshot.UserPolicy, ID: w.role, Name: "Replimend"}), storeApproved, "never written"},
		"a boundary":             {at(role, snapshot.Ref{Kind: snapshot.PermissionsBoundary, ID: w.role}), storeApproved, "never written"},
		"somebody else's policy": {at(role, snapshot.Ref{Kind: snapshot.RolePolicy, ID: w.role, Name: "replication"}), storeApproved, "start with Replimend"},
		"a policy with a path in its name": {
			at(role, snapshot.Ref{Kind: snapshot.RolePolicy, ID: w.role, Name: "Replimend/../x"}), storeApproved, "start with Replimend",
		},
		"every role": {
			at(role, snapshot.Ref{Kind: snapshot.RolePolicy, ID: "arn:aws:iam::" + w.member + ":role/*", Name: "Replimend"}),
			storeApproved, "not the ARN of a role",
		},
		"a role by a variable": {
			at(role, snapshot.Ref{Kind: snapshot.RolePolicy, ID: "arn:aws:iam::" + w.member + ":role/${aws:username}", Name: "Replimend"}),
			storeApproved, "not the ARN of a role",
		},
		"a role of Replimend": {
			at(role, snapshot.Ref{Kind: snapshot.RolePolicy, ID: "arn:aws:iam::" + w.member + ":role/replimend/replimend-reader", Name: "Replimend"}),
			storeApproved, "a role of Replimend itself",
		},
		"a role of no partition": {
			at(role, snapshot.Ref{Kind: snapshot.RolePolicy, ID: strings.Replace(w.role, "arn:aws:", "arn:other:", 1), Name: "Replimend"}),
			storeApproved, "partition",
		},
		"an alias":                        {at(key, snapshot.Ref{Kind: snapshot.KeyPolicy, ID: strings.Replace(w.key, ":key/", ":alias/", 1)}), storeApproved, "not the ARN of a key"},
		"every key":                       {at(key, snapshot.Ref{Kind: snapshot.KeyPolicy, ID: w.key[:len(w.key)-36] + "*"}), storeApproved, "not the ARN of a key"},
		"a bucket of nobody":              {at(bucket, snapshot.Ref{Kind: snapshot.BucketPolicy, ID: "somebody-elses"}), storeApproved, "is not known"},
		"every bucket":                    {at(bucket, snapshot.Ref{Kind: snapshot.BucketPolicy, ID: w.bucket[:5] + "*"}), storeApproved, "not the name of a bucket"},
		"another owner":                   {patch.Edit{Document: key.Document, Before: key.Before, After: key.After, Account: w.hub}, storeApproved, "belongs to account"},
		"trust that nobody approved":      {trust, incident.Authority{Incident: "inc-1"}, "nobody approved"},
		"no trust":                        {edit(trust, trust.Before, storeNothing), storeApproved, "nothing exists without"},
		"no key policy":                   {edit(key, key.Before, storeNothing), storeApproved, "nothing exists without"},
		"a key without its first":         {edit(key, key.Before, snapshot.Of(policy.New(foreign("ReplimendA")))), storeApproved, "changes or moves"},
		"a key without a foreign one":     {edit(key, key.After, without(key.After.V, 0)), storeApproved, "which is not ours"},
		"a key with statements moved":     {edit(key, snapshot.Of(two), snapshot.Of(moved)), storeApproved, "changes or moves"},
		"ours in the place of another":    {edit(key, keyWith(foreign("ReplimendA")), keyWith(foreign("ReplimendB"))), storeApproved, "changes or moves"},
		"a bucket without foreign policy": {edit(bucket, bucket.Before, storeNothing), storeApproved, "which is not ours"},
		"another version":                 {edit(bucket, bucket.Before, snapshot.Of(older.Append(w.statement(t, w.bucketPolicy(), "ReplimendA")))), storeApproved, "Version or Id"},
		"a character beyond U+00FF":       {edit(key, key.Before, keyWith(foreign("Replimend\u2013"))), storeApproved, "U+00FF"},
		"a Sid with a space":              {edit(role, storeNothing, snapshot.Of(policy.New(w.statement(t, w.rolePolicy(), "Replimend A")))), storeApproved, "neither letter nor digit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := newStoreProxy(t, nil)
			err := w.writer(t, proxy.url, storeOptions).Put(context.WithoutCancel(t.Context()), row.by, row.edit)
			if !errors.Is(err, snapshot.ErrUnwritable) || !strings.Contains(fmt.Sprint(err), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
			if n := proxy.total(); n > 0 {
				t.Errorf("%d calls were made", n)
			}
		})
	}
}

// TestTrustIsOptedIn: without the option nobody's approval counts.
func TestTrustIsOptedIn(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	proxy := newStoreProxy(t, nil)
	err := w.writer(t, proxy.url, awscloud.WriteOptions{}).Put(t.Context(), storeApproved, w.edit(t, w.trust()))
	if !errors.Is(err, snapshot.ErrUnwritable) || proxy.total() > 0 {
		t.Errorf("got %v after %d calls", err, proxy.total())
	}
}

// TestNoMember: there is no role to write with, and nobody is asked.
func TestNoMember(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	s := mototest.Start(t)
	proxy := newStoreProxy(t, nil)
	store := awscloud.NewWriter(awscloud.NewAccounts(awscloud.Access{Base: s.ConfigAt(t, proxy.url, w.hub, storeRegion)}), storeOptions)
	for _, ref := range []snapshot.Ref{w.rolePolicy(), w.trust(), w.keyPolicy()} {
		before := w.text(t, ref)
		err := store.Put(t.Context(), storeApproved, w.edit(t, ref))
		if err == nil || !strings.Contains(err.Error(), "account "+w.member+" is no member") {
			t.Errorf("%s: %v", ref, err)
		}
		if proxy.total() > 0 || w.text(t, ref) != before {
			t.Errorf("%s: %d calls", ref, proxy.total())
		}
	}
}

// TestRoleUnderAnotherPath: IAM's calls take a name, and the role of that name is not the one that was approved.
func TestRoleUnderAnotherPath(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	for _, ref := range []snapshot.Ref{w.rolePolicy(), w.trust()} {
		e := w.edit(t, ref)
		e.Document.ID = strings.Replace(w.role, "/service-role/", "/other/", 1)
		before := w.text(t, ref)
		proxy := newStoreProxy(t, nil)
		store := w.writer(t, proxy.url, storeOptions)
		if err := store.Put(t.Context(), storeApproved, e); !errors.Is(err, snapshot.ErrUnwritable) || !strings.Contains(err.Error(), w.role) {
			t.Errorf("%s: %v", ref.Kind, err)
		}
		if _, err := store.Live(t.Context(), e.Document); err == nil {
			t.Errorf("%s: the document of another role was read", ref.Kind)
		}
		if w.text(t, ref) != before {
			t.Errorf("%s was written", ref.Kind)
		}
	}
}

// TestOtherInlinePoliciesCount: IAM measures all of them together, and the list has pages.
func TestOtherInlinePoliciesCount(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	filler := func(n int) string {
		return `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::` +
			strings.Repeat("x", n) + `"}]}`
	}
	for i, n := range []int{5000, 4900} {
		name := fmt.Sprintf("other-%d", i)
		if _, err := w.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
			RoleName: &w.roleName, PolicyName: &name, PolicyDocument: aws.String(filler(n)),
		}); err != nil {
			t.Fatal(err)
		}
	}
	e := w.edit(t, w.rolePolicy())
	if size := e.After.V.Size(); size > 300 {
		t.Fatalf("the policy has %d characters, so that the others are not what matters", size)
	}
	store := w.writer(t, "", storeOptions)
	if err := store.Put(t.Context(), storeApproved, e); !errors.Is(err, snapshot.ErrUnwritable) || !strings.Contains(err.Error(), "10240") {
		t.Errorf("got %v", err)
	}
	if got := w.read(t, w.rolePolicy()); got.State != snapshot.Absent {
		t.Error("it was written")
	}
	if _, err := w.iam.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &w.roleName, PolicyName: aws.String("other-1")}); err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), storeApproved, e); err != nil {
		t.Errorf("with room: %v", err)
	}
}

// TestDriftBetweenReadAndWrite: somebody writes after the first reading, while others are measured or the opinion is asked.
func TestDriftBetweenReadAndWrite(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	for _, ref := range w.documents() {
		t.Run(string(ref.Kind), func(t *testing.T) {
			e := w.edit(t, ref)
			other := snapshot.Of(e.Before.V.Append(w.statement(t, ref, "Somebody")))
			var changed atomic.Bool
			proxy := newStoreProxy(t, func(rw http.ResponseWriter, c storeCall) bool {
				if strings.HasPrefix(c.action, "access-analyzer:") {
					if changed.CompareAndSwap(false, true) {
						w.set(t, ref, other)
					}
					storeFail(rw, c, http.StatusForbidden, "AccessDeniedException")
					return true
				}
				return false
			})
			err := w.writer(t, proxy.url, awscloud.WriteOptions{Trust: true, Opinion: true}).Put(t.Context(), storeApproved, e)
			if !errors.Is(err, snapshot.ErrDrift) || !changed.Load() {
				t.Errorf("got %v, want drift", err)
			}
			if got := w.read(t, ref); !patch.Same(got, other) {
				t.Error("the change of somebody else was overwritten")
			}
		})
	}
}

// TestWriteThatIsTriedAgainIsComparedAgain: between two attempts there is time for somebody else. What the first attempt did is not
// known where the service failed, and known where it refused.
func TestWriteThatIsTriedAgainIsComparedAgain(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	throttled := map[string]string{"iam": "Throttling", "kms": "ThrottlingException", "s3": "SlowDown"}
	failed := map[string]string{"iam": "ServiceFailure", "kms": "KMSInternalException", "s3": "InternalError"}
	for name, row := range map[string]struct {
		codes map[string]string
		drift bool
	}{"refused": {throttled, true}, "not known": {failed, false}} {
		for _, ref := range w.documents() {
			t.Run(name+" "+string(ref.Kind), func(t *testing.T) {
				w.set(t, ref, snapshot.Of(policy.New(w.base(t, ref))))
				e := w.edit(t, ref)
				other := snapshot.Of(e.Before.V.Append(w.statement(t, ref, "Somebody")))
				var tried atomic.Int32
				proxy := newStoreProxy(t, func(rw http.ResponseWriter, c storeCall) bool {
					if !storeIsWrite(c.action) || tried.Add(1) > 1 {
						return false
					}
					w.set(t, ref, other)
					service, _, _ := strings.Cut(c.action, ":")
					storeFail(rw, c, http.StatusInternalServerError, row.codes[service])
					return true
				})
				err := w.writer(t, proxy.url, storeOptions).Put(t.Context(), storeApproved, e)
				if err == nil || errors.Is(err, snapshot.ErrDrift) != row.drift || errors.Is(err, snapshot.ErrUnwritable) {
					t.Errorf("got %v, want drift: %t", err, row.drift)
				}
				if !patch.Same(w.read(t, ref), other) {
					t.Error("the change of somebody else was overwritten")
				}
			})
		}
	}
}

// TestThrottledWriteIsMadeAgain: and the document is written.
func TestThrottledWriteIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	codes := map[string]string{"iam": "Throttling", "kms": "ThrottlingException", "s3": "SlowDown"}
	for _, ref := range w.documents() {
		t.Run(string(ref.Kind), func(t *testing.T) {
			var refused atomic.Int32
			proxy := newStoreProxy(t, func(rw http.ResponseWriter, c storeCall) bool {
				if storeIsWrite(c.action) && refused.Add(1) == 1 {
					service, _, _ := strings.Cut(c.action, ":")
					storeFail(rw, c, http.StatusServiceUnavailable, codes[service])
					return true
				}
				return false
			})
			e := w.edit(t, ref)
			if err := w.writer(t, proxy.url, storeOptions).Put(t.Context(), storeApproved, e); err != nil {
				t.Fatal(err)
			}
			if n := refused.Load(); n != 2 {
				t.Errorf("%d calls, want two", n)
			}
			if !patch.Same(w.read(t, ref), e.After) {
				t.Error("it was not written")
			}
		})
	}
}

// TestRefusedByAWS: the code of the error can be had, and the document is as it was.
func TestRefusedByAWS(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	for _, row := range []struct {
		of    string // the calls that are refused
		code  string
		class awserr.Class
	}{
		{"write", "AccessDenied", awserr.Denied},
		{"write", "MalformedPolicyDocument", awserr.Malformed},
		{"read", "AccessDenied", awserr.Denied},
		{"session", "AccessDenied", awserr.Denied},
	} {
		for _, ref := range w.documents() {
			t.Run(row.of+" "+row.code+" "+string(ref.Kind), func(t *testing.T) {
				proxy := newStoreProxy(t, func(rw http.ResponseWriter, c storeCall) bool {
					of := "read"
					switch {
					case storeIsWrite(c.action):
						of = "write"
					case c.action == "sts:AssumeRole":
						of = "reader's session"
						if c.form.Get("Policy") != "" {
							of = "session"
						}
					}
					if of == row.of {
						storeFail(rw, c, http.StatusForbidden, row.code)
					}
					return of == row.of
				})
				before := w.text(t, ref)
				store := w.writer(t, proxy.url, storeOptions)
				err := store.Put(t.Context(), storeApproved, w.edit(t, ref))
				if awserr.Code(err) != row.code || awserr.Of(err) != row.class || !errors.Is(err, snapshot.ErrUnwritable) {
					t.Errorf("got %v", err)
				}
				if w.text(t, ref) != before {
					t.Error("it was written")
				}
				if row.of == "read" {
					if live, err := store.Live(t.Context(), ref); live.State != snapshot.Missing || awserr.Code(err) != row.code {
						t.Errorf("what may not be read is in state %d: %v", live.State, err)
					}
				}
			})
		}
	}
}

// TestReadAfterWrite: what is shown after a write is what the store's answer rests on.
func TestReadAfterWrite(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	for _, ref := range w.documents() {
		reads := map[snapshot.Kind]string{snapshot.RolePolicy: "iam:GetRolePolicy", snapshot.RoleTrust: "iam:GetRole"}[ref.Kind]
		switch {
		case ref.Kind.OfKey():
			reads = "kms:GetKeyPolicy"
		case ref.Kind.OfBucket():
			reads = "s3:GetBucketPolicy"
		}
		for _, row := range []struct {
			name  string
			stale int32 // readings after the write that show something else
			other bool  // which is a third document
			want  error
			waits int
		}{
			{"at once", 0, false, nil, 0},
			{"late", 3, false, nil, 3},
			{"never", 1000, false, awscloud.ErrUnconfirmed, 6},
			{"overwritten", 1000, true, awscloud.ErrOverwritten, 6},
		} {
			t.Run(row.name+" "+string(ref.Kind), func(t *testing.T) {
				w.set(t, ref, snapshot.Of(policy.New(w.base(t, ref))))
				e := w.edit(t, ref)
				shown := e.Before.V
				if row.other {
					shown = shown.Append(w.statement(t, ref, "Somebody"))
				}
				text, _ := shown.MarshalJSON()
				var written, stale atomic.Int32
				proxy := newStoreProxy(t, func(rw http.ResponseWriter, c storeCall) bool {
					if storeIsWrite(c.action) {
						written.Add(1)
					}
					if c.action == reads && written.Load() > 0 && stale.Add(1) <= row.stale {
						storeShow(t, rw, c, w, string(text))
						return true
					}
					return false
				})
				store := w.writer(t, proxy.url, storeOptions)
				var waits []time.Duration
				store.Waits(func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil })
				err := store.Put(t.Context(), storeApproved, e)
				if !errors.Is(err, row.want) || row.want == nil && err != nil || errors.Is(err, snapshot.ErrDrift) {
					t.Errorf("got %v, want %v", err, row.want)
				}
				if len(waits) != row.waits || !slices.IsSorted(waits) {
					t.Errorf("waited %v, want %d times", waits, row.waits)
				}
				if !patch.Same(w.read(t, ref), e.After) {
					t.Error("it was not written")
				}
			})
		}
	}
}

// TestUndoOfWhatIsNotSeen: a document that was written and is not seen yet looks as it is to be after the undoing. It is written all
// the same, because the first write may show later.
func TestUndoOfWhatIsNotSeen(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	test := func(ref snapshot.Ref, before snapshot.Value[policy.Document]) {
		t.Run(fmt.Sprintf("%s %d", ref.Kind, before.State), func(t *testing.T) {
			w.set(t, ref, before)
			e, stale := w.edit(t, ref), w.text(t, ref)
			var written atomic.Bool
			proxy := newStoreProxy(t, func(rw http.ResponseWriter, c storeCall) bool {
				written.Store(written.Load() || storeIsWrite(c.action))
				shows := map[string]bool{"iam:GetRolePolicy": true, "kms:GetKeyPolicy": true, "s3:GetBucketPolicy": true}[c.action] ||
					c.action == "iam:GetRole" && ref.Kind == snapshot.RoleTrust
				switch {
				case !shows || !written.Load():
					return false
				case stale != "":
					storeShow(t, rw, c, w, stale)
				case ref.Kind.OfBucket():
					storeFail(rw, c, http.StatusNotFound, "NoSuchBucketPolicy")
				default:
					storeFail(rw, c, http.StatusNotFound, "NoSuchEntity")
				}
				return true
			})
			store := w.writer(t, proxy.url, storeOptions)
			if err := store.Put(t.Context(), storeApproved, e); !errors.Is(err, awscloud.ErrUnconfirmed) {
				t.Fatalf("got %v", err)
			}
			undo := patch.Plan{Edits: []patch.Edit{e}}.Invert().Edits[0]
			for range 2 {
				if err := store.Put(t.Context(), storeApproved, undo); err != nil {
					t.Fatalf("undo: %v", err)
				}
				if got := w.read(t, ref); !patch.Same(got, before) {
					t.Error("the undoing was believed done and is not")
				}
			}
		})
	}
	for _, ref := range w.documents() {
		test(ref, snapshot.Of(policy.New(w.base(t, ref))))
	}
	test(w.rolePolicy(), storeNothing)
	test(w.bucketPolicy(), storeNothing)
}

// base is a statement of others for a document.
func (w *storeWorld) base(t *testing.T, ref snapshot.Ref) policy.Statement {
	t.Helper()
	return w.statement(t, ref, "Base")
}

// TestCancelledWhileWaiting: the write was made, and the error says so.
func TestCancelledWhileWaiting(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	w.startAll(t)
	e := w.edit(t, w.keyPolicy())
	stale := w.text(t, w.keyPolicy())
	var written atomic.Bool
	proxy := newStoreProxy(t, func(rw http.ResponseWriter, c storeCall) bool {
		if c.action == "kms:GetKeyPolicy" && written.Load() {
			storeShow(t, rw, c, w, stale)
			return true
		}
		written.Store(written.Load() || storeIsWrite(c.action))
		return false
	})
	store := w.writer(t, proxy.url, storeOptions)
	store.Waits(func(context.Context, time.Duration) error { return context.Canceled })
	if err := store.Put(t.Context(), storeApproved, e); !errors.Is(err, awscloud.ErrUnconfirmed) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestStoredInAnotherForm: S3 gives lists in an order of its own with each reading, and a list of one value as the value.
func TestStoredInAnotherForm(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	objects := "arn:aws:s3:::" + w.bucket + "/*"
	before := storeDocument(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["`+w.role+`","`+w.member+`"]},
		"Action":["s3:GetObject"],"Resource":["`+objects+`"]}]}`)
	w.setText(t, w.bucketPolicy(), `{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::`+
		w.member+`:root","`+w.role+`"]},"Action":"s3:GetObject","Resource":"`+objects+`"}]}`)
	e := patch.Edit{
		Document: w.bucketPolicy(), Before: snapshot.Of(before),
		After: snapshot.Of(before.Append(w.statement(t, w.bucketPolicy(), "ReplimendA"))),
	}
	if err := w.writer(t, "", storeOptions).Put(t.Context(), storeApproved, e); err != nil {
		t.Fatal(err)
	}
	if !patch.Same(w.read(t, w.bucketPolicy()), e.After) {
		t.Error("it was not written")
	}
}

// TestLive: a document is there, or is not, or its owner is not, which is an error.
func TestLive(t *testing.T) {
	t.Parallel()
	w := newStoreWorld(t)
	store := w.writer(t, "", awscloud.WriteOptions{Owner: func(string) (string, string, bool) { return w.member, storeRegion, true }})
	for _, ref := range w.documents() {
		want := w.read(t, ref)
		if ref.Kind == snapshot.RolePolicy || ref.Kind.OfBucket() {
			if got, err := store.Live(t.Context(), ref); err != nil || got.State != snapshot.Absent {
				t.Errorf("%s: state %d, %v", ref, got.State, err)
			}
			want = snapshot.Of(policy.New(w.base(t, ref)))
			w.set(t, ref, want)
		}
		if got, err := store.Live(t.Context(), ref); err != nil || !patch.Same(got, want) {
			t.Errorf("%s: state %d, %v", ref, got.State, err)
		}
		ref.ID += "0"
		if got, err := store.Live(t.Context(), ref); got.State != snapshot.Missing || awserr.Of(err) != awserr.Absent {
			t.Errorf("%s: state %d, %v", ref, got.State, err)
		}
	}
	w.setText(t, w.bucketPolicy(), `{"Version":"2012-10-17","Statement":[],"Unknown":1}`)
	if got, err := store.Live(t.Context(), w.bucketPolicy()); got.State != snapshot.Missing || err == nil {
		t.Errorf("a document that is not understood is in state %d: %v", got.State, err)
	}
}

// TestNeedsAreComplete: each has what people are told about it, and each is there once.
func TestNeedsAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, n := range awscloud.Needs() {
		id := string(n.Role) + " " + n.Action
		if n.Role == "" || !strings.Contains(n.Action, ":") || strings.ContainsAny(n.Action, "*?") || n.Why == "" || seen[id] {
			t.Errorf("%+v", n)
		}
		seen[id] = true
		if !slices.Contains([]string{"role", "key", "bucket", "*"}, n.Resource) && !strings.HasPrefix(n.Resource, "arn:${Partition}:") {
			t.Errorf("%s is on %q", id, n.Resource)
		}
	}
}
