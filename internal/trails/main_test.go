package trails_test

import (
	"testing"

	"github.com/replimend/replimend/internal/mototest"
)

func TestMain(m *testing.M) { mototest.Main(m) }
