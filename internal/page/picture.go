package page

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/replimend/replimend/internal/catalogue"
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/policy"
)

// The picture stands upright, because a phone does: objects come in at the top and replicas arrive at the bottom. Its units are those of
// a phone's width, so that its texts are as large there as the others.
const (
	width     = 360
	nodeHigh  = 54
	nodeWide  = 160
	leftX     = 14
	rightX    = width - leftX - nodeWide
	middleX   = (width - nodeWide) / 2
	roleX     = 60
	roleWide  = width - 2*roleX
	lineHigh  = 22 // of a hop beside its arrow
	arrowRoom = 30 // of an arrow without hops
	labelHigh = 30
)

// picture is a route as SVG.
type picture struct {
	ID           string // of its elements
	Caption      string
	Verdict      string
	Tone         string
	At           moment
	Title, About string
	High         int
	Boxes        []box
	Nodes        []node
	Arrows       []arrow
	Width        int
}

// box is everything of one account.
type box struct {
	Y, High, LabelY int
	Label           string
}

// node is a bucket, a key or the role.
type node struct {
	X, Y, Wide, High, TextX int
	Kind                    string // "bucket", "key" or "role"
	Name, Full, About       string
	Marks                   []mark
}

// arrow is how data goes from one node to the next, with the hops that it takes.
type arrow struct {
	X, From, To, Middle int
	Head                string // points of the head
	Tone                string
	Marks               []mark
}

// mark is one hop: a shape, a color and a name, each of which says alone how it is.
type mark struct {
	X, Y, TextX, TextY int
	Name, Verdict      string
	Tone               string // "good", "bad" or "unknown"
}

// Of the hops, where each is drawn.
const (
	atRole = iota
	fromBucket
	fromKey
	toBucket
	toKey
)

var places = map[string]int{
	"assume-role": atRole, "read-config": fromBucket, "read-object": fromBucket, "decrypt-source": fromKey,
	"write-replica": toBucket, "own-replica": toBucket, "write-tags": toBucket, "write-delete-marker": toBucket, "lock-replica": toBucket,
	"encrypt-replica": toKey,
}

// picture draws a look.
func (f frame) picture(id, caption string, l *incident.Look, r incident.Route) picture {
	p := picture{ID: id, Caption: caption, At: f.moment(l.At), Verdict: f.worded(catalogue.Verdict, l.Verdict), Tone: "unknown", Width: width}
	switch l.Verdict {
	case "healthy":
		p.Tone = "good"
	case "broken":
		p.Tone = "bad"
	case "degraded", "conditional":
		p.Tone = "warn"
	case "":
		p.Verdict = f.Words.NotJudged
	}
	p.Title = catalogue.PictureOf(f.Language, f.say(catalogue.Route(f.Language, r)), p.Verdict)
	var hops [5][]incident.Hop
	var about []string
	for _, h := range l.Hops {
		where, drawn := places[h.Name]
		if !drawn {
			where = toBucket
		}
		hops[where] = append(hops[where], h)
		about = append(about, f.say(h.Name)+": "+f.hopWord(h.Verdict))
	}
	p.About = strings.Join(about, "; ")

	sourceKey, replicaKey := "", l.ReplicaKey
	if len(l.SourceKeys) > 0 {
		sourceKey = l.SourceKeys[0]
	}
	one := l.Source.Account != "" && l.Source.Account == l.Destination.Account

	// The upper half: the source, its key and the role.
	y := labelHigh + 4
	x := leftX
	if sourceKey == "" {
		x = middleX
	}
	p.bucket(f, x, y, l.Source, f.Words.SourceAt)
	if sourceKey != "" {
		p.key(f, rightX, y, sourceKey, l.Source.Account, len(l.SourceKeys)-1)
	}
	y += nodeHigh
	gap := arrowRoom + lineHigh*max(len(hops[fromBucket]), len(hops[fromKey]))
	p.arrow(f, x, y, y+gap, hops[fromBucket], sourceKey == "")
	if sourceKey != "" {
		p.arrow(f, rightX, y, y+gap, hops[fromKey], false)
	}
	y += gap
	y += p.role(f, y, l.Role, l.Source.Account, hops[atRole])
	upper := y + 10

	// The lower half: the destination and the key of the replicas.
	x = leftX
	if replicaKey == "" {
		x = middleX
	}
	gap = arrowRoom + lineHigh*max(len(hops[toBucket]), len(hops[toKey])) + 14
	p.arrow(f, x, y, y+gap, hops[toBucket], replicaKey == "")
	if replicaKey != "" {
		p.arrow(f, rightX, y, y+gap, hops[toKey], false)
	}
	y += gap
	lower := y - 10
	p.bucket(f, x, y, l.Destination, f.Words.TargetAt)
	if replicaKey != "" {
		p.key(f, rightX, y, replicaKey, l.Destination.Account, 0)
	}
	y += nodeHigh
	if one {
		p.Boxes = []box{{Y: 4, High: y + 6, LabelY: 24, Label: f.account(l.Source.Account)}}
		p.High = y + 14
		return p
	}
	p.Boxes = []box{
		{Y: 4, High: upper - 4, LabelY: 24, Label: f.account(l.Source.Account)},
		{Y: lower, High: y + labelHigh - lower, LabelY: y + labelHigh - 10, Label: f.account(l.Destination.Account)},
	}
	p.High = y + labelHigh + 4
	return p
}

