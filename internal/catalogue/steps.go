package catalogue

import (
	"slices"
	"strings"

	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// Journal is what commands about incidents of the deployed robot name with --journal.
const Journal = "dynamodb:replimend-incidents"

// Changer says who changed what, as far as CloudTrail's record of it is known; nil: it is not.
func Changer(l settings.Language, c *incident.Call) string {
	switch {
	case c == nil:
		return changerUnknown.say(l)
	case c.Principal == "":
		return changedBySomebody.say(l, c.Event, Moment(l, c.At))
	}
	return changedBy.say(l, c.Principal, c.Event, Moment(l, c.At))
}

var (
	changedBy         = in("Changed by %[1]s with %[2]s at %[3]s.", "%[1]s が %[3]s に %[2]s で変更しました。")
	changedBySomebody = in(
		"Changed with %[1]s at %[2]s; who called it is not known.",
		"%[2]s に %[1]s で変更されました。呼び出し元は不明です。",
	)
	changerUnknown = in("Who changed it is not known.", "変更者は不明です。")
)

// Unapproves says whether a message is about a route that nobody approved as it is. Nothing that it may lack is offered then: whoever made
// the route may be waiting for somebody to grant it.
func Unapproves(m incident.Message) bool {
	return m.Headline == incident.HeadUnapprovedRule || m.Headline == incident.HeadChangedRule ||
		slices.Contains(m.Causes, Unapproved) || slices.Contains(m.Rules, ApprovedRoute)
}

// Steps is what a person can do next about what a message says: decide, undo, silence, look. Commands are those of the command line.
func Steps(l settings.Language, m incident.Message) []string {
	var out []string
	add := func(t text, values ...any) { out = append(out, t.say(l, values...)) }
	about := func(t text, values ...any) { // the incident, where the message is of one
		if m.Incident != "" {
			add(t, append([]any{m.Incident}, values...)...)
		}
	}
	source := shell(m.Route.Source)
	switch {
	case m.Headline == incident.HeadSilenceEnded:
		add(stepLikeOthers)
	case Unapproves(m):
		add(stepAskMaker)
		add(stepDeleteRule, m.Route.Rule, m.Route.Source)
		add(stepAdopt, source)
		return out
	case m.Headline == incident.HeadOnPurpose && m.Breaking != nil && m.Breaking.Principal != "":
		add(stepAskBreaker, m.Breaking.Principal)
	case m.Outcome == incident.AwaitingApproval:
		about(stepApprove)
		about(stepReject)
		add(stepNothing)
	case m.Outcome == incident.Declined:
		about(stepTakeBack)
	case m.Outcome == incident.Applied:
		add(stepReplay)
	case m.Outcome == incident.Refused && slices.Contains(m.Rules, RemovedAgain):
		add(stepCode)
		add(stepPrint, source)
	case m.Outcome == incident.Refused:
		add(stepByHand)
	case m.Headline == incident.HeadRecalled:
		add(stepAgreed)
	case m.Outcome == incident.Manual || m.Outcome == incident.Escalated:
		add(stepLook)
		about(stepShow, Journal)
	}
	if len(m.Undo) > 0 {
		about(stepUndo)
	}
	if !m.Over() && m.Outcome != incident.Open && m.Outcome != incident.Proven && m.Headline != incident.HeadSuppressed {
		add(stepSilence, shell(m.Route.Source+"/"+m.Route.Rule), Journal)
	}
	return out
}

var (
	stepApprove = in(
		"To approve: replimend approve %[1]s shows the plan and asks.",
		"承認する: replimend approve %[1]s（計画を表示し、確認を求めます）",
	)
	stepReject = in(
		"To reject: replimend reject %[1]s",
		"却下する: replimend reject %[1]s",
	)
	stepNothing = in(
		"Without an answer nothing is done.",
		"回答がない限り、何も変更しません。",
	)
	stepTakeBack = in(
		"Whoever declined can think again: replimend approve %[1]s",
		"却下した本人は撤回できます: replimend approve %[1]s",
	)
	stepReplay = in(
		"Replay the versions that failed, or write one object under the rule and see it replicate.",
		"失敗したバージョンを再レプリケートするか、ルールの対象となるオブジェクトを 1 つ書き込み、レプリケートされることを確認してください。",
	)
	stepCode = in(
		"What is added is taken out again: add it to the code that the documents are kept as.",
		"追加した内容が再び削除されています。ポリシーを管理しているコードに追加してください。",
	)
	stepPrint = in(
		"For Terraform: replimend plan --live %[1]s --format terraform; other formats are cloudformation, cdk and awscli.",
		"Terraform 用の出力: replimend plan --live %[1]s --format terraform（cloudformation、cdk、awscli も指定できます）",
	)
	stepByHand = in(
		"Make the change by hand after a review, or change in replimend.yaml what the reasons name.",
		"レビューのうえ手動で変更するか、理由に示された replimend.yaml の設定を変更してください。",
	)
	stepLook = in(
		"A person has to look at the causes.",
		"人による原因の確認が必要です。",
	)
	stepShow = in(
		"All that is known: replimend incidents show %[1]s --journal %[2]s",
		"詳細を表示する: replimend incidents show %[1]s --journal %[2]s",
	)
	stepAskBreaker = in(
		"Ask %[1]s whether the route may replicate. Replimend does not mend it while that change is recent.",
		"この経路のレプリケーションを再開してよいか、%[1]s に確認してください。変更から間もないうちは、Replimend は修正しません。",
	)
	stepAskMaker = in(
		"Ask whoever made the rule what it is for.",
		"ルールの作成者に目的を確認してください。",
	)
	stepDeleteRule = in(
		"When nobody answers for it, delete rule %[1]s of bucket %[2]s: S3 copies as long as it is there, also when who made it has lost access.",
		"責任者がいない場合は、バケット %[2]s のルール %[1]s を削除してください。作成者がアクセス権を失っていても、ルールがある限り S3 はコピーを続けます。",
	)
	stepAdopt = in(
		"When it is meant to be, pin it with replimend routes adopt %[1]s, and have the entry reviewed.",
		"意図したものであれば、replimend routes adopt %[1]s で承認済みの経路として記録し、その内容のレビューを受けてください。",
	)
	stepAgreed = in(
		"The next failure is looked at like any other, but a person has to agree to the next cure.",
		"次に失敗が発生した場合も通常どおり調査しますが、次の修正には人の承認が必要です。",
	)
	stepLikeOthers = in(
		"From now on the route is treated like any other.",
		"今後、この経路はほかの経路と同じように扱われます。",
	)
	stepUndo = in(
		"To undo: replimend recall %[1]s shows what would be taken back and asks.",
		"元に戻す: replimend recall %[1]s（取り消す内容を表示し、確認を求めます）",
	)
	stepSilence = in(
		"To silence: replimend suppressions add %[1]s --for 48h --reason WHY --journal %[2]s",
		"抑制する: replimend suppressions add %[1]s --for 48h --reason 理由 --journal %[2]s",
	)
)

// shell is a word of a command line. Whoever writes a replication rule chooses its ID, and somebody else pastes it.
func shell(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-"
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
