package signal

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
)

const (
	// MaxMessage bounds the body of one message, in bytes. S3 sends at most 64 KB, which an envelope of SNS may nearly double
	// because it escapes every quote.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
	MaxMessage = 256 << 10
	// MaxEvent bounds a whole event of Lambda, in bytes.
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	MaxEvent = 6 << 20
	// MaxRecords bounds the S3 records of one text, those in its envelopes together. S3 itself sends one in a message.
	MaxRecords = 1000
	// MaxLogRecords bounds the records of a log file of CloudTrail, of which few are of concern.
	MaxLogRecords = 100_000
)

// A source is one way in which events arrive.
type source struct {
	name  string
	limit int
	fits  func(jsontree.Node) bool
	read  func(element) (contents, error)
}

// sources is the table of what Parse reads, from the outside in: what an envelope carries is read by the sources after it, so
// that nesting ends.
var sources = []source{
	{"an SQS event of Lambda", MaxEvent, isSQSEvent, openSQSEvent},
	{"an SNS message", MaxMessage, isSNSMessage, openSNSMessage},
	{"an event of EventBridge", MaxMessage, isEventBridgeEvent, openEventBridgeEvent},
	{"a record of CloudTrail", MaxEvent, isLookupAnswer, openLookupAnswer},
	{"a record of CloudTrail", MaxEvent, isCloudTrailLog, readCloudTrailLog},
	{"a record of CloudTrail", MaxMessage, isServiceEvent, readCloudTrailRecord},
	{"an S3 event", MaxMessage, isS3Event, readS3Event},
	{"a test message of S3", MaxMessage, isS3Test, readS3Test},
}

// contents is what a source found in a text: signals, denials, changes, records of no concern, and texts that are still to be read.
type contents struct {
	signals []Signal
	denials []Denial
	changes []Change
	ignored []string // why, one for each record
	texts   []element
}

// Parse reads an event in any form in which it may be at hand: a whole SQS event of Lambda, the body of a message as
// ParseMessage takes it, or S3's event itself. It returns signals or an error, never both:
//
//   - An error that wraps ErrIgnored when nothing in the event is of concern. Records of no concern beside others are skipped.
//   - Any other error when something in it is malformed, with line, column and element, through the envelopes:
//     "1:13: Records[0].body: 2:5: Records[0].s3.bucket.name: is missing". One bad record refuses all, so that nothing is
//     half read. The text of either error is in ASCII, has at most 600 bytes and holds no
//     object key.
func Parse(raw []byte) ([]Signal, error) { return signalsOf(parse(raw, sources)) }

// ParseMessage reads the body of one message of a queue: an S3 event as it is, which is also what raw message delivery gives,
// or in the envelope of SNS. Errors are those of Parse.
func ParseMessage(body []byte) ([]Signal, error) { return signalsOf(parse(body, sources[1:])) }

// Evidence is everything of concern in an event or a file: what S3 reports, and what CloudTrail recorded.
type Evidence struct {
	Signals []Signal
	Denials []Denial
	Changes []Change
}

// count is how many pieces of evidence there are.
func (e Evidence) count() int { return len(e.Signals) + len(e.Denials) + len(e.Changes) }

// ParseEvidence reads what Parse reads, and records of CloudTrail: one by itself, in the envelope of EventBridge or in a message,
// a log file, or what aws cloudtrail lookup-events prints. Errors are those of Parse; evidence without an error is not empty.
func ParseEvidence(raw []byte) (Evidence, error) { return parse(raw, sources) }

// ParseMessageEvidence reads the body of one message of a queue, as ParseMessage does, for everything of concern. Errors are those
// of Parse.
func ParseMessageEvidence(body []byte) (Evidence, error) { return parse(body, sources[1:]) }

// signalsOf is for those to whom records of CloudTrail are of no concern.
func signalsOf(found Evidence, err error) ([]Signal, error) {
	if err == nil && len(found.Signals) == 0 {
		return nil, fmt.Errorf("%w: denied KMS calls (%d) and changes (%d), which report no failure of an object", ErrIgnored, len(found.Denials), len(found.Changes))
	}
	return found.Signals, err
}

func parse(raw []byte, from []source) (Evidence, error) {
	var p parser
	if err := p.read(raw, "", from); err != nil {
		return Evidence{}, err
	}
	if p.count() > 0 {
		return p.Evidence, nil
	}
	if more := p.ignored - 1; more > 0 {
		return Evidence{}, fmt.Errorf("%w: %s, and %d more", ErrIgnored, p.why, more)
	}
	return Evidence{}, fmt.Errorf("%w: %s", ErrIgnored, p.why)
}

type parser struct {
	Evidence
	ignored int
	why     string // of the first that was ignored
}

// read reads one text; outer is the way to it, for people.
func (p *parser) read(raw []byte, outer string, from []source) error {
	n, err := jsontree.Parse(raw, from[0].limit)
	if err != nil {
		return printable(err)
	}
	root := element{node: n, near: n}
	for i, s := range from {
		if !s.fits(n) {
			continue
		}
		if len(raw) > s.limit {
			return root.errorf("%s has %d bytes, the limit is %d", s.name, len(raw), s.limit)
		}
		c, err := s.read(root)
		if err != nil {
			return err
		}
		return p.take(c, outer, from[i+1:])
	}
	names := make([]string, len(from))
	for i, s := range from {
		names[i] = s.name
	}
	return root.errorf("want %s", strings.Join(slices.Compact(names), " or "))
}

func (p *parser) take(c contents, outer string, inner []source) error {
	for _, why := range c.ignored {
		if p.ignored == 0 {
			p.why = outer + why
		}
		p.ignored++
	}
	p.Signals = append(p.Signals, c.signals...)
	p.Denials = append(p.Denials, c.denials...)
	p.Changes = append(p.Changes, c.changes...)
	if n := p.count() + p.ignored; n > MaxRecords {
		return fmt.Errorf("%d records, the limit is %d", n, MaxRecords)
	}
	for _, t := range c.texts {
		if err := p.read([]byte(t.node.Text), outer+t.path+": ", inner); err != nil {
			return fmt.Errorf("%s: %s: %w", t.node.Pos, t.path, err)
		}
	}
	return nil
}

// printable makes an error about the JSON itself ASCII: its path, which jsontree bounds, consists of member names that anybody
// may have chosen.
func printable(err error) error {
	var syntax *jsontree.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	ascii := func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}
	return &jsontree.SyntaxError{Pos: syntax.Pos, Path: strings.Map(ascii, syntax.Path), Msg: strings.Map(ascii, syntax.Msg)}
}
