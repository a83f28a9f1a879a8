package catalogue

import "github.com/replimend/replimend/internal/settings"

// PageWords is the texts of a page that stand on it whatever it is about.
type PageWords struct {
	// Around everything.
	Skip, Home, SignIn, SignedIn, SignOut, Back string
	// Of the list.
	Incidents, Routes, NoIncidents, NoRoutes, NothingOpen, Opened, Mode, ListCut string
	// Of the picture.
	Picture, WasSo, IsSo, Allowed, Denied, NotKnown                string
	Account, AccountUnknown, Bucket, Key, Role, SourceAt, TargetAt string
	NoPicture, NotJudged, LeftOut                                  string
	// Of the table of hops.
	Hops, Hop, Verdict, DecidedBy string
	// Of the diffs.
	Before, After, NoDocument, Line, Removed, Added string
	// Of what is known besides.
	Facts, Exposure, Approver, People, Replay, Canary, Plan, Approved string
	// Of the decisions.
	Decide, Approve, ApproveText, Decline, DeclineText, Undo, UndoText, Silence, SilenceText string
	Code, CodeText, Reason, Hours, Nothing                                                   string
}

// Page is the texts of a page in a language.
func Page(l settings.Language) PageWords {
	say := func(t text) string { return t.say(l) }
	return PageWords{
		Skip:     say(in("Skip to the content", "本文へ移動")),
		Home:     say(in("Incidents and routes", "インシデントと経路の一覧")),
		SignIn:   say(in("Sign in", "サインイン")),
		SignedIn: say(in("Signed in as", "サインイン中:")),
		SignOut:  say(in("Sign out", "サインアウト")),

		Incidents:   say(in("Incidents", "インシデント")),
		Routes:      say(in("Approved routes", "承認済みの経路")),
		NoIncidents: say(in("No incident is known.", "インシデントはありません。")),
		NoRoutes:    say(in("No route is approved.", "承認済みの経路はありません。")),
		NothingOpen: say(in("no open incident", "未解決のインシデントなし")),
		Opened:      say(in("opened", "検知")),
		Mode:        say(in("mode", "モード")),
		ListCut:     say(in("There are more incidents than are listed here.", "ここに表示されていないインシデントがあります。")),

		Picture:        say(in("The route", "レプリケーションの経路")),
		WasSo:          say(in("As it was when it was judged", "判定時の状態")),
		IsSo:           say(in("Afterwards", "その後の状態")),
		Allowed:        say(in("allowed", "許可")),
		Denied:         say(in("denied", "拒否")),
		NotKnown:       say(in("not known", "不明")),
		Account:        say(in("Account", "アカウント")),
		AccountUnknown: say(in("not known", "不明")),
		Bucket:         say(in("bucket", "バケット")),
		Key:            say(in("KMS key", "KMS キー")),
		Role:           say(in("IAM role", "IAM ロール")),
		SourceAt:       say(in("source", "レプリケート元")),
		TargetAt:       say(in("destination", "レプリケート先")),
		NoPicture:      say(in("The route was not looked at yet.", "経路はまだ調査されていません。")),
		NotJudged:      say(in("Whether the rule works was not judged, because nobody approved it as it is.", "承認されていないルールのため、動作するかどうかは判定していません。")),
		LeftOut:        say(in("Further evidence was left out for lack of room.", "容量の制限により、一部の証拠を省略しました。")),
		Hops:           say(in("What S3 does, step by step", "S3 の処理と判定")),
		Hop:            say(in("Step", "処理")),
		Verdict:        say(in("Verdict", "判定")),
		DecidedBy:      say(in("Decided by", "判定の根拠")),

		Before:     say(in("Before", "変更前")),
		After:      say(in("After", "変更後")),
		NoDocument: say(in("no document", "ポリシーなし")),
		Line:       say(in("Line", "行")),
		Removed:    say(in("removed", "削除")),
		Added:      say(in("added", "追加")),

		Facts:    say(in("Facts", "詳細")),
		Exposure: say(in("What has no replica (recovery point)", "未レプリケートの量（目標復旧時点への影響）")),
		Approver: say(in("approved by", "承認者")),
		People:   say(in("approvals needed", "必要な承認者数")),
		Replay:   say(in("replay", "再レプリケーション")),
		Canary:   say(in("canary object", "確認用オブジェクト")),
		Plan:     say(in("plan", "計画")),
		Approved: say(in("approved so far by", "承認済みの承認者")),

		Decide:      say(in("Decide", "判断する")),
		Approve:     say(in("Approve", "承認する")),
		ApproveText: say(in("Replimend writes exactly the change above. When a document is no longer as it stands there, nothing is written.", "上記の変更だけを書き込みます。ポリシーが上記と異なっている場合は、何も書き込みません。")),
		Decline:     say(in("Reject", "却下する")),
		DeclineText: say(in("Nothing is written, and nobody is asked about this plan again.", "何も書き込まず、この計画について再び確認することもありません。")),
		Undo:        say(in("Undo", "元に戻す")),
		UndoText:    say(in("Replimend takes out what it wrote. The route fails again, and is left alone.", "書き込んだ内容を取り消します。レプリケーションは再び失敗し、経路はそのまま残されます。")),
		Silence:     say(in("Silence", "抑制する")),
		SilenceText: say(in("For that time nothing is done about the route, and nobody is told.", "指定した時間、この経路には何も行わず、通知もしません。")),
		Code:        say(in("Code from the chat message", "チャットのメッセージに記載されたコード")),
		CodeText:    say(in("The code permits to reject and to silence, and nothing else.", "コードで行えるのは却下と抑制だけです。")),
		Reason:      say(in("Reason", "理由")),
		Hours:       say(in("For how long", "期間")),
		Back:        say(in("Back", "戻る")),
		Nothing:     say(in("Without an answer nothing is done.", "回答がない限り、何も変更しません。")),
	}
}

