package catalogue

import "github.com/replimend/replimend/internal/settings"

// Unapproved is the cause of incidents about replication rules that nobody approved as they are.
const Unapproved = "unapproved-route"

// Cause explains a cause by its name, in one or two sentences: what is so, never what to do about it. False: there is no such cause.
func Cause(l settings.Language, name string) (string, bool) { return find(causes, l, name) }

var causes = map[string]text{
	Unapproved: in(
		"Nobody approved this replication rule as it is. Whoever made it may be copying data out of the bucket.",
		"このレプリケーションルールは、現在の内容では誰にも承認されていません。作成者がバケットのデータを外部にコピーしているおそれがあります。",
	),

	// What the configuration of a route says.
	"role-missing": in(
		"The replication role does not exist.",
		"レプリケーション用の IAM ロールが存在しません。",
	),
	"destination-bucket-missing": in(
		"The destination bucket does not exist.",
		"送信先バケットが存在しません。",
	),
	"source-versioning-not-enabled": in(
		"Versioning of the source bucket is suspended or was never enabled.",
		"送信元バケットのバージョニングが停止されているか、一度も有効化されていません。",
	),
	"destination-versioning-not-enabled": in(
		"Versioning of the destination bucket is suspended or was never enabled.",
		"送信先バケットのバージョニングが停止されているか、一度も有効化されていません。",
	),
	"kms-objects-not-selected": in(
		"The rule does not opt in to objects encrypted with KMS keys, so S3 skips them in silence.",
		"ルールで KMS キーによって暗号化されたオブジェクトのレプリケーションが有効になっていないため、S3 は通知なしにそれらをスキップします。",
	),
	"replica-key-not-configured": in(
		"The rule selects objects encrypted with KMS keys and names no key for their replicas.",
		"ルールは KMS キーで暗号化されたオブジェクトを対象にしていますが、レプリカの暗号化に使うキーを指定していません。",
	),
	"replica-key-unresolved": in(
		"The key of the replicas is not known, or is given by an alias that could not be resolved.",
		"レプリカの KMS キーが不明か、エイリアスで指定されていて解決できませんでした。",
	),
	"replica-key-wrong-region": in(
		"The key of the replicas is not in the Region of the destination bucket.",
		"レプリカの KMS キーが送信先バケットと同じリージョンにありません。",
	),
	"replica-key-not-usable": in(
		"The key of the replicas is gone, disabled, pending deletion, or no symmetric encryption key.",
		"レプリカの KMS キーが存在しない、無効、削除待ち、または対称暗号化キーではありません。",
	),
	"replica-key-aws-managed": in(
		"The key of the replicas is an AWS managed key, and the role or the destination bucket belongs to another account.",
		"レプリカのキーが AWS マネージドキーで、ロールまたは送信先バケットが別のアカウントに属しています。",
	),
	"source-key-not-usable": in(
		"The key of the source objects is gone, disabled, pending deletion, or no symmetric encryption key.",
		"送信元オブジェクトの KMS キーが存在しない、無効、削除待ち、または対称暗号化キーではありません。",
	),
	"destination-blocks-sse-c": in(
		"The destination bucket blocks SSE-C, and the objects are encrypted with it.",
		"送信先バケットで SSE-C がブロックされていますが、オブジェクトは SSE-C で暗号化されています。",
	),
	"destination-requester-pays": in(
		"The destination bucket belongs to another account and is a Requester Pays bucket.",
		"送信先バケットが別のアカウントに属し、リクエスタ支払いバケットになっています。",
	),
	"destination-account-mismatch": in(
		"The rule names another account than the one that owns the destination bucket.",
		"ルールに指定されたアカウントが、送信先バケットを所有するアカウントと異なります。",
	),
	"destination-lacks-object-lock": in(
		"The source bucket has Object Lock, and the destination bucket does not.",
		"送信元バケットではオブジェクトロックが有効ですが、送信先バケットでは有効になっていません。",
	),
	"partition-mismatch": in(
		"The rule names a bucket, role or key of another AWS partition.",
		"ルールが別の AWS パーティションのバケット、ロール、またはキーを指定しています。",
	),
	"bucket-type-not-supported": in(
		"A bucket of the rule is a directory or table bucket, which S3 replication does not support.",
		"ルールのバケットが、S3 レプリケーションの対象外であるディレクトリバケットまたはテーブルバケットです。",
	),
	"destination-is-source": in(
		"The destination of the rule is the source bucket itself.",
		"ルールの送信先が送信元バケット自身になっています。",
	),
	"role-in-another-account": in(
		"The role does not belong to the account of the source bucket; only inside that account could it be passed to S3.",
		"ロールが送信元バケットのアカウントに属していません。S3 に渡せるのは同じアカウントのロールだけです。",
	),
	"owner-override-without-account": in(
		"The rule changes the owner of replicas and does not name the account of the destination.",
		"ルールはレプリカの所有者を変更しますが、送信先のアカウントを指定していません。",
	),
	"owner-override-same-account": in(
		"The rule changes the owner of replicas inside one account, so changes of ACLs no longer replicate.",
		"ルールが同一アカウント内でレプリカの所有者を変更しているため、ACL の変更がレプリケートされなくなっています。",
	),
	"replica-owned-by-source": in(
		"Replicas in another account's bucket belong to the source's account, so the owner of the bucket may be unable to open them.",
		"別のアカウントのバケットにあるレプリカを送信元アカウントが所有しているため、バケット所有者がそれらを開けない可能性があります。",
	),
	"replica-modifications-one-sided": in(
		"The rule syncs changes of replicas, and no rule of the destination bucket sends them back.",
		"ルールでレプリカ変更の同期が有効ですが、送信先バケットには変更を送り返すルールがありません。",
	),
	"replication-time-incomplete": in(
		"The rule has S3 Replication Time Control without its metrics, or with another threshold than 15 minutes.",
		"ルールで S3 Replication Time Control が有効ですが、メトリクスがないか、しきい値が 15 分ではありません。",
	),
	"missed-threshold-not-notified": in(
		"The rule has S3 Replication Time Control, and nobody is notified when an object misses its threshold.",
		"ルールで S3 Replication Time Control が有効ですが、オブジェクトがしきい値を超えても誰にも通知されません。",
	),
	"public-acl-blocked": in(
		"S3 reports that it may not write an ACL, and the destination bucket blocks public ACLs.",
		"S3 が ACL を書き込めないと報告しており、送信先バケットではパブリック ACL がブロックされています。",
	),
	"prefix-is-literal": in(
		"The prefix of the rule is written as a pattern, a path or a URL, and S3 takes it literally.",
		"ルールのプレフィックスがパターン、パス、または URL の形で書かれていますが、S3 は文字列どおりに解釈します。",
	),
	"rule-shadowed": in(
		"A rule of higher priority takes every object of this one to the same destination.",
		"優先度の高い別のルールが、このルールの対象オブジェクトをすべて同じ送信先にレプリケートします。",
	),
	"kms-opt-in-outranked": in(
		"A rule that does not opt in to objects encrypted with KMS keys outranks one that does, and AWS does not say which of them counts.",
		"KMS で暗号化されたオブジェクトを対象にしないルールが、対象にするルールより優先されています。どちらが適用されるかは AWS のドキュメントに記載がありません。",
	),
	"configuration-unknown": in(
		"An account, a Region, versioning, Object Lock or the state of a key is not known.",
		"アカウント、リージョン、バージョニング、オブジェクトロック、またはキーの状態が不明です。",
	),
	"source-encryption-unknown": in(
		"The encryption of the source objects, or the key behind their alias, is not known.",
		"送信元オブジェクトの暗号化方式、またはエイリアスが指すキーが不明です。",
	),
	"metrics-not-enabled": in(
		"The rule has no replication metrics, so S3 sends no failure events.",
		"ルールでレプリケーションメトリクスが有効になっていないため、S3 は失敗イベントを送信しません。",
	),
	"failure-notification-missing": in(
		"The source bucket notifies nobody of failed replication.",
		"送信元バケットに、レプリケーション失敗のイベント通知が設定されていません。",
	),
	"guardrails-not-read": in(
		"The organization's SCPs or RCPs were not read; the diagnosis assumes that they deny nothing.",
		"組織の SCP または RCP を読み取れませんでした。診断は、それらが何も拒否しないものと仮定しています。",
	),
	"rule-disabled": in(
		"The rule that covers the object is disabled, or all rules of the bucket are.",
		"オブジェクトを対象とするルール、またはバケットのすべてのルールが無効になっています。",
	),

	// What is so with one object.
	"object-archived": in(
		"The object is archived, and S3 replicates nothing from an archive.",
		"オブジェクトがアーカイブされています。S3 はアーカイブ済みのオブジェクトをレプリケートしません。",
	),
	"source-object-owned-by-another-account": in(
		"The source object belongs to another account than its bucket, which may then not read it.",
		"送信元オブジェクトの所有者がバケットとは別のアカウントのため、バケット所有者が読み取れない可能性があります。",
	),
	"object-is-replica": in(
		"The object is a replica itself, which S3 does not replicate on.",
		"オブジェクト自体がレプリカです。S3 はレプリカをさらにレプリケートしません。",
	),
	"object-predates-rule": in(
		"The rule covers the object now, and did not when the object was written.",
		"ルールは現在このオブジェクトを対象としていますが、書き込まれた時点では対象外でした。",
	),
	"object-pending": in(
		"S3 has not finished with the object, and goes on by itself.",
		"オブジェクトのレプリケーションは処理中です。S3 が自動的に続行します。",
	),
	"object-replicated-before": in(
		"The route is broken now, and has replicated an object before.",
		"現在この経路は機能していませんが、以前はオブジェクトをレプリケートできていました。",
	),
	"one-context-form": in(
		"Objects without an S3 Bucket Key, which the bucket may still hold, could not be decrypted.",
		"バケットキーを使わずに暗号化されたオブジェクトがバケットに残っている可能性があり、それらは復号できません。",
	),
	"object-outside-rules": in(
		"No enabled rule of the bucket covers the object, so S3 skips it in silence.",
		"オブジェクトを対象とする有効なルールがバケットにないため、S3 は通知なしにスキップします。",
	),
	"object-gone": in(
		"S3 reports that the object or its version does not exist any more; there is nothing to replicate.",
		"S3 がオブジェクトまたはそのバージョンはもう存在しないと報告しています。レプリケートするものはありません。",
	),
	"object-already-replicated": in(
		"S3 reports that the object was replicated already.",
		"S3 がオブジェクトはすでにレプリケート済みだと報告しています。",
	),
	"object-not-eligible": in(
		"S3 reports that the storage class or the tags of the object exclude it from the rule.",
		"S3 が、オブジェクトはストレージクラスまたはタグによりルールの対象外だと報告しています。",
	),
	"version-not-at-destination": in(
		"S3 reports that the version whose metadata changed is not at the destination.",
		"S3 が、メタデータが変更されたバージョンは送信先に存在しないと報告しています。",
	),
	"replica-hard-deleted": in(
		"S3 reports that the replica was deleted by its version ID; Batch Replication does not write such a replica again.",
		"S3 が、レプリカはバージョン ID を指定して削除されたと報告しています。バッチレプリケーションはそのようなレプリカを再作成しません。",
	),

	// What S3 reports.
	"event-contradicts-model": in(
		"S3 reports a failure that the documents do not explain.",
		"S3 が報告した失敗を、ポリシーや設定の内容からは説明できません。",
	),
	"route-not-found": in(
		"What was reported is about a rule, a destination or a key that no enabled rule names.",
		"報告の内容は、どの有効なルールにも指定されていないルール、送信先、またはキーに関するものです。",
	),
	"failure-reason-unknown": in(
		"S3 reports a failure reason that Replimend does not know.",
		"S3 が、Replimend の知らない失敗理由を報告しています。",
	),
	"batch-role-lacks-initiate-replication": in(
		"S3 reports that the role of the batch job lacks s3:InitiateReplication.",
		"S3 が、バッチジョブのロールに s3:InitiateReplication のアクセス許可がないと報告しています。",
	),
	"batch-job-wrong-region": in(
		"S3 reports that the batch job names another Region than that of the bucket.",
		"S3 が、バッチジョブに指定されたリージョンはバケットのリージョンと異なると報告しています。",
	),

	// What stands in the way of judging or of writing.
	"document-unreadable": in(
		"A document that decides is not known, or tests something that is not known.",
		"判定に必要なポリシーが読み取れないか、ポリシーの条件に不明な値が使われています。",
	),
	"document-not-writable": in(
		"AWS would refuse to store the document with the cure: it would be too long, has a character that is not taken, or names a principal that is gone.",
		"修正後のポリシーは AWS に保存できません。長すぎる、使用できない文字を含む、または存在しないプリンシパルを指定しているためです。",
	),

	// What denies a request.
	"explicit-deny": in(
		"A Deny statement applies. Whether it goes is for its owner to decide.",
		"明示的な拒否（Deny）ステートメントが適用されています。削除するかどうかは、その所有者が判断します。",
	),
	"organization-policy-silent": in(
		"A level of the organization's SCPs or RCPs does not allow the action.",
		"組織の SCP または RCP のいずれかの階層で、アクションが許可されていません。",
	),
	"permissions-boundary-silent": in(
		"The permissions boundary of the role does not allow the action.",
		"ロールのアクセス許可の境界で、アクションが許可されていません。",
	),
	"trust-lacks-s3": in(
		"The trust policy of the role does not let s3.amazonaws.com assume the role.",
		"ロールの信頼ポリシーが、s3.amazonaws.com によるロールの引き受けを許可していません。",
	),
	"encryption-context-mismatch": in(
		"An Allow is there, but it wants another encryption context than S3 sends, as after an S3 Bucket Key was switched on or off.",
		"許可ステートメントはありますが、S3 が送るものとは異なる暗号化コンテキストを条件にしています。バケットキーの設定を切り替えた後によく起こります。",
	),
	"via-service-mismatch": in(
		"An Allow is there, but its kms:ViaService names another Region or service.",
		"許可ステートメントはありますが、kms:ViaService が別のリージョンまたはサービスを指定しています。",
	),
	"condition-mismatch": in(
		"An Allow is there, but one of its conditions does not hold for the requests of S3.",
		"許可ステートメントはありますが、その条件の一つを S3 のリクエストが満たしていません。",
	),
	"principal-mismatch": in(
		"A statement names a role of the same name under another path, or the unique ID of a deleted role.",
		"ステートメントが、パスの異なる同名のロール、または削除されたロールの一意の ID を指定しています。",
	),

	// What AWS's pages disagree on.
	"replica-key-actions-disputed": in(
		"kms:Decrypt or kms:GenerateDataKey on the replica key is missing, and AWS's pages disagree on whether S3 needs it here.",
		"レプリカの KMS キーに対する kms:Decrypt または kms:GenerateDataKey が許可されていません。S3 がここで必要とするかどうかは、AWS のドキュメントの記述が一致していません。",
	),
	"replica-key-actions-advised": in(
		"kms:GenerateDataKey on the replica key is missing. One page of AWS lists it; a test replicated without it.",
		"レプリカの KMS キーに対する kms:GenerateDataKey が許可されていません。AWS のあるページには記載がありますが、検証ではなくてもレプリケートできました。",
	),
	"source-key-context-disputed": in(
		"The S3 Bucket Key is at the destination only, and AWS does not say which encryption context the source key sees then.",
		"バケットキーが送信先でのみ有効です。この場合に送信元の KMS キーへ渡される暗号化コンテキストは、AWS のドキュメントに記載がありません。",
	),
	"replicate-tags-disputed": in(
		"S3 reports that it may not write tags; s3:ReplicateTags is missing, which s3:ReplicateObject should imply.",
		"S3 がタグを書き込めないと報告しています。s3:ReplicateTags は本来 s3:ReplicateObject に含まれるはずですが、許可されていません。",
	),

	// What the role lacks.
	"role-lacks-read-config": in(
		"The role may not read the replication configuration of the source bucket, or not list the bucket.",
		"ロールに、送信元バケットのレプリケーション設定を読み取る、またはバケットを一覧表示するアクセス許可がありません。",
	),
	"role-lacks-read-object": in(
		"The role may not read source objects for replication.",
		"ロールに、レプリケーションのために送信元オブジェクトを読み取るアクセス許可がありません。",
	),
	"role-lacks-source-decrypt": in(
		"The role may not decrypt with the key of the source objects.",
		"ロールに、送信元オブジェクトの KMS キーで復号するアクセス許可がありません。",
	),
	"role-lacks-replicate-object": in(
		"The role may not write replicas to the destination bucket.",
		"ロールに、送信先バケットへレプリカを書き込むアクセス許可がありません。",
	),
	"role-lacks-replica-encrypt": in(
		"The role may not encrypt with the key of the replicas.",
		"ロールに、レプリカの KMS キーで暗号化するアクセス許可がありません。",
	),
	"role-lacks-owner-override": in(
		"The role may not hand the replica to the owner of the destination.",
		"ロールに、レプリカの所有者を送信先バケットの所有者に変更するアクセス許可がありません。",
	),
	"role-lacks-read-tags": in(
		"The role may not read object tags, so replicas arrive without them.",
		"ロールにオブジェクトタグを読み取るアクセス許可がないため、レプリカにタグが付きません。",
	),
	"role-lacks-replicate-delete": in(
		"The role may not replicate delete markers, which the rule asks for.",
		"ルールは削除マーカーのレプリケーションを求めていますが、ロールにそのアクセス許可がありません。",
	),
	"role-lacks-read-lock": in(
		"The role may not read Object Lock retention or legal holds of the source.",
		"ロールに、送信元のオブジェクトロックの保持設定またはリーガルホールドを読み取るアクセス許可がありません。",
	),
	"role-lacks-write-lock": in(
		"S3 reports that it may not write the lock of the replica, and the role has no permission to. AWS's pages disagree on whether it needs one.",
		"S3 がレプリカのロック設定を書き込めないと報告しており、ロールにそのアクセス許可がありません。必要かどうかは、AWS のドキュメントの記述が一致していません。",
	),

	// What the documents of others lack.
	"destination-policy-lacks-write-lock": in(
		"S3 reports that it may not write the lock of the replica, and the policy of the other account's bucket does not let the role. AWS's pages disagree on whether it must.",
		"S3 がレプリカのロック設定を書き込めないと報告しており、別アカウントの送信先バケットポリシーがロールに許可していません。必要かどうかは、AWS のドキュメントの記述が一致していません。",
	),
	"destination-policy-lacks-replicate-object": in(
		"The bucket policy of the destination, in another account, does not let the role write replicas.",
		"別アカウントにある送信先のバケットポリシーが、ロールによるレプリカの書き込みを許可していません。",
	),
	"destination-policy-lacks-owner-override": in(
		"The bucket policy of the destination, in another account, does not let the role change the owner of replicas.",
		"別アカウントにある送信先のバケットポリシーが、ロールによるレプリカの所有者の変更を許可していません。",
	),
	"destination-policy-lacks-replicate-delete": in(
		"The bucket policy of the destination, in another account, does not let the role replicate delete markers.",
		"別アカウントにある送信先のバケットポリシーが、ロールによる削除マーカーのレプリケーションを許可していません。",
	),
	"source-bucket-policy-silent": in(
		"The role belongs to another account than the source bucket, whose policy does not let it in.",
		"ロールが送信元バケットとは別のアカウントに属し、送信元のバケットポリシーがそのロールを許可していません。",
	),
	"source-key-policy-lacks-decrypt": in(
		"The key policy of the source key neither names the role nor delegates to its account.",
		"送信元の KMS キーのキーポリシーが、ロールを許可しておらず、そのアカウントへの委任もしていません。",
	),
	"replica-key-policy-lacks-encrypt": in(
		"The key policy of the replica key neither names the role nor delegates to its account.",
		"レプリカの KMS キーのキーポリシーが、ロールを許可しておらず、そのアカウントへの委任もしていません。",
	),

	// What stands in the way of a reader or a writer.
	"service-writer-denied": in(
		"A service that delivers logs into the source bucket may not write there, or not use its key.",
		"送信元バケットにログを配信するサービスに、バケットへの書き込み、またはバケットのキーを使用するアクセス許可がありません。",
	),
	"principal-missing": in(
		"The role or user that is to read or write does not exist.",
		"読み取りまたは書き込みを行うはずのロールまたはユーザーが存在しません。",
	),
	"bucket-missing": in(
		"The bucket that is to be read or written does not exist.",
		"読み取りまたは書き込みの対象のバケットが存在しません。",
	),
	"access-not-known": in(
		"What decides an access is not known: the principal, the bucket, its encryption, the key, or the name of the session.",
		"アクセスの可否を決める情報（プリンシパル、バケット、その暗号化、キー、またはセッション名）が不明です。",
	),
	"key-alias-resolves-in-caller-account": in(
		"The default key of the bucket is given by an alias or a key ID, which may mean another key to a writer of another account.",
		"バケットのデフォルトキーがエイリアスまたはキー ID で指定されているため、別アカウントからの書き込みでは異なるキーを指す可能性があります。",
	),
	"object-key-aws-managed": in(
		"The objects are encrypted with an AWS managed key, which no other account can use.",
		"オブジェクトが AWS マネージドキーで暗号化されています。このキーは別のアカウントからは使用できません。",
	),
	"object-key-not-usable": in(
		"The key of the objects is gone, disabled, pending deletion, of another Region, or no symmetric encryption key.",
		"オブジェクトの KMS キーが存在しない、無効、削除待ち、別のリージョンのもの、または対称暗号化キーではありません。",
	),
	"object-owned-by-another-account": in(
		"The object belongs to another account than the bucket, whose policies then do not open it.",
		"オブジェクトの所有者がバケットとは別のアカウントのため、バケットのポリシーではアクセスを許可できません。",
	),
	"object-not-readable": in(
		"The object is archived or deleted, or needs a key that only the reader has.",
		"オブジェクトがアーカイブ済みまたは削除済みか、読み取る側だけが持つキーを必要とします。",
	),
	"requester-pays-header": in(
		"The bucket is a Requester Pays bucket, and a requester of another account has to say so in each request.",
		"リクエスタ支払いバケットのため、別アカウントのリクエスタは各リクエストで支払いに同意することを示す必要があります。",
	),
	"principal-lacks-get-object": in(
		"No policy of the reader allows s3:GetObject.",
		"読み取る側のポリシーのいずれも s3:GetObject を許可していません。",
	),
	"principal-lacks-put-object": in(
		"No policy of the writer allows s3:PutObject.",
		"書き込む側のポリシーのいずれも s3:PutObject を許可していません。",
	),
	"principal-lacks-decrypt": in(
		"No policy of the reader, or of who uploads in parts, allows kms:Decrypt on the key.",
		"読み取る側、またはマルチパートアップロードを行う側のポリシーのいずれも、キーに対する kms:Decrypt を許可していません。",
	),
	"principal-lacks-generate-data-key": in(
		"No policy of the writer allows kms:GenerateDataKey on the key.",
		"書き込む側のポリシーのいずれも、キーに対する kms:GenerateDataKey を許可していません。",
	),
	"bucket-policy-lacks-get-object": in(
		"The reader belongs to another account, and the bucket policy does not let it read.",
		"読み取る側が別のアカウントに属し、バケットポリシーがその読み取りを許可していません。",
	),
	"bucket-policy-lacks-put-object": in(
		"The writer belongs to another account, and the bucket policy does not let it write.",
		"書き込む側が別のアカウントに属し、バケットポリシーがその書き込みを許可していません。",
	),
	"key-policy-lacks-decrypt": in(
		"The key policy neither names the reader nor delegates to its account.",
		"キーポリシーが、読み取る側を許可しておらず、そのアカウントへの委任もしていません。",
	),
	"key-policy-lacks-generate-data-key": in(
		"The key policy neither names the writer nor delegates to its account.",
		"キーポリシーが、書き込む側を許可しておらず、そのアカウントへの委任もしていません。",
	),
}
