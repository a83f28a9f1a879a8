package lab_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/lab"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

var (
	inlineRef = snapshot.Ref{Kind: snapshot.RolePolicy, ID: role, Name: "replication"}
	trustRef  = snapshot.Ref{Kind: snapshot.RoleTrust, ID: role}
	srcRef    = snapshot.Ref{Kind: snapshot.SourceBucketPolicy, ID: "src"}
	dstRef    = snapshot.Ref{Kind: snapshot.DestinationBucketPolicy, ID: "dst"}
	keyARef   = snapshot.Ref{Kind: snapshot.SourceKeyPolicy, ID: keyA}
	keyBRef   = snapshot.Ref{Kind: snapshot.ReplicaKeyPolicy, ID: keyB}
)

func TestPutCuresTheRoute(t *testing.T) {
	for _, row := range []struct {
		ref           snapshot.Ref
		document, sid string
	}{
		{inlineRef, "role", "DecryptA"},
		{inlineRef, "role", "ReplicateObject"},
		{trustRef, "trust", "Trust"},
		{dstRef, "dst", "ReplicateObject"},
		{keyBRef, "keyB", "Encrypt"},
	} {
		t.Run(row.document+" "+row.sid, func(t *testing.T) {
			whole, broken := newWorld(), newWorld()
			if row.document == "trust" {
				broken.documents["trust"][0]["Principal"] = object{"Service": "ec2.amazonaws.com"}
			} else {
				broken.drop(row.document, row.sid)
			}
			c := broken.cloud(t)
			v := put(t, c, "a/b.txt", lab.PutOptions{})
			replicate(t, c)
			if got := status(head(t, c, "src", v)); got != "FAILED" {
				t.Fatalf("before: %s", got)
			}
			before, after := broken.document(row.document), whole.document(row.document)
			if err := c.Put(t.Context(), row.ref, before, after); err != nil {
				t.Fatal(err)
			}
			if err := c.Put(t.Context(), row.ref, before, after); err != nil {
				t.Errorf("a second time: %v, want nothing to be done", err)
			}
			s := look(t, c)
			if got := s.Document(row.ref); !got.V.Equal(after.V) {
				t.Errorf("the document is %s", got.V.Indent())
			}
			if err := c.Replay(t.Context(), "src", s.Objects); err != nil {
				t.Fatal(err)
			}
			replicate(t, c)
			if got := status(head(t, c, "src", v)); got != "COMPLETED" {
				t.Errorf("after: %s %s", got, reasons(t, c))
			}
		})
	}
}

func TestPutComparesBeforeItWrites(t *testing.T) {
	absent := snapshot.None[policy.Document]()
	other := snapshot.Of(document(allow("Other", role, "s3:ReplicateObject", "arn:aws:s3:::dst/*", nil)))
	w := newWorld()
	c := w.cloud(t)
	live := w.document("dst")
	for name, before := range map[string]snapshot.Value[policy.Document]{
		"another document": other, "no document": absent, "a document that is not known": {},
	} {
		if err := c.Put(t.Context(), dstRef, before, other); !errors.Is(err, snapshot.ErrDrift) {
			t.Errorf("%s: %v, want drift", name, err)
		}
	}
	if err := c.Put(t.Context(), dstRef, live, snapshot.Value[policy.Document]{}); code(err) != "InvalidRequest" {
		t.Errorf("a document that is not known: %v", err)
	}
	if err := c.Put(t.Context(), srcRef, live, other); !errors.Is(err, snapshot.ErrDrift) {
		t.Errorf("a document where there is none: %v, want drift", err)
	}
	s := look(t, c)
	if !s.Document(dstRef).V.Equal(live.V) {
		t.Error("a refused write wrote")
	}
}

func TestPutOfNothingDeletes(t *testing.T) {
	w := newWorld()
	c := w.cloud(t)
	absent := snapshot.None[policy.Document]()
	for _, row := range []struct {
		ref  snapshot.Ref
		name string
		want string
	}{
		{dstRef, "dst", ""}, {inlineRef, "role", ""}, {trustRef, "trust", "InvalidRequest"}, {keyBRef, "keyB", "InvalidRequest"},
	} {
		if err := c.Put(t.Context(), row.ref, w.document(row.name), absent); code(err) != row.want {
			t.Errorf("%s: got %v, want %q", row.ref, err, row.want)
		}
	}
	s := look(t, c)
	for _, ref := range []snapshot.Ref{dstRef, inlineRef} {
		if got := s.Document(ref).State; got != snapshot.Absent {
			t.Errorf("%s is in state %d after its deletion", ref, got)
		}
	}
	if err := c.Put(t.Context(), dstRef, absent, w.document("dst")); err != nil {
		t.Errorf("the first document: %v", err)
	}
}

