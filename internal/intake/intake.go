// Package intake reads a batch of messages from a queue: what they report, folded, and which of them must go back.
//
// It stands between functions/failure, which knows the event types of Lambda, and signal, which knows one message. It decides
// nothing about what is reported and hands nothing over.
package intake

import (
	"errors"

	"github.com/replimend/replimend/internal/signal"
)

// Message is one message of a queue.
type Message struct{ MessageID, Body string }

// Note is why a message gave no signals. The reason is fit for a log, as package signal promises of its errors.
type Note struct{ MessageID, Reason string }

// Report is what one message says.
type Report struct {
	MessageID string
	Signals   []signal.Signal
}

// Batch is what became of the messages. Notes are in the order of the messages, and two messages of one id have one each.
type Batch struct {
	Reports  []Report // what each message says, in the order of the messages
	Groups   []signal.Group
	Failures []Note // malformed: for the dead-letter queue
	Ignored  []Note // well-formed and of no concern
}

// Read reads each message by itself: a malformed one gives nothing and takes nothing from the others.
func Read(messages []Message) Batch {
	var batch Batch
	var signals []signal.Signal
	for _, m := range messages {
		found, err := signal.ParseMessage([]byte(m.Body))
		switch {
		case errors.Is(err, signal.ErrIgnored):
			batch.Ignored = append(batch.Ignored, Note{m.MessageID, err.Error()})
		case err != nil:
			batch.Failures = append(batch.Failures, Note{m.MessageID, err.Error()})
		default:
			batch.Reports = append(batch.Reports, Report{m.MessageID, found})
			signals = append(signals, found...)
		}
	}
	batch.Groups = signal.Fold(signals)
	return batch
}

// FailedIDs names each message that must go back once.
func (b Batch) FailedIDs() []string {
	var ids []string
	seen := map[string]bool{}
	for _, f := range b.Failures {
		if !seen[f.MessageID] {
			seen[f.MessageID] = true
			ids = append(ids, f.MessageID)
		}
	}
	return ids
}
