package enroll

import (
	"slices"

	"github.com/replimend/replimend/internal/jsontree"
)

// Same says whether two documents say the same: every list in these documents is a set to S3, and members have no order.
func Same(a, b jsontree.Node) bool { return Holds(a, b) && Holds(b, a) }

// Holds says whether everything that the wanted document says is in the live one, and no list has more. S3 may answer more
// members than were written: it fills in defaults.
func Holds(live, wanted jsontree.Node) bool {
	if live.Kind != wanted.Kind || live.Text != wanted.Text || live.Bool != wanted.Bool || len(live.Items) != len(wanted.Items) {
		return false
	}
	for _, f := range wanted.Fields {
		if !Holds(live.Get(f.Name), f.Value) {
			return false
		}
	}
	free := slices.Clone(live.Items)
	for _, item := range wanted.Items {
		// An entry that is there whole is taken before one that only holds it.
		i := slices.IndexFunc(free, func(n jsontree.Node) bool { return jsontree.Equal(n, item) })
		if i < 0 {
			i = slices.IndexFunc(free, func(n jsontree.Node) bool { return Holds(n, item) })
		}
		if i < 0 {
			return false
		}
		free = slices.Delete(free, i, i+1)
	}
	return true
}
