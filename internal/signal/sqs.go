package signal

import "github.com/replimend/replimend/internal/jsontree"

const fromSQS = "aws:sqs"

// isSQSEvent takes one message from SQS among the records for the sign that all have to be.
func isSQSEvent(n jsontree.Node) bool {
	for _, record := range n.Get("Records").Items {
		if record.Get("eventSource").Text == fromSQS {
			return true
		}
	}
	return false
}

// openSQSEvent opens the event with which Lambda hands over a batch of messages.
// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
func openSQSEvent(root element) (contents, error) {
	records, err := root.records()
	if err != nil {
		return contents{}, err
	}
	var c contents
	for _, record := range records {
		var f fields
		source, body := record.get("eventSource"), record.get("body")
		if from := f.text(source, anything); f.err == nil && from != fromSQS {
			return contents{}, source.errorf("want %s like the other records, found %s", fromSQS, quote(from))
		}
		f.text(body, anything)
		if f.err != nil {
			return contents{}, f.err
		}
		c.texts = append(c.texts, body)
	}
	return c, nil
}
