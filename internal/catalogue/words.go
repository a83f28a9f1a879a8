package catalogue

import (
	"github.com/replimend/replimend/internal/incident"
	"github.com/replimend/replimend/internal/settings"
)

// find is the text of a table under a key.
func find[K comparable](table map[K]text, l settings.Language, key K) (string, bool) {
	t, ok := table[key]
	if !ok {
		return "", false
	}
	return t.say(l), true
}

// Headline is what happened, in a few words. False: there is no such headline.
func Headline(l settings.Language, h incident.Headline) (string, bool) { return find(headlines, l, h) }

// In English a headline is the one that titles begin with everywhere else.
var headlines = map[incident.Headline]text{
	incident.HeadNotReplicated:  in("not replicated, and for a person to mend", "未レプリケート（人による対応が必要）"),
	incident.HeadDegraded:       in("replicated, but not as it should be", "レプリケート済み（設定どおりではない）"),
	incident.HeadUnknown:        in("not known to replicate, and for a person to look at", "レプリケーションの状態不明（人による確認が必要）"),
	incident.HeadOnPurpose:      in("the cure is not to stand: the route was broken on purpose", "意図的に停止された経路のため修正しません"),
	incident.HeadOneMore:        in("broken, and waiting for one more approval", "レプリケーション障害（あと 1 名の承認待ち）"),
	incident.HeadRefused:        in("broken, and not touched", "レプリケーション障害（変更は行っていません）"),
	incident.HeadManual:         in("broken, and for a person to mend", "レプリケーション障害（人による対応が必要）"),
	incident.HeadAwaiting:       in("broken, and waiting for your approval", "レプリケーション障害（承認待ち）"),
	incident.HeadDeclined:       in("broken, and the cure was declined", "レプリケーション障害（修正は却下されました）"),
	incident.HeadApplied:        in("patched, and not proven yet", "修正済み（効果は未確認）"),
	incident.HeadCured:          in("cured", "復旧しました"),
	incident.HeadSuppressed:     in("broken, and silenced", "レプリケーション障害（抑制中）"),
	incident.HeadEscalated:      in("the cure went wrong", "修正に失敗しました"),
	incident.HeadRecalled:       in("the cure was taken back, as somebody asked", "依頼により修正を取り消しました"),
	incident.HeadHealthy:        in("in order again", "正常に戻りました"),
	incident.HeadIgnored:        in("no longer replicated: the rule is gone", "レプリケーション対象外（ルールが削除されました）"),
	incident.HeadOpen:           in("looked at", "調査中"),
	incident.HeadUnapprovedRule: in("replication rule that nobody approved, possible exfiltration", "未承認のレプリケーションルール（データ持ち出しの可能性）"),
	incident.HeadChangedRule: in(
		"replication rule that is not as it was approved, possible exfiltration",
		"承認時と異なるレプリケーションルール（データ持ち出しの可能性）",
	),
	incident.HeadSilenceEnded: in("no longer silenced", "抑制が終了しました"),
}

// Severity is how loudly it is said. False: there is no such severity.
func Severity(l settings.Language, s incident.Severity) (string, bool) { return find(severities, l, s) }

var severities = map[incident.Severity]text{
	incident.Info:     in("info", "情報"),
	incident.Warning:  in("warning", "警告"),
	incident.Critical: in("critical", "重大"),
}

// Outcome is what became of an incident. False: there is no such outcome.
func Outcome(l settings.Language, o incident.Outcome) (string, bool) { return find(outcomes, l, o) }

var outcomes = map[incident.Outcome]text{
	incident.Open:             in("open", "調査中"),
	incident.Ignored:          in("ignored", "対象外"),
	incident.Healthy:          in("healthy", "正常"),
	incident.Refused:          in("refused", "修正を拒否"),
	incident.Manual:           in("manual", "人による対応待ち"),
	incident.AwaitingApproval: in("awaiting approval", "承認待ち"),
	incident.Declined:         in("declined", "却下"),
	incident.Applied:          in("applied", "修正済み"),
	incident.Proven:           in("proven", "効果確認済み"),
	incident.Resolved:         in("resolved", "解決済み"),
	incident.Suppressed:       in("suppressed", "抑制中"),
	incident.Escalated:        in("escalated", "エスカレーション"),
}

// Heading is the heading of a section.
type Heading uint8

