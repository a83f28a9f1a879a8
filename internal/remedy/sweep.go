package remedy

import "github.com/replimend/replimend/internal/incident"

// Revisits says whether a sweep is to have an open incident gone on with although nothing happened, once each time. In force are the
// suppressions of its route.
//
//   - One that nobody looked at, because its message was lost.
//   - One that waits for an approval: what was asked may have expired or no longer be the plan, and then people are asked anew.
//   - One that was refused, or is for people: somebody may have mended the route, and then it is over.
//   - A cure that is not proven, and a replay that runs: whoever was to look again may have been lost.
//   - One that was silenced, unless every cause still is.
//
// One that was declined, or that went wrong, a person has. It is gone on with when the route fails again, or when it Closes.
func Revisits(i incident.Summary, inForce []incident.Suppression) bool {
	switch i.Outcome {
	case incident.Open, incident.AwaitingApproval, incident.Refused, incident.Manual, incident.Applied:
		return true
	case incident.Proven:
		return i.Replaying
	case incident.Suppressed:
		return len(incident.Silenced(inForce, nil)) == 0
	case incident.Declined, incident.Escalated, incident.Ignored, incident.Healthy, incident.Resolved:
	}
	return false
}

// Closes says whether an open incident that Revisits leaves alone is over once its route is found in order.
func Closes(i incident.Summary) bool {
	return i.Outcome == incident.Declined || i.Outcome == incident.Escalated || i.Outcome == incident.Suppressed
}
