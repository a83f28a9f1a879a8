// Package intake reads a batch of messages from a queue: what they report, folded, or what CloudTrail recorded, and which of them
// must go back.
//
// It stands between the functions, which know the event types of Lambda, and signal, which knows one message. It decides
// nothing about what is reported and hands nothing over.
package intake

import (
	"errors"

	"github.com/replimend/replimend/internal/signal"
)

// Message is one message of a queue.
type Message struct{ MessageID, Body string }

// Note is why a message gave nothing. The reason is fit for a log, as package signal promises of its errors.
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
	batch.Failures, batch.Ignored = read(messages, signal.ParseMessage, func(id string, found []signal.Signal) {
		batch.Reports = append(batch.Reports, Report{id, found})
		signals = append(signals, found...)
	})
	batch.Groups = signal.Fold(signals)
	return batch
}

// Record is what one message holds of everything that is of concern.
type Record struct {
	MessageID string
	signal.Evidence
}

// Records is what became of messages that are read for everything of concern. Notes are those of a Batch.
type Records struct {
	Records  []Record // in the order of the messages
	Failures []Note   // malformed: for the dead-letter queue
	Ignored  []Note   // well-formed and of no concern
}

// ReadRecords reads each message by itself, as Read does, and takes what CloudTrail recorded as well.
func ReadRecords(messages []Message) Records {
	var out Records
	out.Failures, out.Ignored = read(messages, signal.ParseMessageEvidence, func(id string, found signal.Evidence) {
		out.Records = append(out.Records, Record{id, found})
	})
	return out
}

func read[T any](messages []Message, parse func([]byte) (T, error), keep func(id string, found T)) (failures, ignored []Note) {
	for _, m := range messages {
		found, err := parse([]byte(m.Body))
		switch {
		case errors.Is(err, signal.ErrIgnored):
			ignored = append(ignored, Note{m.MessageID, err.Error()})
		case err != nil:
			failures = append(failures, Note{m.MessageID, err.Error()})
		default:
			keep(m.MessageID, found)
		}
	}
	return failures, ignored
}

// FailedIDs names each message that must go back once.
func (b Batch) FailedIDs() []string { return idsOf(b.Failures) }

// FailedIDs names each message that must go back once.
func (r Records) FailedIDs() []string { return idsOf(r.Failures) }

func idsOf(notes []Note) []string {
	var ids []string
	seen := map[string]bool{}
	for _, f := range notes {
		if !seen[f.MessageID] {
			seen[f.MessageID] = true
			ids = append(ids, f.MessageID)
		}
	}
	return ids
}
