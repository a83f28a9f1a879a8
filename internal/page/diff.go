package page

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/patch"
	"github.com/replimend/replimend/internal/policy"
	"github.com/replimend/replimend/internal/snapshot"
)

// diff is one document, before and after.
type diff struct {
	Document, State string
	New, Gone       bool // whether there is no document before, or after
	Rows            []pair
	// Rest is what of a text could not be read as a diff.
	Rest []string
}

// pair is a line before and its line after.
type pair struct {
	// Kind is "same", "changed", "removed", "added" or "gap".
	Kind        string
	Left, Right side
}

// side is a line; Number is empty where there is none.
type side struct{ Number, Text string }

// diffs is what was written for the incident, or what would be.
func (f frame) diffs(i incident.Incident) []diff {
	var out []diff
	for _, c := range i.Changes {
		value := func(d *policy.Document) snapshot.Value[policy.Document] {
			if d == nil {
				return snapshot.None[policy.Document]()
			}
			return snapshot.Of(*d)
		}
		e := patch.Edit{
			// On one line: it is the head of a diff.
			Document: snapshot.Ref{Kind: snapshot.Kind(plain(c.Kind)), ID: plain(c.ID), Name: plain(c.Name)}, Account: c.Account,
			Before: value(c.Before), After: value(c.After),
		}
		for _, d := range f.parse(e.Diff()) {
			d.State = f.worded(catalogue.Change, string(c.State))
			out = append(out, d)
		}
	}
	return out
}

// nothing is what a diff has in place of a document that does not exist.
const nothing = "/dev/null"

// parse reads unified diffs, one after the other.
// https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
func (f frame) parse(text string) []diff {
	var out []diff
	var from string
	var removed, added []side
	left, right := 0, 0         // the numbers of the next lines
	leftEnd, rightEnd := -1, -1 // where the hunk ends
	flush := func() {
		if len(out) == 0 {
			return
		}
		d := &out[len(out)-1]
		for n := range max(len(removed), len(added)) {
			p := pair{Kind: "changed"}
			if n < len(removed) {
				p.Left = removed[n]
			} else {
				p.Kind = "added"
			}
			if n < len(added) {
				p.Right = added[n]
			} else {
				p.Kind = "removed"
			}
			d.Rows = append(d.Rows, p)
		}
		removed, added = nil, nil
	}
	for l := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		inside := left < leftEnd || right < rightEnd
		switch {
		case inside && strings.HasPrefix(l, "-"):
			removed = append(removed, f.side(left, l))
			left++
		case inside && strings.HasPrefix(l, "+"):
			added = append(added, f.side(right, l))
			right++
		case inside && strings.HasPrefix(l, " "):
			flush()
			out[len(out)-1].Rows = append(out[len(out)-1].Rows, pair{"same", f.side(left, l), f.side(right, l)})
			left++
			right++
		case strings.HasPrefix(l, `\`): // there is no newline at the end
		case strings.HasPrefix(l, "--- "):
			flush()
			from = strings.TrimPrefix(l, "--- ")
		case strings.HasPrefix(l, "+++ "):
			name := strings.TrimPrefix(l, "+++ ")
			d := diff{Document: f.say(name), New: from == nothing, Gone: name == nothing}
			if d.Gone {
				d.Document = f.say(from)
			}
			out = append(out, d)
		case strings.HasPrefix(l, "@@ ") && len(out) > 0:
			flush()
			var a, b, n, m int
			if a, n, b, m = hunk(l); a < 0 {
				continue
			}
			d := &out[len(out)-1]
			if len(d.Rows) > 0 || a > 1 {
				d.Rows = append(d.Rows, pair{Kind: "gap"})
			}
			left, right, leftEnd, rightEnd = a, b, a+n, b+m
		default:
			flush()
			if len(out) == 0 {
				out = append(out, diff{})
			}
			if l != "" {
				out[len(out)-1].Rest = append(out[len(out)-1].Rest, f.say(l))
			}
		}
	}
	flush()
	return out
}

func (f frame) side(number int, line string) side { return side{strconv.Itoa(number), f.say(line[1:])} }

// hunk reads "@@ -1,3 +1,9 @@": where both sides begin and how many lines they have; -1 where it is none.
func hunk(line string) (a, n, b, m int) {
	words := strings.Fields(line)
	if len(words) < 3 {
		return -1, 0, 0, 0
	}
	read := func(word, sign string) (int, int, error) {
		rest, ok := strings.CutPrefix(word, sign)
		if !ok {
			return 0, 0, fmt.Errorf("no %s", sign)
		}
		from, count, several := strings.Cut(rest, ",")
		start, err := strconv.Atoi(from)
		if err != nil || !several {
			return start, 1, err
		}
		lines, err := strconv.Atoi(count)
		return start, lines, err
	}
	a, n, err := read(words[1], "-")
	if err != nil {
		return -1, 0, 0, 0
	}
	if b, m, err = read(words[2], "+"); err != nil {
		return -1, 0, 0, 0
	}
	return a, n, b, m
}
