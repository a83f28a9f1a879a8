#!/bin/sh
# src → dst (rule logs): broken, then healthy; class approval
# src → other (rule media): broken, then healthy; class automatic
# src → third (rule photos): broken, no edit can or may cure replica-key-aws-managed

set -eu
folder='replimend-5a747e536f99'
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
	# adds: arn:aws:iam::111122223333:role/service-role/replication may kms:Decrypt on *
	# cures: source-key-policy-lacks-decrypt
	# class: automatic
	cat >"$folder/1.expected.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Id": "key-default-1",
  "Statement": [
    {
      "Sid": "Enable IAM User Permissions",
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
  "Id": "key-default-1",
  "Statement": [
    {
      "Sid": "Enable IAM User Permissions",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::111122223333:root"
      },
      "Action": "kms:*",
      "Resource": "*"
    },
    {
      "Sid": "ReplimendDecrypt33333333",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::111122223333:role/service-role/replication"
      },
      "Action": "kms:Decrypt",
      "Resource": "*",
      "Condition": {
        "StringEquals": {
          "kms:ViaService": "s3.us-east-1.amazonaws.com"
        },
        "StringLike": {
          "kms:EncryptionContext:aws:s3:arn": [
            "arn:aws:s3:::src",
            "arn:aws:s3:::src/*"
          ]
        }
      }
    }
  ]
}
END_OF_JSON
	live 1 - aws kms get-key-policy --region='us-east-1' --key-id='arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' --policy-name default --query Policy --output text
	compare 1 'policy of key arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
	# inline policy Replimend of role replication
	# adds: arn:aws:iam::111122223333:role/service-role/replication may kms:Decrypt on arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
	# adds: arn:aws:iam::111122223333:role/service-role/replication may s3:ReplicateObject on arn:aws:s3:::other/*
	# adds: arn:aws:iam::111122223333:role/service-role/replication may s3:ReplicateTags on arn:aws:s3:::other/*
	# cures: role-lacks-source-decrypt, role-lacks-replicate-object
	# class: automatic
	: >"$folder/2.expected.json"
	cat >"$folder/2.after.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReplimendDecrypt22222222",
      "Effect": "Allow",
      "Action": "kms:Decrypt",
      "Resource": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    },
    {
      "Sid": "ReplimendReplicateObject44444444",
      "Effect": "Allow",
      "Action": [
        "s3:ReplicateObject",
        "s3:ReplicateTags"
      ],
      "Resource": "arn:aws:s3:::other/*"
    }
  ]
}
END_OF_JSON
	live 2 NoSuchEntity aws iam get-role-policy --role-name='replication' --policy-name='Replimend' --query PolicyDocument --output json
	compare 2 'inline policy Replimend of role replication'
	# trust policy of role replication
	# adds: s3.amazonaws.com may sts:AssumeRole on arn:aws:iam::111122223333:role/service-role/replication
	# cures: trust-lacks-s3
	# class: approval, so that a person must agree first
	cat >"$folder/3.expected.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Principal": {
      "Service": "ec2.amazonaws.com"
    },
    "Action": "sts:AssumeRole"
  }
}
END_OF_JSON
	cat >"$folder/3.after.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "ec2.amazonaws.com"
      },
      "Action": "sts:AssumeRole"
    },
    {
      "Sid": "ReplimendAssumeRole11111111",
      "Effect": "Allow",
      "Principal": {
        "Service": "s3.amazonaws.com"
      },
      "Action": "sts:AssumeRole"
    }
  ]
}
END_OF_JSON
	live 3 - aws iam get-role --role-name='replication' --query Role.AssumeRolePolicyDocument --output json
	compare 3 'trust policy of role replication'

	if is_pending 1; then
		aws kms put-key-policy --region='us-east-1' --key-id='arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' --policy-name default --policy "file://$folder/1.after.json"
		say 'written: policy of key arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
	fi
	if is_pending 2; then
		aws iam put-role-policy --role-name='replication' --policy-name='Replimend' --policy-document "file://$folder/2.after.json"
		say 'written: inline policy Replimend of role replication'
	fi
	if is_pending 3; then
		aws iam update-assume-role-policy --role-name='replication' --policy-document "file://$folder/3.after.json"
		say 'written: trust policy of role replication'
	fi
}

# Undo, under credentials of account 111122223333 and while nobody has changed them since:
#   aws iam update-assume-role-policy --role-name='replication' --policy-document 'file://replimend-5a747e536f99/3.before.json'
#   aws iam delete-role-policy --role-name='replication' --policy-name='Replimend'
#   aws kms put-key-policy --region='us-east-1' --key-id='arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab' --policy-name default --policy 'file://replimend-5a747e536f99/1.before.json'

caller=$(aws sts get-caller-identity --query Account --output text)
case $caller in
111122223333) account_111122223333 ;;
*) refuse "these are credentials of account $caller, not of 111122223333" ;;
esac
