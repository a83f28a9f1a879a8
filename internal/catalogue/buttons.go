package catalogue

import (
	"strings"
	"time"

	"github.com/replimend/replimend/internal/settings"
)

// ButtonWords is what is pressed in a chat tool, in the words of the page, and what follows from it.
type ButtonWords struct{ Approve, ApproveText, Decline, Undo, UndoText, Silence, Cancel string }

// Buttons is the texts of buttons in a language.
func Buttons(l settings.Language) ButtonWords {
	p := Page(l)
	return ButtonWords{
		Approve: p.Approve, ApproveText: p.ApproveText, Decline: p.Decline, Undo: p.Undo, UndoText: p.UndoText, Silence: p.Silence,
		Cancel: cancel.say(l),
	}
}

// Short is as much of the hash of a plan as people compare by eye.
func Short(plan string) string {
	hash := strings.TrimPrefix(plan, "sha256:")
	return hash[:min(len(hash), 12)]
}

// ConfirmApprove asks once more before a plan is approved.
func ConfirmApprove(l settings.Language, plan string) string { return confirmApprove.say(l, plan) }

// ConfirmUndo asks once more before what was written for a plan is taken back.
func ConfirmUndo(l settings.Language, plan string) string { return confirmUndo.say(l, plan) }

// Of names an incident and its route in a sentence.
func Of(l settings.Language, id, route string) string { return of.say(l, id, route) }

var (
	cancel         = in("Cancel", "キャンセル")
	confirmApprove = in("Approve plan %[1]s?", "計画 %[1]s を承認しますか?")
	confirmUndo    = in("Take back what was written for plan %[1]s?", "計画 %[1]s で書き込んだ内容を元に戻しますか?")
	of             = in("Incident %[1]s, %[2]s.", "インシデント %[1]s、%[2]s。")
)

// Approved says in a channel who approved a plan, as whom, and who still has to; "": nobody.
func Approved(l settings.Language, who, as, plan, missing string) string {
	if missing != "" {
		return approvedOneMore.say(l, who, as, plan, missing)
	}
	return approved.say(l, who, as, plan)
}

// Declined says who declined a plan.
func Declined(l settings.Language, who, as, plan string) string {
	return declined.say(l, who, as, plan)
}

// UndoAsked says who wants what was written for a plan to be taken back.
func UndoAsked(l settings.Language, who, as, plan string) string {
	return undoAsked.say(l, who, as, plan)
}

// Silenced says who silenced an incident, and until when.
func Silenced(l settings.Language, who, as string, until time.Time) string {
	return silenced.say(l, who, as, Moment(l, until))
}

var (
	approved        = in("%[1]s approved plan %[3]s as %[2]s.", "%[1]s が %[2]s として計画 %[3]s を承認しました。")
	approvedOneMore = in(
		"%[1]s approved plan %[3]s as %[2]s. Still missing: %[4]s",
		"%[1]s が %[2]s として計画 %[3]s を承認しました。不足: %[4]s",
	)
	declined  = in("%[1]s declined plan %[3]s as %[2]s.", "%[1]s が %[2]s として計画 %[3]s を却下しました。")
	undoAsked = in(
		"%[1]s wants what was written for plan %[3]s to be taken back, as %[2]s.",
		"%[1]s が %[2]s として、計画 %[3]s で書き込んだ内容の取り消しを依頼しました。",
	)
	silenced = in(
		"%[1]s silenced the causes of this incident until %[3]s, as %[2]s.",
		"%[1]s が %[2]s として、このインシデントの原因を %[3]s まで抑制しました。",
	)
)

// Refusal is a reply in a line, for tools that show no pages. False: there is no such reply.
func Refusal(l settings.Language, code string, values ...any) (string, bool) {
	title, words, ok := Reply(l, code, values...)
	return refusal.say(l, title, words), ok
}

var refusal = in("%[1]s. %[2]s", "%[1]s。%[2]s")
