package snapshot_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/replimend/replimend/internal/snapshot"
)

// take runs docs/take-snapshot.py against an AWS CLI that answers from the example.
func take(t *testing.T, example, bucket, destinationAccount string, more ...string) map[string]any {
	t.Helper()
	fake, err := filepath.Abs("testdata/fake-aws/aws")
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"../../docs/take-snapshot.py", bucket, "--profile", "111122223333", "--destination-profile", destinationAccount, "--aws", fake}, more...)
	cmd := exec.Command("python3", args...)
	cmd.Env = append(os.Environ(), "FAKE_AWS_SNAPSHOT="+example)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("take-snapshot: %v\n%s", err, &stderr)
	}
	if _, err := snapshot.Parse(out); err != nil {
		t.Errorf("the script's output is no snapshot: %v", err)
	}
	return decode(t, out)
}

func decode(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{"takenAt", "guardrails", "organization", "objects"} {
		delete(v, member) // the script does not read them, and the time is its own
	}
	return v
}

func TestTakeSnapshotGivesBackWhatTheAWSCLIAnswers(t *testing.T) {
	t.Parallel()
	for name, account := range map[string]string{"cross-account-kms": "444455556666", "same-account-sse-kms": "111122223333"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := "../../docs/examples/" + name + ".json"
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := decode(t, data)
			if diff := cmp.Diff(want, take(t, path, source(t, data), account)); diff != "" {
				t.Errorf("snapshot differs (-example +taken):\n%s", diff)
			}
		})
	}
}

// TestTakeSnapshotReadsThePrincipal reads the role and the user of the consumers' example, one after the other.
func TestTakeSnapshotReadsThePrincipal(t *testing.T) {
	t.Parallel()
	const path, account = "../../docs/examples/consumers/article.json", "444455556666"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for principal, section := range map[string]string{
		"arn:aws:iam::444455556666:role/app/consumer":           "roles",
		"arn:aws:sts::444455556666:assumed-role/consumer/batch": "roles",
		"arn:aws:iam::444455556666:user/hoge":                   "users",
	} {
		t.Run(principal, func(t *testing.T) {
			t.Parallel()
			want := decode(t, data)
			for _, other := range []string{"roles", "users"} {
				if other != section {
					delete(want, other)
				}
			}
			got := take(t, path, "amzn-s3-demo-bucket", account, "--principal", principal, "--principal-profile", account)
			if section != "roles" {
				delete(got, "roles") // which the script always writes
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("snapshot differs (-example +taken):\n%s", diff)
			}
		})
	}
}

func TestTakeSnapshotKnowsWhoDoesNotExist(t *testing.T) {
	t.Parallel()
	const gone = "arn:aws:iam::444455556666:user/gone"
	got := take(t, "../../docs/examples/consumers/article.json", "amzn-s3-demo-bucket", "444455556666", "--principal", gone, "--principal-profile", "444455556666")
	users, _ := got["users"].(map[string]any)
	if user, there := users[gone]; !there || user != nil {
		t.Errorf("users = %v, want null for a user who does not exist", users)
	}
}

// source is the one bucket of the example that replicates.
func source(t *testing.T, data []byte) string {
	t.Helper()
	s, err := snapshot.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range s.Buckets {
		if b.V.Replication.State == snapshot.Present {
			return name
		}
	}
	t.Fatal("no bucket replicates")
	return ""
}

func TestTakeSnapshotNamesWhatItWasRefused(t *testing.T) {
	t.Parallel()
	// With the source's credentials alone, the destination's documents are refused; they must be missing, never empty.
	path := "../../docs/examples/cross-account-kms.json"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := take(t, path, source(t, data), "111122223333")
	if buckets := got["buckets"].(map[string]any); len(buckets) != 1 {
		t.Errorf("buckets: %v, want the source alone", buckets)
	}
	if unreadable, _ := got["unreadable"].(map[string]any); len(unreadable) < 2 {
		t.Errorf("unreadable = %v, want the destination bucket and its key", unreadable)
	}
}