func (f frame) account(id string) string {
	return f.Words.Account + " " + cmp.Or(f.say(id), f.Words.AccountUnknown)
}

func (f frame) hopWord(verdict string) string {
	switch verdict {
	case "allowed":
		return f.Words.Allowed
	case "denied":
		return f.Words.Denied
	}
	return f.Words.NotKnown
}

func hopTone(verdict string) string {
	switch verdict {
	case "allowed":
		return "good"
	case "denied":
		return "bad"
	}
	return "unknown"
}

func (p *picture) bucket(f frame, x, y int, b incident.Place, what string) {
	about := what
	if b.Region != "" {
		about += " · " + f.say(b.Region)
	}
	p.Nodes = append(p.Nodes, node{
		X: x, Y: y, Wide: nodeWide, High: nodeHigh, TextX: x + 34, Kind: "bucket",
		Name: middle(f.say(b.Bucket), 17), Full: f.say(b.Bucket), About: middle(about, 20),
	})
}

// key is a KMS key, by its id. Of several the first is named.
func (p *picture) key(f frame, x, y int, arn, account string, more int) {
	name, about := arn, f.Words.Key
	if a, err := policy.ParseARN(arn); err == nil {
		name = strings.TrimPrefix(a.Resource, "key/")
		if a.Account != account {
			about = f.account(a.Account)
		}
	}
	if more > 0 {
		about += fmt.Sprintf(" (+%d)", more)
	}
	p.Nodes = append(p.Nodes, node{
		X: x, Y: y, Wide: nodeWide, High: nodeHigh, TextX: x + 34, Kind: "key",
		Name: middle(f.say(name), 16), Full: f.say(arn), About: middle(about, 20),
	})
}

// role is the role with the hop that is at it, and gives how high it is.
func (p *picture) role(f frame, y int, arn, account string, hops []incident.Hop) int {
	name, about := arn, f.Words.Role
	if a, err := policy.ParseARN(arn); err == nil && a.Service == "iam" {
		name = a.Name()
		if a.Account != account {
			about += " · " + f.account(a.Account)
		}
	}
	n := node{
		X: roleX, Y: y, Wide: roleWide, High: nodeHigh + lineHigh*len(hops), TextX: roleX + 36, Kind: "role",
		Name: middle(f.say(name), 25), Full: f.say(arn), About: middle(about, 32),
	}
	for k, h := range hops {
		n.Marks = append(n.Marks, f.mark(h, roleX+19, y+nodeHigh+lineHigh*k+6))
	}
	p.Nodes = append(p.Nodes, n)
	return n.High
}

// arrow is one beside which its hops stand. That which is in the middle has them at its right as well.
func (p *picture) arrow(f frame, x, from, to int, hops []incident.Hop, centered bool) {
	at := x + 24
	if centered {
		at = width / 2
	} else if x == leftX {
		at = roleX + 14 // it must meet the role, and the bucket
	}
	a := arrow{
		X: at, From: from + 2, To: to - 10, Tone: "good", Middle: (from + to - 8) / 2,
		Head: fmt.Sprintf("%d,%d %d,%d %d,%d", at-6, to-11, at+6, to-11, at, to-1),
	}
	if len(hops) == 0 {
		a.Tone = "unknown"
	}
	top := (from+to-8)/2 - lineHigh*(len(hops)-1)/2
	for n, h := range hops {
		m := f.mark(h, at+22, top+lineHigh*n)
		if m.Tone == "bad" || m.Tone == "unknown" && a.Tone == "good" {
			a.Tone = m.Tone
		}
		a.Marks = append(a.Marks, m)
	}
	p.Arrows = append(p.Arrows, a)
}

func (f frame) mark(h incident.Hop, x, y int) mark {
	return mark{
		X: x, Y: y, TextX: x + 13, TextY: y + 5,
		Name: middle(f.say(h.Name), 19), Verdict: f.hopWord(h.Verdict), Tone: hopTone(h.Verdict),
	}
}

// middle is a text of at most that many characters, the middle of which is left out: names differ at their ends.
func middle(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	r := []rune(s)
	head := most / 2
	return string(r[:head]) + "…" + string(r[len(r)-(most-1-head):])
}
