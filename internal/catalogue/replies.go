package catalogue

import "github.com/replimend/replimend/internal/settings"

// Reply is what the page says in place of an incident, by its code: a title, and what somebody can do. The values are those that the text
// of the code names, in its order. False: there is no such reply.
func Reply(l settings.Language, code string, values ...any) (title, words string, ok bool) {
	r, ok := replies[code]
	if !ok {
		return "", "", false
	}
	return r.title.say(l), r.words.say(l, values...), true
}

type reply struct{ title, words text }

var replies = map[string]reply{
	// What was decided.
	"approved": {
		in("Approved", "承認しました"),
		in(
			"Your approval of plan %[1]s counts until %[2]s. The plan is carried out if it is still the same when its turn comes.",
			"計画 %[1]s の承認は %[2]s まで有効です。実行時に計画が変わっていなければ実行されます。",
		),
	},
	"approved-one-more": {
		in("Approved, and one more has to", "承認しました（追加の承認が必要です）"),
		in("Your approval of plan %[1]s counts until %[2]s. Still missing: %[3]s", "計画 %[1]s の承認は %[2]s まで有効です。不足: %[3]s"),
	},
	"declined": {
		in("Declined", "却下しました"),
		in(
			"Plan %[1]s is not carried out. Approvers who sign in can still approve it.",
			"計画 %[1]s は実行されません。承認者はサインインして承認し直すことができます。",
		),
	},
	"undo-asked": {
		in("To be undone", "取り消しを受け付けました"),
		in(
			"What was written for the incident is taken back, unless somebody changed it since.",
			"このインシデントで書き込んだ内容を元に戻します。その後に変更されたものは戻しません。",
		),
	},
	"silenced": {
		in("Silenced", "抑制しました"),
		in("Nothing is done or told about the causes of this incident until %[1]s.", "このインシデントの原因については、%[1]s まで対応も通知も行いません。"),
	},
	"signed-out": {
		in("Signed out", "サインアウトしました"),
		in("This browser is signed out of the page.", "このブラウザはこのページからサインアウトしました。"),
	},

	// What was decided before.
	"sent-before": {
		in("Sent before", "送信済みです"),
		in(
			"This form was sent before, and nothing was done again. Kept is: %[1]s of plan %[2]s at %[3]s.",
			"このフォームは送信済みのため、何も行っていません。記録されている回答: %[1]s、計画 %[2]s、%[3]s",
		),
	},
	"silence-sent-before": {
		in("Sent before", "送信済みです"),
		in(
			"This form was sent before, and nothing was done again. The incident shows whether it is silenced.",
			"このフォームは送信済みのため、何も行っていません。抑制中かどうかはインシデントに表示されます。",
		),
	},
	"nothing-kept": {
		in("Sent before, and not kept", "送信済みですが記録されていません"),
		in(
			"This form was sent before, and no answer is kept. Open the incident again and decide anew.",
			"このフォームは送信済みですが、回答は記録されていません。インシデントを開き直して、もう一度決定してください。",
		),
	},
	"used": {
		in("This link was used", "このリンクは使用済みです"),
		in(
			"A link decides once, and this one did. Kept is: %[1]s of plan %[2]s at %[3]s. To decide anew, take the link of a later message.",
			"リンクで決定できるのは 1 回だけです。記録されている回答: %[1]s、計画 %[2]s、%[3]s。もう一度決定するには、後のメッセージのリンクを使ってください。",
		),
	},
	"used-for-nothing": {
		in("This link was used", "このリンクは使用済みです"),
		in(
			"A link decides once, and no answer is kept of this one. Take the link of a later message, or sign in.",
			"リンクで決定できるのは 1 回だけですが、回答は記録されていません。後のメッセージのリンクを使うか、サインインしてください。",
		),
	},

	// Why nothing was decided, or is shown.
	"sign-in": {
		in("Sign in", "サインインしてください"),
		in(
			"This is shown to approvers who signed in. An incident is shown to whoever has the link of a message, too.",
			"サインインした承認者だけに表示されます。インシデントは、メッセージのリンクからも表示できます。",
		),
	},
	"no-sign-in": {
		in("There is nothing to see here", "表示できるものはありません"),
		in(
			"Incidents are shown to whoever has the link of a message. Nobody can sign in here: no provider is set up.",
			"インシデントはメッセージのリンクから表示できます。プロバイダーが未設定のため、サインインはできません。",
		),
	},
	"forged": {
		in("This link is not valid", "このリンクは無効です"),
		in(
			"It was cut short, is of another incident, or its secret was replaced. Open the link of the message again.",
			"リンクが途中で切れているか、別のインシデントのものか、シークレットが交換されています。メッセージのリンクを開き直してください。",
		),
	},
	"expired": {
		in("This link has expired", "このリンクは期限切れです"),
		in(
			"Links are good for an hour. Take the link of a later message, or sign in.",
			"リンクの有効期間は 1 時間です。後のメッセージのリンクを使うか、サインインしてください。",
		),
	},
	"wrong-code": {
		in("This is not the code", "コードが違います"),
		in(
			"Nothing was decided. The code stands beside the link in the message; a few wrong ones and the link takes none any more.",
			"何も決定していません。コードはメッセージのリンクの横にあります。何度も間違えると、そのリンクでは受け付けなくなります。",
		),
	},
	"no-more-codes": {
		in("This link takes no more codes", "このリンクではコードを受け付けません"),
		in(
			"Too many codes were tried. Take the link and the code of a later message, or sign in.",
			"コードの試行回数が上限に達しました。後のメッセージのリンクとコードを使うか、サインインしてください。",
		),
	},
	"sign-in-to-decide": {
		in("Sign in to do that", "サインインが必要です"),
		in(
			"Nothing was decided. A code can decline and silence; to approve and to undo, sign in.",
			"何も決定していません。コードでできるのは却下と抑制だけです。承認と取り消しにはサインインしてください。",
		),
	},
	"session-ended": {
		in("You are not signed in any more", "サインインが終了しています"),
		in("Nothing was decided. Sign in again and decide anew.", "何も決定していません。サインインし直して、もう一度決定してください。"),
	},
	"form": {
		in("This form is not yours", "このフォームは使用できません"),
		in(
			"Nothing was decided. The form is of another session: open the incident again and decide anew.",
			"何も決定していません。別のセッションのフォームです。インシデントを開き直して、もう一度決定してください。",
		),
	},
	"cross-origin": {
		in("This came from another site", "別のサイトから送信されました"),
		in("Nothing was decided. Decide on the page of the incident itself.", "何も決定していません。インシデントのページで決定してください。"),
	},
	"not-a-form": {
		in("This is not a form of the page", "このページのフォームではありません"),
		in("Nothing was decided. Open the incident again and decide anew.", "何も決定していません。インシデントを開き直して、もう一度決定してください。"),
	},
	"too-long": {
		in("This is too long", "長すぎます"),
		in("Nothing was decided. A form has at most %[1]d bytes.", "何も決定していません。フォームは最大 %[1]d バイトです。"),
	},
	"no-such-path": {
		in("There is no such page", "ページがありません"),
		in("The list of incidents is at /incidents.", "インシデントの一覧は /incidents にあります。"),
	},
	"method": {
		in("This is not how it is asked for", "この方法では要求できません"),
		in("Nothing was decided. This path takes %[1]s.", "何も決定していません。このパスが受け付けるのは %[1]s です。"),
	},
	"internal": {
		in("Something went wrong", "エラーが発生しました"),
		in(
			"The log of the function says what. Open the incident again and see what is kept before you decide anew.",
			"詳細は関数のログにあります。もう一度決定する前に、インシデントを開き直して記録を確認してください。",
		),
	},

	// Who signs in.
	"sign-in-failed": {
		in("You could not be signed in", "サインインできませんでした"),
		in("Try it again. The log of the function says why.", "もう一度お試しください。原因は関数のログにあります。"),
	},
	"sign-in-denied": {
		in("You did not sign in", "サインインしていません"),
		in("The provider let nobody in: %[1]s", "プロバイダーがサインインを許可しませんでした: %[1]s"),
	},
	"stranger": {
		in("You are not an approver", "承認者ではありません"),
		in(
			"The provider calls you %[1]s, and nobody among approvals.people of the deployed settings has that as subject.",
			"プロバイダーでの識別子は %[1]s です。デプロイ済みの設定の approvals.people に、この subject を持つ人はいません。",
		),
	},

	"slack-stranger": {
		in("You are not an approver", "承認者ではありません"),
		in(
			"Slack calls you %[1]s, and nobody among approvals.people of the deployed settings has that as slack.",
			"Slack でのメンバー ID は %[1]s です。デプロイ済みの設定の approvals.people に、この slack を持つ人はいません。",
		),
	},

	// What the desk refuses.
	"no-such-incident": {
		in("There is no such incident", "インシデントがありません"),
		in("It may have been over for so long that it is not kept any more.", "終了してから時間が経ち、記録が残っていない可能性があります。"),
	},
	"not-an-approver": {
		in("You are not an approver", "承認者ではありません"),
		in(
			"Nothing was decided. You are not one of approvals.approvers of the deployed settings.",
			"何も決定していません。デプロイ済みの設定の approvals.approvers に含まれていません。",
		),
	},
	"nothing-to-undo": {
		in("There is nothing to undo", "取り消すものはありません"),
		in("Nothing that was written for the incident stands.", "このインシデントで書き込んだ内容は残っていません。"),
	},
	"not-asked": {
		in("Nobody is asked any more", "承認待ちではありません"),
		in("Nothing was decided. The incident shows how far it is by now.", "何も決定していません。現在の状況はインシデントに表示されます。"),
	},
	"other-plan": {
		in("The plan is another one by now", "計画が変わりました"),
		in("Nothing was decided. Look at the new plan before you decide.", "何も決定していません。決定する前に新しい計画を確認してください。"),
	},
	"later-answer": {
		in("You gave a later answer", "後から別の回答をしています"),
		in("It stands, and this one does not.", "後の回答が有効で、今回の回答は無効です。"),
	},
	"over": {
		in("The incident is over", "インシデントは終了しています"),
		in("There is nothing to silence.", "抑制するものはありません。"),
	},
	"time": {
		in("That is too long", "期間が長すぎます"),
		in("Nothing was silenced. A route is silenced for 7 days at most.", "抑制していません。抑制できるのは最長 7 日間です。"),
	},
	"not-handed-over": {
		in("Kept, and not handed over", "記録しましたが、まだ処理されていません"),
		in(
			"The answer is kept, but the worker could not be told. Open the incident again and send it once more, which is safe.",
			"回答は記録しましたが、処理を開始できませんでした。インシデントを開き直して、もう一度送信してください。重複しても問題ありません。",
		),
	},
}