// The headings, in the order in which sections are read.
const (
	Why      Heading = iota // the causes, with the evidence
	Who                     // who changed what
	Changed                 // the diff of what was written
	Would                   // the diff of what would be written, and was not
	Planned                 // the diff of a cure that went wrong: how much of it was written is told among what happened
	Code                    // what is to be added to the code that the documents are kept as
	Against                 // what the guard has against the cure
	Next                    // what a person can do: approve, reject, undo, silence
	ByHand                  // what a person has to clear away, as commands
	Undoing                 // who may undo what was changed, and how, document by document
	Happened                // the timeline
)

// Heading is the heading in a language.
func (h Heading) Heading(l settings.Language) string { return headings[h].say(l) }

var headings = [...]text{
	Why:      in("Why", "原因"),
	Who:      in("Who changed what", "変更者と変更内容"),
	Changed:  in("What was changed", "実施した変更"),
	Would:    in("What would be changed (nothing was)", "変更案（何も変更していません）"),
	Planned:  in("The planned change (what was written of it, and undone, is under “What happened”)", "計画した変更（実際の書き込みと取り消しは「経緯」を参照）"),
	Code:     in("For the code that the documents are kept as", "ポリシーを管理するコードへの追加分"),
	Against:  in("What speaks against a cure, or against doing it unasked", "自動で修正しない理由"),
	Next:     in("What you can do", "対応方法"),
	ByHand:   in("To be cleared away by hand", "手動での後片付け"),
	Undoing:  in("Who may undo it, and how", "変更を元に戻せる人と方法"),
	Happened: in("What happened", "経緯"),
}

// Label is the name of a field of a message. False: there is no such field.
func Label(l settings.Language, name string) (string, bool) { return find(labels, l, name) }

// The keys are the names of fields as package remedy has them.
var labels = map[string]text{
	"route":             in("route", "経路"),
	"role":              in("role", "IAM ロール"),
	"replica key":       in("replica key", "レプリカの KMS キー"),
	"approved by":       in("approved by", "承認者"),
	"taken back by":     in("taken back by", "取り消した人"),
	"broken by":         in("broken by", "原因となった変更"),
	"exposure":          in("exposure", "未レプリケートの量"),
	"not in it":         in("not counted", "集計に含まれないもの"),
	"S3's reasons":      in("S3's reasons", "S3 の失敗理由"),
	"first failure":     in("first failure", "最初の失敗"),
	"last failure":      in("last failure", "最後の失敗"),
	"plan":              in("plan", "計画"),
	"verdict":           in("verdict", "判定"),
	"silenced by":       in("silenced by", "抑制した人"),
	"reason":            in("reason", "理由"),
	"cause":             in("cause", "原因"),
	"until":             in("until", "期限"),
	"failures reported": in("failures reported", "報告された失敗"),
	"incident":          in("incident", "インシデント"),
	"outcome":           in("outcome", "状態"),
}

// NotCounted is what an exposure does not know.
func NotCounted(l settings.Language) string { return notCounted.say(l) }

var notCounted = in(
	incident.NotCounted,
	"S3 が通知なしにスキップしたバージョン、処理中のバージョン、イベントがまだ届いていないバージョン",
)

// Route is "source → destination (rule r1)".
func Route(l settings.Language, r incident.Route) string {
	return route.say(l, r.Source, r.Destination, r.Rule)
}

var route = in("%[1]s → %[2]s (rule %[3]s)", "%[1]s → %[2]s（ルール %[3]s）")

// Title is a headline and what it is about.
func Title(l settings.Language, headline, about string) string { return title.say(l, headline, about) }

var title = in("%[1]s: %[2]s", "%[1]s: %[2]s")

// Cut says that a tool had no room for the rest, and how to see it. The ID is the incident's, "" where there is none.
func Cut(l settings.Language, id string) string {
	if id == "" {
		return cut.say(l)
	}
	return cutOf.say(l, id, Journal)
}

// ToPage is what a link to the page of an incident says.
func ToPage(l settings.Language) string { return toPage.say(l) }

// PageCode says beside it what the code is for.
func PageCode(l settings.Language, code string) string { return pageCode.say(l, code) }

var (
	toPage   = in("Look at it, and decide", "詳細の確認と決定")
	pageCode = in(
		"Code to decline or to silence it there, for an hour: %[1]s",
		"リンク先で却下または抑制するためのコード（1 時間有効）: %[1]s",
	)
)

var (
	cut   = in("Cut here for lack of room.", "文字数の制限により省略しました。")
	cutOf = in(
		"Cut here for lack of room: replimend incidents show %[1]s --journal %[2]s shows all of it.",
		"文字数の制限により省略しました。replimend incidents show %[1]s --journal %[2]s で全体を確認できます。",
	)
)
