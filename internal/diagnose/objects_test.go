package diagnose_test

import (
	"os"
	"strings"
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/snapshot"
)

// TestFindingsNameObjectsByARN: package remedy takes keys out of what it tells people, and finds them as ARNs only.
func TestFindingsNameObjectsByARN(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/base/cross-account-kms.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := snapshot.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	const bucket, key = "amzn-s3-demo-source", "payroll/jane.doe@example.com.pdf"
	s.Objects = []snapshot.Object{{Bucket: bucket, Key: key, Encryption: snapshot.Of("aws:kms")}}
	said := 0
	for _, f := range diagnose.Diagnose(s, nil).Routes[0].Findings {
		said += strings.Count(f.Message, key)
		if strings.Contains(strings.ReplaceAll(f.Message, bucket+"/"+key, ""), key) {
			t.Errorf("the key of an object stands by itself in %q", f.Message)
		}
	}
	if said == 0 {
		t.Error("no finding names the object: this tests nothing")
	}
}
