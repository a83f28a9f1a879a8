package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/route"
)

// settles says whether a requirement that is not met settles that objects fail. With several kinds of objects it does when one
// of those that ask it is known to have FAILED, when all kinds ask it, or when no kind passes. Otherwise the answer depends on
// which kind is meant.
func (e *examination) settles(a *asked) bool {
	if len(e.populations) == 1 {
		return !e.populations[0].Unsure()
	}
	if len(a.of) == len(e.populations) {
		return slices.ContainsFunc(e.populations, func(p route.Population) bool { return !p.Unsure() })
	}
	for _, i := range a.of {
		if p := &e.populations[i]; p.Failed && !p.Unsure() {
			return true
		}
	}
	_, none := e.passing()
	return none
}

// passing says whether some kind of objects that the rule certainly takes has all that it needs, and whether every one of them
// certainly lacks something. Neither is so where what is missing from the snapshot decides.
func (e *examination) passing() (some, none bool) {
	if e.passes != nil {
		return e.passes.some, e.passes.none
	}
	fails, open := make([]bool, len(e.populations)), make([]bool, len(e.populations))
	for i := range e.asked {
		a := &e.asked[i]
		denied, certain := a.hurts()
		if !denied || a.Need != route.Required {
			continue
		}
		of := a.of
		if len(e.populations) == 1 {
			of = []int{0}
		}
		for _, k := range of {
			fails[k], open[k] = fails[k] || certain, true
		}
	}
	sure := 0
	none = true
	for i := range e.populations {
		if e.populations[i].Unsure() {
			continue
		}
		sure++
		some, none = some || !open[i], none && fails[i]
	}
	e.passes = &passes{some, none && sure > 0}
	return e.passes.some, e.passes.none
}

// passes is what passing answers.
type passes struct{ some, none bool }

// specify says which kinds of objects the findings are about where others pass, or are what the bucket writes now. Where that leaves open whether objects fail at
// all, nobody is blamed, and a person decides about an edit.
func (e *examination) specify(a *asked, found []Finding) {
	if only := len(e.populations) == 1; len(found) == 0 || only && !e.populations[0].Unsure() && !e.populations[0].Older {
		return
	}
	about := ""
	if len(e.populations) == 1 || len(a.of) < len(e.populations) {
		about = ". This concerns " + e.kinds(a.of)
	}
	open := a.Need == route.Required && !e.settles(a)
	for i := range found {
		f := &found[i]
		f.Message += about
		if open && f.Severity == Fault {
			f.Severity = Warning
		}
		if open && f.Remedy == patch.Automatic {
			f.Remedy = patch.Approval
		}
	}
}

// mostKinds is how many kinds of objects a message names.
const mostKinds = 3

// kinds names populations, and says of which the rule may not take any object.
func (e *examination) kinds(of []int) string {
	if len(e.populations) == 1 {
		of = []int{0}
	}
	var names []string
	for _, i := range of {
		if len(names) == mostKinds {
			names = append(names, fmt.Sprintf("%d other kinds", len(of)-mostKinds))
			break
		}
		name := e.populations[i].Text
		switch e.populations[i].Claim {
		case route.TagsUnknown:
			name += " (if the rule takes them: it filters by tags, and theirs are not in the snapshot)"
		case route.OptInOutranked:
			name += " (if the rule takes them: another one of higher priority covers them)"
		default:
		}
		names = append(names, name)
	}
	return strings.Join(names, "; and ")
}

// standsFor is the objects that the diagnosis stands for.
func (e *examination) standsFor() string {
	if len(e.populations) == 0 {
		return "those that another rule takes"
	}
	return e.populations[0].Text
}
