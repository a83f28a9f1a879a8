package policy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/policy"
)

func TestParseARN(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want     policy.ARN
		name     string
		wildcard bool
	}{
		"arn:aws:s3:::bucket":                                {policy.BucketARN("aws", "bucket"), "bucket", false},
		"arn:aws:s3:::bucket/a/b:c":                          {policy.ObjectARN("aws", "bucket", "a/b:c"), "b:c", false},
		"arn:aws-cn:s3:::bucket/*":                           {policy.ObjectARN("aws-cn", "bucket", "*"), "*", true},
		"arn:aws:kms:us-east-1:111122223333:key/1234":        {policy.ARN{"aws", "kms", "us-east-1", "111122223333", "key/1234"}, "1234", false},
		"arn:aws:iam::111122223333:role/a/b/copier":          {policy.ARN{"aws", "iam", "", "111122223333", "role/a/b/copier"}, "copier", false},
		"arn:aws:iam::111122223333:root":                     {policy.ARN{"aws", "iam", "", "111122223333", "root"}, "root", false},
		"arn:aws:sns:eu-west-1:111122223333:topic:sub:0001":  {policy.ARN{"aws", "sns", "eu-west-1", "111122223333", "topic:sub:0001"}, "topic:sub:0001", false},
		"arn:aws:iam::*:role/copier":                         {policy.ARN{"aws", "iam", "", "*", "role/copier"}, "copier", true},
		"arn:aws:sts::111122223333:assumed-role/copier/s3-?": {policy.ARN{"aws", "sts", "", "111122223333", "assumed-role/copier/s3-?"}, "s3-?", true},
	}
	for text, test := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := policy.ParseARN(text)
			if err != nil || got != test.want {
				t.Fatalf("ParseARN = %#v, %v; want %#v", got, err, test.want)
			}
			if got.String() != text || got.Name() != test.name || got.HasWildcard() != test.wildcard || got.IsZero() {
				t.Errorf("String, Name, HasWildcard, IsZero = %s, %s, %t, %t", got, got.Name(), got.HasWildcard(), got.IsZero())
			}
		})
	}
}

func TestParseARNRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":           "",
		"no ARN":            "bucket",
		"another scheme":    "ARN:aws:s3:::bucket",
		"five parts":        "arn:aws:s3::bucket",
		"no partition":      "arn::s3:::bucket",
		"no service":        "arn:aws::::bucket",
		"no resource":       "arn:aws:s3:::",
		"a space in front":  " arn:aws:s3:::bucket",
		"something endless": "arn:" + strings.Repeat("a", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := policy.ParseARN(text)
			if err == nil || !got.IsZero() {
				t.Fatalf("ParseARN = %+v, %v; want an error alone", got, err)
			}
			if len(err.Error()) > longest || !strings.HasPrefix(err.Error(), "invalid ARN ") {
				t.Errorf("error is %.300s", err)
			}
		})
	}
}

func TestARNsStandInJSONAsText(t *testing.T) {
	t.Parallel()
	type document struct{ Role, None policy.ARN }
	in := document{Role: policy.ARN{"aws", "iam", "", "111122223333", "role/copier"}}
	text, err := json.Marshal(in)
	if want := `{"Role":"arn:aws:iam::111122223333:role/copier","None":""}`; err != nil || string(text) != want {
		t.Fatalf("Marshal = %s, %v; want %s", text, err, want)
	}
	out := document{None: policy.BucketARN("aws", "b")}
	if err := json.Unmarshal(text, &out); err != nil || out != in {
		t.Errorf("Unmarshal = %+v, %v; want %+v", out, err, in)
	}
	if err := json.Unmarshal([]byte(`{"Role":"copier"}`), &out); err == nil || out != in {
		t.Errorf("Unmarshal = %+v, %v; want an error and the value as it was", out, err)
	}
}

func TestIsAccountID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"111122223333": true, "000000000000": true,
		"": false, "11112222333": false, "1111222233334": false, "11112222333a": false, "-11122223333": false, "１１１１": false,
	} {
		if got := policy.IsAccountID(text); got != want {
			t.Errorf("IsAccountID(%q) = %t", text, got)
		}
	}
}

// FuzzParseARN: an ARN that is accepted prints as it was written.
func FuzzParseARN(f *testing.F) {
	for _, text := range []string{"arn:aws:s3:::bucket/a:b", "arn:aws:iam::111122223333:root", "arn:aws:s3:::", "arn::::::", "ARN:aws:s3:::b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := policy.ParseARN(text)
		if err != nil {
			if !a.IsZero() || len(err.Error()) > longest {
				t.Fatalf("ParseARN(%q) = %+v, %v", text, a, err)
			}
			return
		}
		if a.String() != text {
			t.Fatalf("ParseARN(%q) prints as %q", text, a)
		}
		if again, err := policy.ParseARN(a.String()); err != nil || again != a {
			t.Fatalf("ParseARN(%q) = %+v, then %+v, %v", text, a, again, err)
		}
	})
}
