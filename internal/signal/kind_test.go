package signal_test

import (
	"testing"

	"github.com/replimend/replimend/internal/signal"
)

func TestKindsReadBackFromTheirNames(t *testing.T) {
	t.Parallel()
	for k := signal.Failed; k <= signal.NotTracked; k++ {
		for _, prefix := range []string{"", "s3:"} {
			if got, ok := signal.ParseKind(prefix + "Replication:" + k.String()); got != k || !ok {
				t.Errorf("%s%s reads as %v, %v", prefix, k, got, ok)
			}
		}
		if got, ok := signal.ParseKind(k.String()); got != 0 || ok {
			t.Errorf("%s without its family reads as %v, %v", k, got, ok)
		}
	}
	if got := (signal.NotTracked + 1).String(); got != "Kind(5)" {
		t.Errorf("a kind beyond the last is %s", got)
	}
}
