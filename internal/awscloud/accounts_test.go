package awscloud

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"pgregory.net/rapid"

	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/settings"
)

func TestSourceIdentityTellsPeopleApart(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"": "replimend", "!": "replimend", "x": "replimend",
		"arn:aws:iam::111122223333:user/on-call":                        "111122223333-user-on-call",
		"arn:aws:sts::444455556666:assumed-role/admin/jane@example.com": "444455556666-assumed-role-admin-jane@example.com",
		"inc-0123456789": "inc-0123456789",
		"日本語":            "replimend",
		"arn:aws:iam::111122223333:user/" + strings.Repeat("division/", 9) + "jane": "division-division-division-division-division-division-jane",
	} {
		if got := SourceIdentity(name); !strings.HasSuffix(got, want) {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	// Whatever a name holds, STS takes what becomes of it.
	rapid.Check(t, func(t *rapid.T) {
		got := SourceIdentity(rapid.String().Draw(t, "name"))
		if len(got) < 2 || len(got) > 64 || notInIdentity.MatchString(got) {
			t.Fatalf("%q is no source identity", got)
		}
	})
}

// TestWaysIntoAccounts: a person's profile comes before a member's reader role, and an account without either is read as whoever
// calls.
func TestWaysIntoAccounts(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	hub, own, member, stranger := s.Account(), s.Account(), s.Account(), s.Account()
	a := NewAccounts(Access{
		Base: s.Config(t, hub, "us-east-1"), Direct: map[string]aws.Config{own: s.Config(t, own, "us-east-1")},
		Members: []settings.Member{{Account: own, Regions: []string{"us-east-1"}}, {Account: member, Regions: []string{"eu-west-1"}}},
	})
	if got := strings.Join(a.Known(), " "); got != own+" "+member {
		t.Errorf("known accounts %s", got)
	}
	for account, want := range map[string]string{own: own + ":assumed-role/test", member: member + ":assumed-role/replimend-reader/replimend", stranger: hub + ":assumed-role/test"} {
		cfg := a.Reader(account, "eu-west-1")
		who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		if err != nil {
			t.Fatal(err)
		}
		if got := aws.ToString(who.Arn); !strings.Contains(got, want) || cfg.Region != "eu-west-1" {
			t.Errorf("account %s is read by %s in %s, want %s", account, got, cfg.Region, want)
		}
	}
	if _, err := a.Narrowed(stranger, "eu-west-1", Purpose{Role: settings.ResourceWriter}); err == nil || !strings.Contains(err.Error(), stranger) {
		t.Errorf("a session to write in a stranger's account: %v", err)
	}
}

// TestNarrowedSession looks at what STS is asked for.
func TestNarrowedSession(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	hub, member := s.Account(), s.Account()
	asked := make(chan map[string][]string, 4)
	address := s.Proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.Header.Get("Authorization"), "/sts/") {
			asked <- form(t, r)
		}
		return false
	})
	a := NewAccounts(Access{
		Base:    s.ConfigAt(t, address, hub, "us-west-2"),
		Members: []settings.Member{{Account: member, Regions: []string{"us-west-2"}, ExternalID: "outside"}},
	})
	cfg, err := a.Narrowed(member, "us-west-2", Purpose{
		Role: settings.ResourceWriter, Policy: `{"Version":"2012-10-17"}`, Incident: "inc-1", Approver: "arn:aws:iam::111122223333:user/jane",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.Credentials.Retrieve(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := <-asked
	for name, want := range map[string]string{
		"Action": "AssumeRole", "RoleArn": "arn:aws:iam::" + member + ":role/replimend/replimend-resource-writer", "DurationSeconds": "900",
		"ExternalId": "outside", "Policy": `{"Version":"2012-10-17"}`, "RoleSessionName": "inc-1", "SourceIdentity": "111122223333-user-jane",
	} {
		if strings.Join(got[name], "|") != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

// form reads the form of a request and leaves it readable.
func form(t *testing.T, r *http.Request) map[string][]string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	values, err := url.ParseQuery(string(body))
	if err != nil {
		t.Error(err)
	}
	return values
}
