package diagnose

import (
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
	"github.com/replimend/replimend/internal/snapshot"
)

// Ways is the proven plan of every way that a route's diagnosis weighs, and nil for those whose documents AWS would not store.
func Ways(s *snapshot.Snapshot, i int) (plans []*patch.Plan, faults []string) {
	e := examine(route.NewWorld(s), route.Routes(s)[i], nil)
	before := e.verdict()
	ways := e.ways(e.cures())
	for k := range ways {
		plans = append(plans, e.prove(&ways[k], before))
		faults = append(faults, ways[k].fault)
	}
	return plans, faults
}
