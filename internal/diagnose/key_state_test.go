package diagnose_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
)

// TestEveryStateSpecAndUsageOfTheReplicaKey holds each value of DescribeKey against what KMS does with such a key.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
func TestEveryStateSpecAndUsageOfTheReplicaKey(t *testing.T) {
	t.Parallel()
	const key = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-0987654321ab"
	for _, c := range []struct {
		member, value, cause string
		verdict              diagnose.Verdict
	}{
		{"state", "Enabled", "", diagnose.Healthy},
		{"state", "Updating", "", diagnose.Healthy}, // a multi-Region key that changes its primary stays in service
		{"state", "Creating", "replica-key-not-usable", diagnose.Broken},
		{"state", "Disabled", "replica-key-not-usable", diagnose.Broken},
		{"state", "PendingDeletion", "replica-key-not-usable", diagnose.Broken},
		{"state", "PendingReplicaDeletion", "replica-key-not-usable", diagnose.Broken},
		{"state", "PendingImport", "replica-key-not-usable", diagnose.Broken},
		{"state", "Unavailable", "replica-key-not-usable", diagnose.Broken}, // its custom key store is disconnected
		{"state", "", "configuration-unknown", diagnose.Unknown},
		{"spec", "SYMMETRIC_DEFAULT", "", diagnose.Healthy},
		{"spec", "RSA_2048", "replica-key-not-usable", diagnose.Broken},
		{"spec", "ECC_NIST_P256", "replica-key-not-usable", diagnose.Broken},
		{"spec", "HMAC_256", "replica-key-not-usable", diagnose.Broken},
		{"usage", "ENCRYPT_DECRYPT", "", diagnose.Healthy},
		{"usage", "SIGN_VERIFY", "replica-key-not-usable", diagnose.Broken},
		{"usage", "GENERATE_VERIFY_MAC", "replica-key-not-usable", diagnose.Broken},
		{"usage", "KEY_AGREEMENT", "replica-key-not-usable", diagnose.Broken},
	} {
		t.Run(c.member+"="+c.value, func(t *testing.T) {
			t.Parallel()
			s := readBase(t, "base/cross-account-kms", fmt.Sprintf(`{"keys": {%q: {%q: %q}}}`, key, c.member, c.value))
			r := diagnose.Diagnose(s, nil).Routes[0]
			found := slices.ContainsFunc(r.Findings, func(f diagnose.Finding) bool { return f.Cause == c.cause })
			if r.Verdict != c.verdict || found != (c.cause != "") {
				t.Errorf("want %s and %q, got %s and %+v", c.verdict, c.cause, r.Verdict, r.Findings)
			}
		})
	}
}
