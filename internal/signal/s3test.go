package signal

import "github.com/replimend/replimend/internal/jsontree"

// isS3Test recognises the message that S3 sends to a new target of notifications. It has no records.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
func isS3Test(n jsontree.Node) bool {
	event := n.Get("Event")
	return event.Kind == jsontree.String && event.Text == "s3:TestEvent"
}

func readS3Test(root element) (contents, error) {
	event := root.get("Event")
	return contents{ignored: []string{event.path + ": " + quote(event.node.Text)}}, nil
}
