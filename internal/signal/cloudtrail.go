package signal

import (
	"fmt"
	"strings"

	"github.com/replimend/replimend/internal/jsontree"
)

// A record of CloudTrail comes by itself, in the envelope of EventBridge, in a log file, or as text in the answer of LookupEvents.
// All of them are read for denied KMS calls and for changes alone.

// isServiceEvent says whether a record comes from a service as CloudTrail names them, "kms.amazonaws.com". Events of S3 and
// of Lambda say "aws:s3".
func isServiceEvent(n jsontree.Node) bool {
	source := n.Get("eventSource")
	return source.Kind == jsontree.String && strings.HasSuffix(source.Text, ".amazonaws.com")
}

func readCloudTrailRecord(record element) (contents, error) { return readRecords([]element{record}) }

// isCloudTrailLog looks at the first record: a file holds records of one kind.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
func isCloudTrailLog(n jsontree.Node) bool {
	items := n.Get("Records").Items
	return len(items) > 0 && isServiceEvent(items[0])
}

func readCloudTrailLog(root element) (contents, error) {
	records, err := root.list("Records", MaxLogRecords)
	if err != nil {
		return contents{}, err
	}
	return readRecords(records)
}

// readRecords reads records of which most are of no concern: they count as one.
func readRecords(records []element) (contents, error) {
	var c contents
	why, others := "", 0
	for _, record := range records {
		ignored, err := c.read(record)
		switch {
		case err != nil:
			return contents{}, err
		case ignored == "":
		case why == "":
			why = ignored
		default:
			others++
		}
	}
	if others > 0 {
		why += fmt.Sprintf(", and %d more in this file", others)
	}
	if why != "" {
		c.ignored = []string{why}
	}
	return c, nil
}

// read adds what a record tells, or says why it is of no concern.
func (c *contents) read(record element) (ignored string, err error) {
	if point, ok := isChange(record); ok {
		made, ignored, err := readChange(record, point)
		if ignored == "" && err == nil {
			c.changes = append(c.changes, made)
		}
		return ignored, err
	}
	d, ignored, err := readDenial(record)
	if ignored == "" && err == nil {
		c.denials = append(c.denials, d)
	}
	return ignored, err
}

func isEventBridgeEvent(n jsontree.Node) bool { return n.Get("detail-type").Kind == jsontree.String }

// openEventBridgeEvent opens the envelope of EventBridge. Of what it carries only what CloudTrail records is of
// concern, calls and what a service does by itself, such as deleting a key: replication events do not come this way.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventBridge.html
func openEventBridgeEvent(root element) (contents, error) {
	kind, detail := root.get("detail-type"), root.get("detail")
	if kind.node.Text != "AWS API Call via CloudTrail" && kind.node.Text != "AWS Service Event via CloudTrail" {
		return contents{ignored: []string{kind.path + ": " + quote(kind.node.Text)}}, nil
	}
	if detail.node.Kind != jsontree.Object {
		return contents{}, detail.errorf("want an object, found %s", detail.node.Kind)
	}
	return readRecords([]element{detail})
}

func isLookupAnswer(n jsontree.Node) bool { return n.Get("Events").Kind == jsontree.Array }

// openLookupAnswer opens what aws cloudtrail lookup-events prints: each event holds its record as text.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
func openLookupAnswer(root element) (contents, error) {
	events, err := root.list("Events", MaxRecords)
	if err != nil {
		return contents{}, err
	}
	if len(events) == 0 {
		return contents{ignored: []string{"Events is empty"}}, nil
	}
	var c contents
	for _, event := range events {
		var f fields
		record := event.get("CloudTrailEvent")
		f.text(record, anything)
		if f.err != nil {
			return contents{}, f.err
		}
		c.texts = append(c.texts, record)
	}
	return c, nil
}