// For is a time of so many hours.
func For(l settings.Language, hours int) string {
	switch {
	case hours == 1:
		return oneHour.say(l)
	case hours%24 == 0 && hours > 24:
		return days.say(l, hours/24)
	}
	return manyHours.say(l, hours)
}

var (
	oneHour   = in("1 hour", "1 時間")
	manyHours = in("%[1]d hours", "%[1]d 時間")
	days      = in("%[1]d days", "%[1]d 日間")
)

// Verdict is what a route is, by its name in a diagnosis. False: there is no such verdict.
func Verdict(l settings.Language, name string) (string, bool) { return find(verdicts, l, name) }

var verdicts = map[string]text{
	"healthy":     in("healthy", "正常"),
	"degraded":    in("degraded: objects arrive, and something of them is lost or unseen", "機能低下（レプリケートされるが、一部が失われるか確認できない）"),
	"conditional": in("works for some objects, or as far as AWS's documentation agrees", "条件付き（オブジェクトによる、または AWS の記載が一致しない）"),
	"broken":      in("broken", "障害"),
	"unknown":     in("not known: a document could not be read", "不明（読み取れないポリシーあり）"),
}

// Hop is what S3 does in a hop, by its name. False: there is no such hop.
func Hop(l settings.Language, name string) (string, bool) { return find(hops, l, name) }

