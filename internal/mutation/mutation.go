// Package mutation is the mutation run: it breaks complete routes in every systematic way and holds the diagnosis against oracles
// that do not know the catalogue of causes. From each healthy world it drops or swaps every statement, action, principal,
// resource, condition, document and setting, one at a time and in pairs.
//
// Of each mutant it asks whether the diagnosis blames the mutated document, and no other, by the right cause and on the right
// side; whether the plan cures the route in the lab, whose S3 knows nothing of the product's list of requests; and whether
// the edited documents allow anything that S3 does not need. Nothing imports it but its program and its test.
package mutation

import (
	"fmt"
	"io/fs"
	"runtime"
	"sync"

	"github.com/replimend/replimend/internal/diagnose"
	"github.com/replimend/replimend/internal/snapshot"
)

// Run makes and judges every mutant of the worlds at those paths. The report is the same in every run.
func Run(files fs.FS, paths []string) (*Report, error) {
	return run(files, paths, func(s *snapshot.Snapshot) []diagnose.Route { return diagnose.Diagnose(s, nil).Routes })
}

// subject is the diagnosis on trial. Tests put worse ones in its place, to see that they are caught.
type subject func(*snapshot.Snapshot) []diagnose.Route

func run(files fs.FS, paths []string, diagnoses subject) (*Report, error) {
	worlds := make([]*world, len(paths))
	for i, path := range paths {
		w, err := readWorld(files, path, diagnoses)
		if err != nil {
			return nil, err
		}
		worlds[i] = w
	}
	var tasks []task
	for _, w := range worlds {
		singles := mutantsOf(w)
		for _, m := range singles {
			tasks = append(tasks, task{world: w, mutant: m})
		}
		for _, m := range pairsOf(w, singles) {
			tasks = append(tasks, task{world: w, mutant: m})
		}
	}
	work(tasks)
	return newReport(len(worlds), tasks), nil
}

// task is one mutant and what became of it.
type task struct {
	world  *world
	mutant mutant
	result result
}

// work judges all tasks, as many at a time as there are processors.
func work(tasks []task) {
	next := make(chan int)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := range next {
				t := &tasks[i]
				t.result = t.world.judge(t.mutant)
			}
		})
	}
	for i := range tasks {
		next <- i
	}
	close(next)
	all.Wait()
}

// mutantsOf is every mutant of one world with a single fault.
func mutantsOf(w *world) []mutant {
	var out []mutant
	for _, d := range documents(w.tree) {
		out = append(out, policyMutants(w, d)...)
	}
	out = append(out, grantMutants(w)...)
	return append(out, configurationMutants(w)...)
}

// pairsOf is a sample of mutants with faults in two documents, always the same: each third policy mutant with one that stands far
// from it in the list, so that all classes meet.
func pairsOf(w *world, singles []mutant) []mutant {
	var out []mutant
	for i := 0; i < len(singles); i += pairStep {
		a, b := singles[i], singles[(i*7+len(singles)/2)%len(singles)]
		if a.expect != nil || b.expect != nil || len(a.parts) != 1 || len(b.parts) != 1 || sameOwner(a.parts[0], b.parts[0]) {
			continue
		}
		out = append(out, mutant{
			class: "two faults", text: fmt.Sprintf("%s: %s; and %s: %s", a.class, a.text, b.class, b.text),
			parts: []part{a.parts[0], b.parts[0]}, change: []func(tree){a.change[0], b.change[0]},
		})
	}
	return out
}

// pairStep thins the pairs out so that they do not take longer than the mutants with one fault.
const pairStep = 5

// sameOwner says whether two changes could get in each other's way.
func sameOwner(a, b part) bool { return a.place == b.place && a.id == b.id }
