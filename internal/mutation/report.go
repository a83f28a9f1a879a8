package mutation

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Goal is the share of mutants that must be blamed on the right cause and on the right side, in percent.
const Goal = 99

// Row is the count of one class of mutants that change a decision.
type Row struct {
	Class                              string
	Mutants, Cause, Side               int
	Curable, Cured                     int
	Manual, ManualKept                 int
	FalseCures, OverGrants, Unexpected int
}

// Report is what the run found.
type Report struct{ Routes, Accesses *Group }

// Group is what it found of one kind of world.
type Group struct {
	What   string
	Worlds int
	Rows   []Row          // by class
	Total  Row            // of all classes
	Apart  map[string]int // mutants that change no decision, by the reason
	// HangsOn counts cures that are none under a reading of the documentation that the lab does not take by itself.
	HangsOn map[string]int
	Misses  []string // every mutant with a problem, and what it is
}

func newGroup(what string, worlds int, tasks []task) *Group {
	r := &Group{What: what, Worlds: worlds, Apart: map[string]int{}, HangsOn: map[string]int{}, Total: Row{Class: "all"}}
	rows := map[string]*Row{}
	for i := range tasks {
		t := &tasks[i]
		if len(t.result.problems) > 0 {
			r.Misses = append(r.Misses, t.miss())
		}
		for _, reading := range t.result.hangsOn {
			r.HangsOn[reading]++
		}
		if t.result.apart != "" {
			r.Apart[t.result.apart]++
		}
		if t.result.apart != "" && len(t.result.problems) == 0 {
			continue
		}
		if rows[t.mutant.class] == nil {
			rows[t.mutant.class] = &Row{Class: t.mutant.class}
		}
		for _, row := range []*Row{rows[t.mutant.class], &r.Total} {
			row.count(&t.result)
		}
	}
	for _, class := range slices.Sorted(maps.Keys(rows)) {
		r.Rows = append(r.Rows, *rows[class])
	}
	return r
}

func (row *Row) count(r *result) {
	one := func(n *int, when bool) {
		if when {
			*n++
		}
	}
	one(&row.Unexpected, r.apart != "")
	one(&row.Mutants, r.apart == "")
	one(&row.Cause, r.apart == "" && r.cause)
	one(&row.Side, r.apart == "" && r.cause && r.side)
	one(&row.Curable, r.apart == "" && r.curable)
	one(&row.Cured, r.apart == "" && r.curable && r.cured)
	one(&row.Manual, r.apart == "" && !r.curable)
	one(&row.ManualKept, r.apart == "" && !r.curable && !r.planned)
	one(&row.FalseCures, r.falseCure)
	one(&row.OverGrants, r.overGrant)
}

func (t *task) miss() string {
	return t.world.name + ": " + t.mutant.class + ": " + t.mutant.text + "\n    " + strings.Join(t.result.problems, "\n    ")
}

// Reached says whether the goal is reached for both kinds of worlds.
func (r *Report) Reached() bool { return r.Routes.Reached() && r.Accesses.Reached() }

// Print writes the report for people.
func (r *Report) Print(to io.Writer) error {
	if err := r.Routes.Print(to); err != nil || r.Accesses.Worlds == 0 {
		return err
	}
	if _, err := io.WriteString(to, "\n"); err != nil {
		return err
	}
	return r.Accesses.Print(to)
}

// Reached says whether the goal is reached: causes and sides by the goal, no false cure, no over-grant, and no decision of a
// mutant that changes none.
func (r *Group) Reached() bool {
	t := r.Total
	enough := func(n, of int) bool { return n*100 >= of*Goal }
	return (t.Mutants > 0 || r.Worlds == 0) && enough(t.Cause, t.Mutants) && enough(t.Side, t.Mutants) && enough(t.Cured, t.Curable) &&
		t.ManualKept == t.Manual && t.FalseCures == 0 && t.OverGrants == 0 && enough(sum(r.Apart)-t.Unexpected, sum(r.Apart))
}

func sum(of map[string]int) int {
	n := 0
	for _, v := range of {
		n += v
	}
	return n
}

// Print writes the table of the group and its misses.
func (r *Group) Print(to io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d mutants of %d %s; %d change a decision\n\n", r.Total.Mutants+sum(r.Apart), r.Worlds, r.What, r.Total.Mutants)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "mutants\tright cause\tright side\tcured\tmanual, as expected\tfalse cures\tover-grants\t  class")
	for _, row := range append(slices.Clone(r.Rows), r.Total) {
		if row.Mutants == 0 && row.Unexpected == 0 {
			continue
		}
		fmt.Fprintf(t, "%d\t%d\t%d\t%d of %d\t%d of %d\t%d\t%d\t  %s\n", row.Mutants, row.Cause, row.Side, row.Cured, row.Curable,
			row.ManualKept, row.Manual, row.FalseCures, row.OverGrants, row.Class)
	}
	_ = t.Flush() // into memory
	fmt.Fprintf(&b, "\nright cause %s, right side %s of those that change a decision\n", share(r.Total.Cause, r.Total.Mutants), share(r.Total.Side, r.Total.Mutants))
	for _, reading := range slices.Sorted(maps.Keys(r.HangsOn)) {
		fmt.Fprintf(&b, "%d of %d cures do not restore what the lab asks under its disputed reading %s\n", r.HangsOn[reading], r.Total.Cured, reading)
	}
	fmt.Fprintf(&b, "\ncounted apart, because no decision changes: %d, and the diagnosis makes something of %d\n", sum(r.Apart), r.Total.Unexpected)
	for _, reason := range slices.Sorted(maps.Keys(r.Apart)) {
		fmt.Fprintf(&b, "%7d  %s\n", r.Apart[reason], reason)
	}
	fmt.Fprintf(&b, "\nmisses: %d\n", len(r.Misses))
	for _, m := range r.Misses {
		fmt.Fprintf(&b, "  %s\n", m)
	}
	_, err := io.WriteString(to, b.String())
	return err
}

func share(n, of int) string {
	if of == 0 {
		return "none"
	}
	return fmt.Sprintf("%.2f %%", 100*float64(n)/float64(of))
}
