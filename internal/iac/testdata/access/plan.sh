#!/bin/sh
# user uploader writes shared: broken, then healthy; class approval
# user uploader reads shared: broken, then healthy; class approval
# shared → copy (rule too): broken, then healthy; class automatic
# accounts 111122223333, 444455556666 own a part each, and every part is needed

set -eu
folder='replimend-bf02298fb4a2'
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

# account 111122223333
account_111122223333() {
	# policy of key arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
	# adds: arn:aws:iam::444455556666:user/people/data/uploader may kms:GenerateDataKey on *
	# adds: arn:aws:iam::444455556666:role/replication may kms:Decrypt on *
	# cures: key-policy-lacks-generate-data-key, source-key-policy-lacks-decrypt
	# class: approval, so that a person must agree first
	cat >"$folder/1.expected.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::111122223333:root"
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
        "AWS": "arn:aws:iam::111122223333:root"
      },
      "Action": "kms:*",
      "Resource": "*"
    },
    {
      "Sid": "ReplimendGenerateDataKey33333333",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::444455556666:user/people/data/uploader"
      },
      "Action": "kms:GenerateDataKey",
      "Resource": "*"
    },
    {
      "Sid": "ReplimendDecrypt55555555",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::444455556666:role/replication"
      },
      "Action": "kms:Decrypt",
      "Resource": "*"
    }
  ]
}
END_OF_JSON
	live 1 - aws kms get-key-policy --region='us-east-1' --key-id='arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' --policy-name default --query Policy --output text
	compare 1 'policy of key arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
	# policy of bucket shared
	# adds: arn:aws:iam::444455556666:user/people/data/uploader may s3:PutObject on arn:aws:s3:::shared/*
	# cures: bucket-policy-lacks-put-object
	# class: approval, so that a person must agree first
	cat >"$folder/2.expected.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Reader",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::444455556666:role/reader"
      },
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::shared/*",
      "Condition": {
        "StringLike": {
          "aws:PrincipalTag/team": "${aws:ResourceTag/team}"
        }
      }
    }
  ]
}
END_OF_JSON
	cat >"$folder/2.after.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Reader",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::444455556666:role/reader"
      },
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::shared/*",
      "Condition": {
        "StringLike": {
          "aws:PrincipalTag/team": "${aws:ResourceTag/team}"
        }
      }
    },
    {
      "Sid": "ReplimendPutObject22222222",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::444455556666:user/people/data/uploader"
      },
      "Action": "s3:PutObject",
      "Resource": "arn:aws:s3:::shared/*"
    }
  ]
}
END_OF_JSON
	live 2 NoSuchBucketPolicy aws s3api get-bucket-policy --bucket='shared' --expected-bucket-owner='111122223333' --query Policy --output text
	compare 2 'policy of bucket shared'

	if is_pending 1; then
		aws kms put-key-policy --region='us-east-1' --key-id='arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' --policy-name default --policy "file://$folder/1.after.json"
		say 'written: policy of key arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
	fi
	if is_pending 2; then
		aws s3api put-bucket-policy --bucket='shared' --expected-bucket-owner='111122223333' --policy "file://$folder/2.after.json"
		say 'written: policy of bucket shared'
	fi
}

# Undo, under credentials of account 111122223333 and while nobody has changed them since:
#   aws s3api put-bucket-policy --bucket='shared' --expected-bucket-owner='111122223333' --policy 'file://replimend-bf02298fb4a2/2.before.json'
#   aws kms put-key-policy --region='us-east-1' --key-id='arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' --policy-name default --policy 'file://replimend-bf02298fb4a2/1.before.json'

# account 444455556666
account_444455556666() {
	# inline policy Replimend of user uploader
	# adds: arn:aws:iam::444455556666:user/people/data/uploader may s3:PutObject on arn:aws:s3:::shared/*
	# cures: principal-lacks-put-object
	# class: approval, so that a person must agree first
	: >"$folder/3.expected.json"
	cat >"$folder/3.after.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReplimendPutObject11111111",
      "Effect": "Allow",
      "Action": "s3:PutObject",
      "Resource": "arn:aws:s3:::shared/*"
    }
  ]
}
END_OF_JSON
	live 3 NoSuchEntity aws iam get-user-policy --user-name='uploader' --policy-name='Replimend' --query PolicyDocument --output json
	compare 3 'inline policy Replimend of user uploader'
	# inline policy use of user uploader
	# adds: arn:aws:iam::444455556666:user/people/data/uploader may kms:Decrypt on arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
	# cures: principal-lacks-decrypt
	# class: approval, so that a person must agree first
	cat >"$folder/4.expected.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::shared/*"
    }
  ]
}
END_OF_JSON
	cat >"$folder/4.after.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "s3:GetObject",
      "Resource": "arn:aws:s3:::shared/*"
    },
    {
      "Sid": "ReplimendDecrypt44444444",
      "Effect": "Allow",
      "Action": "kms:Decrypt",
      "Resource": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    }
  ]
}
END_OF_JSON
	live 4 NoSuchEntity aws iam get-user-policy --user-name='uploader' --policy-name='use' --query PolicyDocument --output json
	compare 4 'inline policy use of user uploader'

	if is_pending 3; then
		aws iam put-user-policy --user-name='uploader' --policy-name='Replimend' --policy-document "file://$folder/3.after.json"
		say 'written: inline policy Replimend of user uploader'
	fi
	if is_pending 4; then
		aws iam put-user-policy --user-name='uploader' --policy-name='use' --policy-document "file://$folder/4.after.json"
		say 'written: inline policy use of user uploader'
	fi
}

# Undo, under credentials of account 444455556666 and while nobody has changed them since:
#   aws iam put-user-policy --user-name='uploader' --policy-name='use' --policy-document 'file://replimend-bf02298fb4a2/4.before.json'
#   aws iam delete-user-policy --user-name='uploader' --policy-name='Replimend'

caller=$(aws sts get-caller-identity --query Account --output text)
case $caller in
111122223333) account_111122223333 ;;
444455556666) account_444455556666 ;;
*) refuse "these are credentials of account $caller, not of 111122223333 or 444455556666" ;;
esac
say "account $caller is done, of 111122223333, 444455556666"
