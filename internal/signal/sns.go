package signal

import "github.com/replimend/replimend/internal/jsontree"

func isSNSMessage(n jsontree.Node) bool {
	return n.Get("Type").Kind == jsontree.String && !n.Get("Records").Present()
}

// openSNSMessage opens the envelope that SNS puts around a message unless raw message delivery is on. Its signature is not
// checked: who may send to the queue is the queue policy's affair, and what is inside is untrusted all the same.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
func openSNSMessage(root element) (contents, error) {
	kind := root.get("Type")
	switch kind.node.Text {
	case "Notification":
		message := root.get("Message")
		var f fields
		f.text(message, anything)
		return contents{texts: []element{message}}, f.err
	case "SubscriptionConfirmation", "UnsubscribeConfirmation":
		return contents{ignored: []string{kind.path + ": " + quote(kind.node.Text)}}, nil
	}
	return contents{}, kind.errorf("want Notification, found %s", quote(kind.node.Text))
}
