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
	"slices"
	"sync"

	"github.com/replimend/replimend/internal/diagnose"
)

// Run makes and judges every mutant of the routes and of the accesses in the worlds at those paths. The report is the same in
// every run.
func Run(files fs.FS, worlds, consumers []string) (*Report, error) {
	return run(files, worlds, consumers, nil)
}

// run is Run with a fault planted in every diagnosis, to see that it is caught.
func run(files fs.FS, paths, consumers []string, plant func(*diagnose.Route)) (*Report, error) {
	var routes, accesses []*world
	for _, path := range paths {
		w, err := readWorld(files, path, plant)
		if err != nil {
			return nil, err
		}
		routes = append(routes, w)
	}
	for _, path := range consumers {
		all, err := readConsumers(files, path, plant)
		if err != nil {
			return nil, err
		}
		accesses = append(accesses, all...)
	}
	return &Report{Routes: judgeAll("complete routes", routes), Accesses: judgeAll("accesses", accesses)}, nil
}

// judgeAll makes and judges every mutant of the worlds.
func judgeAll(what string, worlds []*world) *Group {
	var tasks []task
	for _, w := range worlds {
		singles := mutantsOf(w)
		for _, m := range slices.Concat(singles, pairsOf(w, singles)) {
			tasks = append(tasks, task{world: w, mutant: m})
		}
	}
	work(tasks)
	return newGroup(what, len(worlds), tasks)
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
		if w.access == nil || w.concerns(d) {
			out = append(out, policyMutants(w, d)...)
		}
	}
	out = append(out, grantMutants(w)...)
	if w.access != nil {
		return append(out, consumerMutants(w)...)
	}
	return append(out, configurationMutants(w)...)
}

// concerns says whether the document takes part in any answer: others' policies do not.
func (w *world) concerns(d document) bool {
	for _, a := range w.answers {
		if d.decides(&a.Requirement) && (d.place != boundary || slices.Contains(d.path, any(w.access.Principal.String()))) {
			return true
		}
	}
	return false
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
