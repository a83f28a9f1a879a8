package diagnose_test

import (
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/signal"
)

// TestPartsOfALargeObjectAreAnExplanation only where the role is not known to have what they may need, and only for what S3 says of
// such objects.
func TestPartsOfALargeObjectAreAnExplanation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		base, reason string
		want         bool
	}{
		"parts without Decrypt":          {"cross-account-kms", "DstMultipartUploadNotPermitted", true},
		"parts with Decrypt":             {"cross-account-bucket-keys", "DstMultipartUploadNotPermitted", false},
		"parts that no key is asked for": {"same-account-sse-s3", "DstMultipartUploadNotPermitted", false},
		"no parts":                       {"cross-account-kms", "DstPutObjectNotPermitted", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := diagnose.Diagnose(readBase(t, "base/"+tt.base, ""), []signal.Signal{failed(tt.reason)})
			text := ""
			for _, f := range d.Routes[0].Findings {
				if f.Cause == "event-contradicts-model" {
					text = f.Message
				}
			}
			if text == "" || strings.Contains(text, "other callers need kms:Decrypt") != tt.want {
				t.Errorf("explained by parts: %t, want it: %t\n%s", !tt.want, tt.want, text)
			}
		})
	}
}
