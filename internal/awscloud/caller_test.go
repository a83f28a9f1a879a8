package awscloud_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/replimend/replimend/internal/awscloud"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/preflight"
	"github.com/replimend/replimend/internal/settings"
)

func direct(cfg aws.Config, accounts ...string) *awscloud.Accounts {
	access := awscloud.Access{Base: cfg, Direct: map[string]aws.Config{}}
	for _, a := range accounts {
		access.Direct[a] = cfg
	}
	return awscloud.NewAccounts(access)
}

func TestCallersAndRoles(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	account, member := s.Account(), s.Account()
	// STS refuses the writer, and the credentials of whoever asks in another Region.
	url := s.Proxy(t, func(w http.ResponseWriter, r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if !strings.Contains(string(body), string(settings.ResourceWriter)) &&
			!strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/") {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`)
		return true
	})
	base := s.ConfigAt(t, url, account, "us-east-1")
	expired := base.Copy()
	expired.Region = "eu-west-1"
	accounts := awscloud.NewAccounts(awscloud.Access{
		Base: base, Direct: map[string]aws.Config{"111122223333": expired},
		Members: []settings.Member{{Account: member, Regions: []string{"us-east-1"}}},
	})
	caller, err := accounts.Base(t.Context())
	if err != nil || caller.Account != account || !strings.Contains(caller.ARN, ":"+account+":assumed-role/test/") {
		t.Errorf("base %+v, %v", caller, err)
	}
	if caller, err = accounts.Caller(t.Context(), "444455556666"); err != nil || caller.Account != "444455556666" ||
		!strings.Contains(caller.ARN, account) {
		t.Errorf("caller of an account that nothing else leads into: %+v, %v", caller, err)
	}
	if caller, err = accounts.Caller(t.Context(), "111122223333"); err != nil ||
		caller != (preflight.Caller{Account: "111122223333", Code: "AccessDenied"}) {
		t.Errorf("refused caller %+v, %v", caller, err)
	}
	for role, code := range map[settings.MemberRole]string{settings.Reader: "", settings.ResourceWriter: "AccessDenied"} {
		got, err := accounts.TryRole(t.Context(), member, "us-east-1", role)
		if want := (preflight.Assumption{Account: member, Role: role, Code: code}); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", role, got, err, want)
		}
	}
	if _, err := accounts.TryRole(t.Context(), account, "us-east-1", settings.Reader); err == nil {
		t.Error("a role of an account that is no member was tried")
	}
}
