package jsontree_test

import (
	"testing"

	"github.com/replimend/replimend/internal/jsontree"
)

func TestVisible(t *testing.T) {
	t.Parallel()
	for _, r := range "aZ09 ~é漢字ｆ🙂\u0301क़" {
		if !jsontree.Visible(r) {
			t.Errorf("%U is not visible", r)
		}
	}
	for _, r := range "\x00\x1b\n\t\x7f\u0085\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u180b\u180e\u200b\u200d\u200e\u202e\u2028\u2066\u2800\u3000\u3164\ufe0f\ufeff\uffa0\ue000\U000e0001\U000e0041\U000e0100" {
		if jsontree.Visible(r) {
			t.Errorf("%U is visible", r)
		}
	}
}
