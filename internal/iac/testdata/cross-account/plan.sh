#!/bin/sh
# src → dst (rule to-the-other-account): broken, then healthy; class automatic
# dst → src (rule and-back): broken, then healthy; class automatic
# accounts 444455556666, 111122223333 own a part each, and every part is needed

set -eu
folder='replimend-500c2519e7c8'
umask 077
AWS_PAGER=
export AWS_PAGER

say() { printf '%s\n' "$*"; }

refuse() {
	say "replimend: $*" >&2
	exit 1
}

for tool in aws python3; do
	command -v "$tool" >/dev/null || refuse "$tool is not there"
done
mkdir -p "$folder"
# Who can write into it can change a document after its comparison.
open=$(find "$folder" -prune \( ! -type d -o ! -user "$(id -u)" -o -perm -020 -o -perm -002 \) -print)
[ -z "$open" ] || refuse "$folder is a folder that others can write into: run this in one of your own"

# live N CODE COMMAND: what the command prints. CODE is the error that says that there is no document; it makes an empty file.
live() {
	live_file=$folder/$1.live.json live_code=$2
	shift 2
	if "$@" >"$live_file" 2>"$folder/error"; then
		[ -s "$live_file" ] || refuse "$2 $3 printed nothing"
	elif grep -qF "($live_code)" "$folder/error"; then
		: >"$live_file"
	else
		cat "$folder/error" >&2
		refuse "$2 $3 does not say what is there"
	fi
}

# same FILE FILE: both are empty, or both hold the same JSON in whatever order of members.
same() {
	if [ ! -s "$1" ] || [ ! -s "$2" ]; then
		[ ! -s "$1" ] && [ ! -s "$2" ]
		return
	fi
	python3 -I -c '
import json, sys
one, other = (json.dumps(json.load(open(name, encoding="utf-8")), sort_keys=True) for name in sys.argv[1:])
sys.exit(one != other)' "$1" "$2"
}

# compare N WHAT: the live document is the one that the plan was made from, which is kept, or what the plan makes of it.
pending=
compare() {
	if same "$folder/$1.live.json" "$folder/$1.expected.json"; then
		cp "$folder/$1.live.json" "$folder/$1.before.json"
		pending="$pending $1 "
	elif same "$folder/$1.live.json" "$folder/$1.after.json"; then
		say "already there: $2"
	else
		refuse "$2 has changed since the plan was made: nothing is written; make the plan anew"
	fi
}

is_pending() {
	case $pending in *" $1 "*) ;; *) return 1 ;; esac
}

# account 444455556666
account_444455556666() {
	# policy of key arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321
	# adds: arn:aws:iam::111122223333:role/replication may kms:Encrypt on *
	# adds: arn:aws:iam::111122223333:role/replication may kms:GenerateDataKey on *
	# cures: replica-key-policy-lacks-encrypt
	# class: automatic
	cat >"$folder/1.expected.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::444455556666:root"
      },
      "Action": "kms:*",
      "Resource": "*"
    }
  ]
}
END_OF_JSON
	cat >"$folder/1.after.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::444455556666:root"
      },
      "Action": "kms:*",
      "Resource": "*"
    },
    {
      "Sid": "ReplimendEncrypt77777777",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::111122223333:role/replication"
      },
      "Action": [
        "kms:Encrypt",
        "kms:GenerateDataKey"
      ],
      "Resource": "*"
    }
  ]
}
END_OF_JSON
	live 1 - aws kms get-key-policy --region='us-west-2' --key-id='arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321' --policy-name default --query Policy --output text
	compare 1 'policy of key arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321'
	# policy of bucket dst
	# adds: arn:aws:iam::111122223333:role/replication may s3:ReplicateObject on arn:aws:s3:::dst/*
	# adds: arn:aws:iam::111122223333:role/replication may s3:ReplicateDelete on arn:aws:s3:::dst/*
	# adds: arn:aws:iam::444455556666:role/back may s3:ListBucket on arn:aws:s3:::dst
	# cures: destination-policy-lacks-replicate-object, role-lacks-read-config
	# class: automatic
	: >"$folder/2.expected.json"
	cat >"$folder/2.after.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReplimendReplicateObject88888888",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::111122223333:role/replication"
      },
      "Action": [
        "s3:ReplicateObject",
        "s3:ReplicateDelete"
      ],
      "Resource": "arn:aws:s3:::dst/*"
    },
    {
      "Sid": "ReplimendListBucket99999999",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::444455556666:role/back"
      },
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::dst"
    }
  ]
}
END_OF_JSON
	live 2 NoSuchBucketPolicy aws s3api get-bucket-policy --bucket='dst' --expected-bucket-owner='444455556666' --query Policy --output text
	compare 2 'policy of bucket dst'

	if is_pending 1; then
		aws kms put-key-policy --region='us-west-2' --key-id='arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321' --policy-name default --policy "file://$folder/1.after.json"
		say 'written: policy of key arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321'
	fi
	if is_pending 2; then
		aws s3api put-bucket-policy --bucket='dst' --expected-bucket-owner='444455556666' --policy "file://$folder/2.after.json"
		say 'written: policy of bucket dst'
	fi
}

# Undo, under credentials of account 444455556666 and while nobody has changed them since:
#   aws s3api delete-bucket-policy --bucket='dst' --expected-bucket-owner='444455556666'
#   aws kms put-key-policy --region='us-west-2' --key-id='arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321' --policy-name default --policy 'file://replimend-500c2519e7c8/1.before.json'

# account 111122223333
account_111122223333() {
	# inline policy Replimend of role replication
	# adds: arn:aws:iam::111122223333:role/replication may kms:Encrypt on arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321
	# cures: role-lacks-replica-encrypt
	# class: automatic
	cat >"$folder/3.expected.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReplimendReplicateObject55555555",
      "Effect": "Allow",
      "Action": "s3:ReplicateObject",
      "Resource": "arn:aws:s3:::dst/*"
    }
  ]
}
END_OF_JSON
	cat >"$folder/3.after.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReplimendReplicateObject55555555",
      "Effect": "Allow",
      "Action": "s3:ReplicateObject",
      "Resource": "arn:aws:s3:::dst/*"
    },
    {
      "Sid": "ReplimendEncrypt66666666",
      "Effect": "Allow",
      "Action": "kms:Encrypt",
      "Resource": "arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321"
    }
  ]
}
END_OF_JSON
	live 3 NoSuchEntity aws iam get-role-policy --role-name='replication' --policy-name='Replimend' --query PolicyDocument --output json
	compare 3 'inline policy Replimend of role replication'

	if is_pending 3; then
		aws iam put-role-policy --role-name='replication' --policy-name='Replimend' --policy-document "file://$folder/3.after.json"
		say 'written: inline policy Replimend of role replication'
	fi
}

# Undo, under credentials of account 111122223333 and while nobody has changed them since:
#   aws iam put-role-policy --role-name='replication' --policy-name='Replimend' --policy-document 'file://replimend-500c2519e7c8/3.before.json'

caller=$(aws sts get-caller-identity --query Account --output text)
case $caller in
444455556666) account_444455556666 ;;
111122223333) account_111122223333 ;;
*) refuse "these are credentials of account $caller, not of 444455556666 or 111122223333" ;;
esac
say "account $caller is done, of 444455556666, 111122223333"