var hops = map[string]text{
	"assume-role":         in("S3 assumes the role.", "S3 が IAM ロールを引き受けます。"),
	"read-config":         in("S3 reads the replication configuration and lists the source bucket.", "レプリケーション設定を読み取り、レプリケート元バケットを一覧表示します。"),
	"read-object":         in("S3 reads the object in the source bucket.", "レプリケート元バケットのオブジェクトを読み取ります。"),
	"decrypt-source":      in("S3 decrypts the object with the key of the source.", "レプリケート元の KMS キーでオブジェクトを復号します。"),
	"write-replica":       in("S3 writes the replica into the destination bucket.", "レプリケート先バケットにレプリカを書き込みます。"),
	"encrypt-replica":     in("S3 encrypts the replica with the key of the destination.", "レプリカ用の KMS キーで暗号化します。"),
	"own-replica":         in("S3 hands the replica to the owner of the destination bucket.", "レプリカの所有者をレプリケート先バケットの所有者に変更します。"),
	"write-tags":          in("S3 writes the tags of the object.", "オブジェクトのタグを書き込みます。"),
	"write-delete-marker": in("S3 writes delete markers.", "削除マーカーを書き込みます。"),
	"lock-replica":        in("S3 writes the retention and legal hold of the object.", "オブジェクトの保持期間とリーガルホールドを書き込みます。"),
	"get-object":          in("A principal reads an object.", "プリンシパルがオブジェクトを読み取ります。"),
	"decrypt-object":      in("A principal decrypts an object.", "プリンシパルがオブジェクトを復号します。"),
	"put-object":          in("A principal writes an object.", "プリンシパルがオブジェクトを書き込みます。"),
	"encrypt-object":      in("A principal encrypts an object.", "プリンシパルがオブジェクトを暗号化します。"),
}

// Change is how far a change of a document got. False: there is no such state.
func Change(l settings.Language, state string) (string, bool) { return find(changes, l, state) }

var changes = map[string]text{
	"intended":      in("perhaps written", "書き込み中または書き込み済み"),
	"written":       in("written", "書き込み済み"),
	"being undone":  in("perhaps undone", "取り消し中または取り消し済み"),
	"undone":        in("undone", "取り消し済み"),
	"not made":      in("not written", "書き込みなし"),
	"changed since": in("changed since by somebody else, and not undone", "その後ほかの人が変更したため未取り消し"),
}

// Grade is how much a finding matters. False: there is no such grade.
func Grade(l settings.Language, name string) (string, bool) { return find(grades, l, name) }

var grades = map[string]text{
	"fault":   in("fault", "障害の原因"),
	"warning": in("warning", "警告"),
	"advice":  in("advice", "推奨"),
}

// Side is whose document is at fault. False: there is no such side.
func Side(l settings.Language, name string) (string, bool) { return find(sides, l, name) }

var sides = map[string]text{
	"source":      in("source side", "レプリケート元側"),
	"destination": in("destination side", "レプリケート先側"),
	"principal":   in("side of the principal", "プリンシパル側"),
	"resource":    in("side of the resource", "リソース側"),
}

// Decision is what came of a request, by its name in a diagnosis. False: there is no such decision.
func Decision(l settings.Language, name string) (string, bool) { return find(decisions, l, name) }

var decisions = map[string]text{
	"allowed":       in("allowed", "許可"),
	"explicit_deny": in("an explicit Deny", "明示的な拒否"),
	"implicit_deny": in("nothing allows it", "許可するステートメントなし"),
	"unknown":       in("not known", "不明"),
}

// Rehearsed says that a page is of a rehearsal, where there is nothing to decide.
func Rehearsed(l settings.Language) string { return rehearsed.say(l) }

// Copied says that a page is a copy in a file, where there is nothing to decide.
func Copied(l settings.Language) string { return copied.say(l) }

var (
	rehearsed = in("This is a rehearsal in a built-in cloud: there is nothing to decide.", "内蔵クラウドでのリハーサルのため、判断は不要です。")
	copied    = in("This page is a copy and decides nothing.", "このページは写しのため、ここでは判断できません。")
)

// FewAllowed says how many requests of a hop are allowed.
func FewAllowed(l settings.Language, n int) string {
	if n == 1 {
		return oneAllowed.say(l)
	}
	return someAllowed.say(l, n)
}

var (
	oneAllowed  = in("1 request is allowed", "1 件のリクエストを許可")
	someAllowed = in("%[1]d requests are allowed", "%[1]d 件のリクエストを許可")
)

// PictureOf describes a picture in words: what it is of, and what each hop is.
func PictureOf(l settings.Language, route, verdict string) string {
	return pictureOf.say(l, route, verdict)
}

var pictureOf = in("Picture of the route %[1]s: %[2]s", "経路 %[1]s の図: %[2]s")
