package catalogue

import "github.com/replimend/replimend/internal/settings"

// The rules of the guard that messages look for.
const (
	ApprovedRoute = "approved-route" // nobody approved the route as it is
	RemovedAgain  = "removed-again"  // what is added is taken out again
)

// Rule says what a rule of the guard demands, by its name. False: there is no such rule.
func Rule(l settings.Language, name string) (string, bool) { return find(rules, l, name) }

var rules = map[string]text{
	ApprovedRoute: in(
		"The live route must be an approved one, in everything that is pinned.",
		"実際の経路が、固定されたすべての項目で承認済みの経路と一致している必要があります。",
	),
	"look-alike-destination": in(
		"A destination that only looks like an approved one is named as such.",
		"承認済みのレプリケート先に名前が似ているだけのレプリケート先は、その旨を示します。",
	),
	"known-accounts": in(
		"Every account that the route touches must be one of the settings or of the organization.",
		"経路に関わるすべてのアカウントが、設定または組織に含まれている必要があります。",
	),
	"mode": in(
		"In mode observe nothing is written, in mode approve a person is asked, in mode automatic nobody is.",
		"observe モードでは何も書き込まず、approve モードでは人の承認を求め、automatic モードでは承認を求めません。",
	),
	"class": in(
		"A person is asked about a cure that needs approval; one that only people can make is refused.",
		"承認が必要な修正は人に確認し、人にしか行えない修正は拒否します。",
	),
	"boundary-for-automatic": in(
		"The policy of a role is edited without asking only where the role has a permissions boundary.",
		"承認なしにロールのポリシーを編集するのは、ロールにアクセス許可の境界がある場合だけです。",
	),
	"document": in(
		"Only policies of the route's own role, bucket and keys are edited.",
		"編集するのは、その経路自身のロール、バケット、キーのポリシーだけです。",
	),
	"own-resources": in(
		"Nothing that belongs to Replimend is edited, and nothing is granted to it.",
		"Replimend 自身のリソースは編集せず、Replimend に権限を付与することもありません。",
	),
	"aws-managed": in(
		"What AWS manages is not edited.",
		"AWS が管理するものは編集しません。",
	),
	"central-owner": in(
		"What AWS Control Tower or a StackSet owns is not edited.",
		"AWS Control Tower または StackSet が所有するものは編集しません。",
	),
	"stack-owner": in(
		"A person is asked before a document is edited that a CloudFormation stack may write again.",
		"CloudFormation スタックが上書きする可能性のあるポリシーを編集する前に、人に確認します。",
	),
	"live-document": in(
		"An edit starts from the live document, which must have been read.",
		"編集は、読み取り済みの実際のポリシーから始める必要があります。",
	),
	"adds-only": in(
		"An edit keeps every statement and the version, and adds at least one statement.",
		"編集では既存のステートメントとバージョンをすべて残し、少なくとも一つのステートメントを追加します。",
	),
	"stale-principal": in(
		"A document that names a principal which does not exist cannot be written back.",
		"存在しないプリンシパルを指定しているポリシーは、書き戻すことができません。",
	),
	"allow-with-sid": in(
		"An added statement is an Allow with a Sid of its own that starts with Replimend.",
		"追加するステートメントは、Replimend で始まる固有の Sid を持つ Allow に限ります。",
	),
	"exact-principal": in(
		"A grant names exactly the role of the route, and a trust policy exactly the services of replication.",
		"許可の対象は経路のロールだけ、信頼ポリシーの対象はレプリケーションのサービスだけに限ります。",
	),
	"exact-action": in(
		"A grant lists only actions that the route replicates with, without wildcards.",
		"許可するのは経路のレプリケーションに必要なアクションだけで、ワイルドカードは使いません。",
	),
	"exact-resource": in(
		"A grant lists only the route's own buckets and keys, each with the actions that belong to it.",
		"許可の対象リソースは経路自身のバケットとキーだけで、それぞれに対応するアクションに限ります。",
	),
	"pinned-condition": in(
		"A grant on a key holds only through S3 and for the key's own bucket, and no condition is wider than the route.",
		"キーに対する許可は S3 経由かつそのキーのバケットに限られ、条件が経路の範囲より広くなることはありません。",
	),
	"listed-adds": in(
		"An edit lists exactly the permissions that it grants.",
		"編集には、付与するアクセス許可が過不足なく列挙されている必要があります。",
	),
	"document-size": in(
		"No document grows beyond what AWS stores.",
		"ポリシーのサイズが AWS の上限を超えることはできません。",
	),
	"character-set": in(
		"The policies of a role hold only characters that IAM takes.",
		"ロールのポリシーに使えるのは、IAM で使用できる文字だけです。",
	),
	"role-trust": in(
		"A trust policy is edited only where the route opts in, and never without asking.",
		"信頼ポリシーを編集するのは、経路の設定で許可されている場合だけで、必ず承認を求めます。",
	),
	"trust-admits-others": in(
		"Nothing is automatic for a role that others than S3 may assume.",
		"S3 以外も引き受けられるロールには、自動での変更を行いません。",
	),
	"proof": in(
		"The plan must be proven to leave the route better off, and not broken.",
		"計画によって経路が改善し、機能することが証明されている必要があります。",
	),
	"protected-change": in(
		"What a protected principal changed of late is reported, not changed back.",
		"保護対象のプリンシパルが最近行った変更は、報告するだけで元に戻しません。",
	),
	RemovedAgain: in(
		"A document from which statements of Replimend are taken out again and again is left to people.",
		"Replimend のステートメントが繰り返し削除されるポリシーは、人の対応に委ねます。",
	),
	"rate-limit": in(
		"A route and an account get only so many patches an hour.",
		"経路とアカウントごとに、1 時間あたりの修正回数には上限があります。",
	),
	"recalled": in(
		"After somebody had a cure taken back, a person is asked before the next one.",
		"修正を取り消した人がいる場合、次の修正の前に人の承認を求めます。",
	),
	"circuit-breaker": in(
		"After failed cures a route is left to people.",
		"修正に続けて失敗した経路は、人の対応に委ねます。",
	),
	"kill-switch": in(
		"Nothing is written where the kill switch is thrown.",
		"キルスイッチが入っている範囲には、何も書き込みません。",
	),
}
