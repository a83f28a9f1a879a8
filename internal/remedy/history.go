package remedy

import (
	"slices"
	"time"

	"github.com/replimend/replimend/internal/guard"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
)

// History is what was done before, as the guard needs it for that plan. It knows no kill switch and nothing of who broke the route:
// a journal does not either.
func History(past incident.Past, plan patch.Plan, now time.Time) guard.History {
	h := guard.History{AccountPatches: past.Patches, Now: now}
	var changes []incident.Change
	for _, i := range past.Incidents {
		changes = append(changes, i.Changes...)
		for _, cure := range cures(i) {
			if cure[0].At.After(now.Add(-time.Hour)) {
				h.RoutePatches++
			}
			by := recalledBy(cure)
			if slices.ContainsFunc(cure, takenBack) && by == "" {
				h.FailedCures++
			}
			h.Recalled = by // of the last one: a cure after it was agreed to
		}
		if i.Outcome == incident.Proven || i.Outcome == incident.Resolved {
			h.FailedCures = 0
		}
	}
	h.Removed = removed(changes, plan)
	return h
}

// cures is the changes of an incident that were written or may have been, by the cure that they were part of.
func cures(i incident.Incident) [][]incident.Change {
	var out [][]incident.Change
	for _, c := range i.Changes {
		switch last := len(out) - 1; {
		case c.State == incident.Unmade:
		case last >= 0 && out[last][0].At.Equal(c.At):
			out[last] = append(out[last], c)
		default:
			out = append(out, []incident.Change{c})
		}
	}
	return out
}

// recalledBy is who had a cure taken back; "": nobody.
func recalledBy(cure []incident.Change) string {
	for _, c := range cure {
		if c.Recalled != "" {
			return c.Recalled
		}
	}
	return ""
}

// recalled is who had the last cure of the incident taken back; "": nobody.
func (r *run) recalled() string {
	all := cures(r.incident)
	if len(all) == 0 {
		return ""
	}
	return recalledBy(all[len(all)-1])
}

// takenBack says that a change was undone, or would have been had nobody changed the document since.
func takenBack(c incident.Change) bool {
	return c.State == incident.Undone || c.State == incident.Overrun || c.State == incident.Undoing
}

// patched is when the route got its last patch; zero: never.
func patched(past incident.Past) time.Time {
	var last time.Time
	for _, i := range past.Incidents {
		for _, p := range i.Patches() {
			if p.At.After(last) {
				last = p.At
			}
		}
	}
	return last
}
