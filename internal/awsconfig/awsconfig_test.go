package awsconfig

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/replimend/replimend/internal/mototest"
)

func TestMain(m *testing.M) { mototest.Main(m) }

// TestEnvironment: a function is configured by what Lambda sets, and a lack of it is said at the start and not at the first call.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	set := map[string]string{
		"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token", "AWS_REGION": "eu-west-1",
	}
	get := func(variable string) string { return set[variable] }
	cfg, err := Environment(get)
	if err != nil || cfg.Region != "eu-west-1" || cfg.BaseEndpoint != nil {
		t.Fatalf("Region %q, endpoint %v: %v", cfg.Region, cfg.BaseEndpoint, err)
	}
	got, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil || got.AccessKeyID != "id" || got.SecretAccessKey != "secret" || got.SessionToken != "token" {
		t.Errorf("credentials %+v: %v", got, err)
	}
	set["AWS_ENDPOINT_URL"], set["AWS_REGION"] = "https://aws.example", ""
	if cfg, err = Environment(get); err != nil || aws.ToString(cfg.BaseEndpoint) != "https://aws.example" || cfg.Region != DefaultRegion {
		t.Errorf("Region %q, endpoint %v: %v", cfg.Region, aws.ToString(cfg.BaseEndpoint), err)
	}
	for _, variable := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		value := set[variable]
		set[variable] = ""
		if _, err := Environment(get); err == nil {
			t.Errorf("without %s it is configured", variable)
		}
		set[variable] = value
	}
}

// TestNamesUnderLocalhostAreThisMachine: S3 Control puts the account before the host of an emulator.
func TestNamesUnderLocalhostAreThisMachine(t *testing.T) {
	t.Parallel()
	s := mototest.Start(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(s.URL, "127.0.0.1", "111122223333.localhost", 1)+"/moto-api/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := HTTPClient().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
}

// TestRetryer: a call is made six times, and no wait between two is long.
func TestRetryer(t *testing.T) {
	t.Parallel()
	r := Retryer()
	if n := r.MaxAttempts(); n != 6 {
		t.Errorf("%d attempts", n)
	}
	for range 100 {
		if wait, err := r.RetryDelay(20, errors.New("throttled")); err != nil || wait > longestWait {
			t.Fatalf("waits %s: %v", wait, err)
		}
	}
}
