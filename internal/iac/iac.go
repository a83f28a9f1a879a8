// Package iac prints plans as the code in which people keep their cloud: what is written beside that code is taken back the
// next time it is applied.
//
// It turns plans into text and decides nothing: package diagnose, which it does not know, makes the plans. Names and documents
// come from outside. Names that AWS would refuse are refused here, too, and every name and every value is printed by the
// quoting rules of its format, so that no text of theirs becomes code.
package iac

import (
	"fmt"
	"maps"
	"slices"

	"github.com/replimend/replimend/internal/patch"
)

// Route is the plan of one route. Title is one line for people: the route, its verdict and, without a plan, why there is none.
type Route struct {
	Title string
	Plan  *patch.Plan
}

// formats is every format by the name that people give.
var formats = map[string]func(plan) (string, error){
	"awscli":         awscli,
	"cdk":            cdk,
	"cloudformation": cloudformation,
	"terraform":      terraform,
}

// Formats is the names of the formats, sorted.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// Render is the plans of all routes as one text in that format. Edits of the same document are merged, and what belongs to
// one account stands together. It fails where the plans contradict each other, where a document's owner is not known, and
// where the format cannot say what a document says.
func Render(format string, routes []Route) (string, error) {
	write, ok := formats[format]
	if !ok {
		return "", fmt.Errorf("render plan: no format %q", format)
	}
	p, err := newPlan(routes)
	if err != nil {
		return "", fmt.Errorf("render plan as %s: %w", format, err)
	}
	text, err := write(p)
	if err != nil {
		return "", fmt.Errorf("render plan as %s: %w", format, err)
	}
	return text, nil
}
