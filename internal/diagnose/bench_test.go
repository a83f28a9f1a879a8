package diagnose_test

import (
	"testing"

	"github.com/replimend/replimend/internal/diagnose"
)

// BenchmarkDiagnose is one whole diagnosis of a cross-account KMS route: compile, decide, explain and, when it is broken,
// plan and prove.
func BenchmarkDiagnose(b *testing.B) {
	for name, path := range map[string]string{
		"healthy-cross-account-kms": "",
		"broken-cross-account-kms":  "testdata/causes/role-lacks-source-decrypt/statement-dropped.txtar",
	} {
		b.Run(name, func(b *testing.B) {
			s := readBase(b, "base/cross-account-kms", "")
			if path != "" {
				s, _, _ = readCase(b, path)
			}
			b.ReportAllocs()
			for b.Loop() {
				if d := diagnose.Diagnose(s, nil); len(d.Routes) != 1 {
					b.Fatal("want one route")
				}
			}
		})
	}
}
