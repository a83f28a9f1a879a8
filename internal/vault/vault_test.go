package vault_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/replimend/replimend/internal/journaltest"
	"github.com/replimend/replimend/internal/mototest"
	"github.com/replimend/replimend/internal/secret"
	"github.com/replimend/replimend/internal/vault"
)

func TestMain(m *testing.M) { mototest.Main(m) }

const token = "xoxb-1234567890-SECRETsecretSECRET"

// TestSecrets: a text, or the only member of what the console makes, read once in five minutes, and anew where somebody says so.
func TestSecrets(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	account := s.Account()
	own := secretsmanager.NewFromConfig(s.Config(t, account, "us-east-1"))
	var mu sync.Mutex
	calls := map[string]int{}
	proxy := s.Proxy(t, func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		calls["secretsmanager:"+operation]++
		return false
	})
	clock := journaltest.NewClock()
	read := &vault.Secrets{Client: secretsmanager.NewFromConfig(s.ConfigAt(t, proxy, account, "us-east-1")), Now: clock.Now}
	made := func(name, text string) string {
		t.Helper()
		out, err := own.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(name), SecretString: aws.String(text)})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.ARN)
	}
	is := func(arn string, fresh bool, want string) {
		t.Helper()
		got, err := read.Get(t.Context(), arn, fresh)
		if err != nil || got != secret.Of(want) {
			t.Errorf("it is not %s: %v", want, err)
		}
	}
	is(made("json", `{"token": " `+token+`\n"}`), false, token)
	for name, text := range map[string]string{"two": `{"a": "` + token + `", "b": "c"}`, "number": `{"a": 1, "` + token + `": {}}`, "cut": `{"a": "` + token, "blank": " ", "none": `{"a": ""}`} {
		got, err := read.Get(t.Context(), made(name, text), false)
		if err == nil || got != (secret.Secret{}) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", name, err)
		}
	}
	arn := made("plain", token+"\n")
	is(arn, false, token)
	if _, err := own.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(arn), SecretString: aws.String("rotated")}); err != nil {
		t.Fatal(err)
	}
	is(arn, false, token)
	clock.Pass(vault.Fresh - time.Second)
	is(arn, false, token)
	clock.Pass(time.Second)
	is(arn, false, "rotated")
	if _, err := own.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String(arn), SecretString: aws.String("again")}); err != nil {
		t.Fatal(err)
	}
	is(arn, true, "again")
	is(arn, false, "again")
	if _, err := read.Get(t.Context(), arn+"x", false); err == nil || !strings.Contains(err.Error(), arn) {
		t.Errorf("one that is not there: %v", err)
	}
	if needs := vault.Needs(); len(calls) != 1 || calls[needs[0]] != 10 {
		t.Errorf("called %v, needs %v", calls, needs)
	}
}