func several(s object, actions, resources []string) object {
	s["Action"], s["Resource"] = actions, resources
	return s
}

func TestPutRefusesWhatAWSRefuses(t *testing.T) {
	const dst, objects = "arn:aws:s3:::dst", "arn:aws:s3:::dst/*"
	long := func(n int) string { return "arn:aws:s3:::dst/" + strings.Repeat("x", n) }
	keeper := allow("Account", "arn:aws:iam::444455556666:root", "kms:*", "*", nil)
	met := object{
		"StringEquals": object{"kms:CallerAccount": accountB, "aws:PrincipalAccount": accountB},
		"Bool":         object{"aws:SecureTransport": "true", "kms:BypassPolicyLockoutSafetyCheck": "false"},
	}
	unnamed := object{"Effect": "Allow", "Action": "s3:ReplicateObject", "Resource": objects}
	for name, row := range map[string]struct {
		ref        snapshot.Ref
		statements []object
		want       string
	}{
		"identity policy":                       {inlineRef, []object{allow("S", "", "s3:ReplicateObject", objects, nil)}, ""},
		"identity policy with a principal":      {inlineRef, []object{allow("S", role, "s3:ReplicateObject", objects, nil)}, "MalformedPolicyDocument"},
		"identity policy without resource":      {inlineRef, []object{allow("S", "", "s3:ReplicateObject", "", nil)}, "MalformedPolicyDocument"},
		"identity policy with a Sid of words":   {inlineRef, []object{allow("Two words", "", "s3:ReplicateObject", objects, nil)}, "MalformedPolicyDocument"},
		"Sid twice":                             {inlineRef, []object{allow("S", "", "s3:Get*", "*", nil), allow("S", "", "s3:List*", "*", nil)}, "MalformedPolicyDocument"},
		"identity policy beyond Latin-1":        {inlineRef, []object{allow("S", "", "s3:ReplicateObject", "arn:aws:s3:::dst/日本", nil)}, "MalformedPolicyDocument"},
		"identity policy too long":              {inlineRef, []object{allow("S", "", "s3:ReplicateObject", long(10240), nil)}, "LimitExceeded"},
		"identity policy at the edges":          {inlineRef, []object{allow("azAZ09", "", "s3:ReplicateObject", "arn:aws:s3:::dst/a ÿ", nil)}, ""},
		"trust":                                 {trustRef, []object{{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": object{"Service": "s3.amazonaws.com"}}}, ""},
		"trust with a resource":                 {trustRef, []object{allow("S", role, "sts:AssumeRole", "*", nil)}, "MalformedPolicyDocument"},
		"trust of another action":               {trustRef, []object{allow("S", role, "s3:ReplicateObject", "", nil)}, "MalformedPolicyDocument"},
		"trust with a Sid of words":             {trustRef, []object{allow("Two words", role, "sts:AssumeRole", "", nil)}, "MalformedPolicyDocument"},
		"trust too long":                        {trustRef, []object{allow(strings.Repeat("S", 2048), role, "sts:AssumeRole", "", nil)}, "LimitExceeded"},
		"bucket policy":                         {dstRef, []object{allow("Two words", role, "s3:ReplicateObject", objects, nil)}, ""},
		"bucket policy without principal":       {dstRef, []object{unnamed}, "MalformedPolicy"},
		"bucket policy of another bucket":       {dstRef, []object{allow("S", role, "s3:ReplicateObject", "arn:aws:s3:::dst2/*", nil)}, "MalformedPolicy"},
		"bucket policy for everything":          {dstRef, []object{allow("S", role, "s3:ReplicateObject", "*", nil)}, "MalformedPolicy"},
		"bucket policy with a pattern":          {dstRef, []object{allow("S", role, "s3:ReplicateObject", "arn:aws:s3:::dst*", nil), allow("L", role, "s3:ListBucket", "arn:aws:s3:::ds?*", nil)}, ""},
		"bucket policy with a foreign pattern":  {dstRef, []object{allow("S", role, "s3:ReplicateObject", "arn:aws:s3:::src*", nil)}, "MalformedPolicy"},
		"bucket policy for every bucket":        {dstRef, []object{allow("S", role, "s3:ReplicateObject", "arn:aws:s3:::*", nil)}, "MalformedPolicy"},
		"bucket action on a pattern of objects": {dstRef, []object{allow("S", role, "s3:ListBucket", "arn:aws:s3:::dst*/*", nil)}, "MalformedPolicy"},
		"bucket policy for other partitions":    {dstRef, []object{allow("S", role, "s3:ReplicateObject", "arn:aws-cn:s3:::dst/*", nil)}, "MalformedPolicy"},
		"bucket and objects":                    {dstRef, []object{several(allow("S", role, "", "", nil), []string{"s3:ListBucket", "s3:ReplicateObject"}, []string{dst, objects})}, ""},
		"bucket policy for all actions but one": {dstRef, []object{{"Effect": "Deny", "Principal": "*", "NotAction": "s3:ReplicateObject", "Resource": dst}}, ""},
		"bucket policy for all but the bucket":  {dstRef, []object{{"Effect": "Deny", "Principal": "*", "Action": "s3:ReplicateObject", "NotResource": dst}}, ""},
		"bucket policy of another service":      {dstRef, []object{allow("S", role, "kms:Encrypt", objects, nil)}, "MalformedPolicy"},
		"object action on the bucket":           {dstRef, []object{allow("S", role, "s3:ReplicateObject", dst, nil)}, "MalformedPolicy"},
		"bucket action on the objects":          {dstRef, []object{allow("S", role, "s3:ListBucket", objects, nil)}, "MalformedPolicy"},
		"bucket policy too long":                {dstRef, []object{allow("S", role, "s3:ReplicateObject", long(20<<10), nil)}, "PolicyTooLarge"},
		"bucket policy without statements":      {dstRef, []object{}, "MalformedPolicy"},
		"public bucket policy":                  {dstRef, []object{allow("S", "*", "s3:GetObject", objects, nil)}, "AccessDenied"},
		"everybody under a condition":           {dstRef, []object{allow("S", "*", "s3:GetObject", objects, object{"StringEquals": object{"aws:PrincipalOrgID": "o"}})}, ""},
		"stale principal":                       {dstRef, []object{allow("S", "AROAEXAMPLEOFLONGAGO", "s3:ReplicateObject", objects, nil)}, "MalformedPolicy"},
		"unique id of a living role":            {dstRef, []object{allow("S", roleID, "s3:ReplicateObject", objects, nil)}, ""},
		"role that nobody has heard of":         {dstRef, []object{allow("S", "arn:aws:iam::777788889999:role/x", "s3:ReplicateObject", objects, nil)}, ""},
		"role that does not exist":              {dstRef, []object{allow("S", "arn:aws:iam::111122223333:role/gone", "s3:ReplicateObject", objects, nil)}, "MalformedPolicy"},
		"key policy":                            {keyBRef, []object{keeper}, ""},
		"key policy with a Sid of words":        {keyBRef, []object{allow("Two words", "arn:aws:iam::444455556666:root", "kms:*", "*", nil)}, ""},
		"key policy without resource":           {keyBRef, []object{keeper, allow("S", role, "kms:Encrypt", "", nil)}, "MalformedPolicyDocumentException"},
		"key policy too long":                   {keyBRef, []object{keeper, allow(strings.Repeat("S", 32<<10), role, "kms:Encrypt", "*", nil)}, "LimitExceededException"},
		"key policy that locks everybody out":   {keyBRef, []object{allow("S", role, "kms:Encrypt", "*", nil)}, "MalformedPolicyDocumentException"},
		"key policy kept by a foreigner":        {keyBRef, []object{allow("S", role, "kms:*", "*", nil)}, "MalformedPolicyDocumentException"},
		"key policy kept by one administrator":  {keyBRef, []object{allow("S", "arn:aws:iam::444455556666:role/admin", "kms:PutKeyPolicy", "*", nil)}, ""},
		"key policy kept under conditions":      {keyBRef, []object{allow("S", "arn:aws:iam::444455556666:root", "kms:*", "*", met)}, ""},
		"key policy that denies its keeper":     {keyBRef, []object{keeper, deny("*", "kms:PutKeyPolicy", "*", nil)}, "MalformedPolicyDocumentException"},
		"no statement":                          {keyBRef, []object{}, "MalformedPolicyDocumentException"},
		"kind that is no document of one owner": {snapshot.Ref{Kind: snapshot.SCP, ID: accountA}, []object{keeper}, "InvalidRequest"},
		"role that is not there":                {snapshot.Ref{Kind: snapshot.RoleTrust, ID: role + "2"}, []object{keeper}, "NoSuchEntity"},
		"bucket that is not there":              {snapshot.Ref{Kind: snapshot.SourceBucketPolicy, ID: "none"}, []object{keeper}, "NoSuchBucket"},
		"key that is not there":                 {snapshot.Ref{Kind: snapshot.SourceKeyPolicy, ID: keyA + "2"}, []object{keeper}, "NotFoundException"},
		"policy without a name":                 {snapshot.Ref{Kind: snapshot.RolePolicy, ID: role}, []object{keeper}, "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.dst.PublicAccessBlock = node(object{"BlockPublicPolicy": true})
			s := w.snapshot()
			s.Roles[arn("arn:aws:iam::111122223333:role/gone")] = snapshot.None[snapshot.Role]()
			c, err := lab.New(s, w.options)
			if err != nil {
				t.Fatal(err)
			}
			err = c.Put(t.Context(), row.ref, s.Document(row.ref), snapshot.Of(document(row.statements...)))
			if code(err) != row.want {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

// TestSizeLimits: a document as long as the limit is taken, and one a character longer is not.
func TestSizeLimits(t *testing.T) {
	for _, row := range []struct {
		ref       snapshot.Ref
		statement object
		limit     int
	}{
		{inlineRef, allow("S", "", "s3:ReplicateObject", "arn:aws:s3:::dst/é", nil), 10240},
		{trustRef, allow("S", role, "sts:AssumeRole", "", nil), 2048},
		{dstRef, allow("S", role, "s3:ReplicateObject", "arn:aws:s3:::dst/é", nil), 20 << 10},
		{keyBRef, allow("S", "arn:aws:iam::444455556666:root", "kms:*", "*", nil), 32 << 10},
	} {
		c := newWorld().cloud(t)
		text, err := document(row.statement).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		size := len(text)
		if row.ref == inlineRef {
			size-- // IAM counts characters, the others bytes
		}
		row.statement["Sid"] = "S" + strings.Repeat("x", row.limit-size)
		if err := c.SetPolicy(row.ref, snapshot.Of(document(row.statement))); err != nil {
			t.Errorf("%s at its limit: %v", row.ref, err)
		}
		row.statement["Sid"] = row.statement["Sid"].(string) + "x"
		if err := c.SetPolicy(row.ref, snapshot.Of(document(row.statement))); err == nil {
			t.Errorf("%s beyond its limit is taken", row.ref)
		}
	}
}

func TestInlinePoliciesShareTheirLimit(t *testing.T) {
	c := newWorld().cloud(t)
	one := document(allow("S", "", "s3:ReplicateObject", "arn:aws:s3:::dst/"+strings.Repeat("x", 6000), nil))
	first, second := inlineRef, inlineRef
	first.Name, second.Name = "first", "second"
	if err := c.SetPolicy(first, snapshot.Of(one)); err != nil {
		t.Fatal(err)
	}
	if err := c.SetPolicy(first, snapshot.Of(one)); err != nil {
		t.Errorf("the same policy again: %v", err)
	}
	if err := c.SetPolicy(second, snapshot.Of(one)); code(err) != "LimitExceeded" {
		t.Errorf("a second one: %v", err)
	}
}

// TestLockOutAsksForTheCaller: KMS asks whether the caller may put the next policy, not whether somebody may.
func TestLockOutAsksForTheCaller(t *testing.T) {
	const writer = "arn:aws:iam::444455556666:role/writer"
	w := newWorld()
	w.options.Caller = arn(writer)
	c := w.cloud(t)
	live := w.document("keyB")
	admin := snapshot.Of(document(allow("S", "arn:aws:iam::444455556666:role/admin", "kms:*", "*", nil)))
	if err := c.Put(t.Context(), keyBRef, live, admin); code(err) != "MalformedPolicyDocumentException" {
		t.Errorf("without the writer: %v", err)
	}
	both := snapshot.Of(document(allow("S", writer, "kms:PutKeyPolicy", "*", nil)))
	if err := c.Put(t.Context(), keyBRef, live, both); err != nil {
		t.Errorf("with the writer: %v", err)
	}
	if err := c.SetPolicy(keyBRef, admin); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

func TestManagedKeyPolicyIsNotEditable(t *testing.T) {
	w := newWorld()
	w.srcKey.Manager = "AWS"
	if err := w.cloud(t).Put(t.Context(), keyARef, w.document("keyA"), w.document("keyA")); code(err) != "AccessDeniedException" {
		t.Errorf("got %v", err)
	}
}
