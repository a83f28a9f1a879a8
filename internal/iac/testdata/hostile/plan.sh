#!/bin/sh
# a"; rm -rf / #�$(id) `id` ${x} %{ if true } */ --> dst (rule �[2J�'): broken, then healthy; class automatic

set -eu
folder='replimend-139a8960e747'
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
	# policy of bucket a.b--c
	# adds: arn:aws:iam::111122223333:role/-r+=,.@_ may s3:ReplicateObject on arn:aws:s3:::a.b--c/*
	# cures: destination-policy-lacks-replicate-object
	# class: automatic
	cat >"$folder/1.expected.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Id": "!Sub x",
  "Statement": [
    {
      "Sid": "$(touch owned) `touch owned` ' \" \\ \n- x: y\n  z: *w\n resource \"x\" \"y\" {}",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "s3:PutObject",
      "Resource": "arn:aws:s3:::a.b--c/'$(touch owned)'*",
      "Condition": {
        "StringEquals": {
          "aws:PrincipalTag/<<": "*x"
        }
      }
    }
  ]
}
END_OF_JSON
	cat >"$folder/1.after.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Id": "!Sub x",
  "Statement": [
    {
      "Sid": "$(touch owned) `touch owned` ' \" \\ \n- x: y\n  z: *w\n resource \"x\" \"y\" {}",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "s3:PutObject",
      "Resource": "arn:aws:s3:::a.b--c/'$(touch owned)'*",
      "Condition": {
        "StringEquals": {
          "aws:PrincipalTag/<<": "*x"
        }
      }
    },
    {
      "Sid": "ReplimendReplicateObjectBBBBBBBB",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::111122223333:role/-r+=,.@_"
      },
      "Action": "s3:ReplicateObject",
      "Resource": "arn:aws:s3:::a.b--c/*"
    }
  ]
}
END_OF_JSON
	live 1 NoSuchBucketPolicy aws s3api get-bucket-policy --bucket='a.b--c' --expected-bucket-owner='111122223333' --query Policy --output text
	compare 1 'policy of bucket a.b--c'
	# policy of bucket a-b.c
	# adds: arn:aws:iam::111122223333:role/-r+=,.@_ may s3:ReplicateObject on arn:aws:s3:::a-b.c/*
	# cures: destination-policy-lacks-replicate-object
	# class: automatic
	: >"$folder/2.expected.json"
	cat >"$folder/2.after.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ReplimendReplicateObjectCCCCCCCC",
      "Effect": "Allow",
      "Principal": {
        "AWS": "arn:aws:iam::111122223333:role/-r+=,.@_"
      },
      "Action": "s3:ReplicateObject",
      "Resource": "arn:aws:s3:::a-b.c/*"
    }
  ]
}
END_OF_JSON
	live 2 NoSuchBucketPolicy aws s3api get-bucket-policy --bucket='a-b.c' --expected-bucket-owner='111122223333' --query Policy --output text
	compare 2 'policy of bucket a-b.c'
	# inline policy --Replimend,@= of role -r+=,.@_
	# adds: x�; touch owned may kms:Decrypt�} on */�"x"
	# cures: role-lacks-source-decrypt
	# class: automatic
	cat >"$folder/3.expected.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Id": "'; exit 1 #\nEND_OF_JSON\n",
  "Statement": [
    {
      "Sid": "DenyAll",
      "Effect": "Deny",
      "Action": [
        "s3:*"
      ],
      "NotResource": [
        "arn:aws:s3:::${aws:username}/*",
        "arn:aws:s3:::a${*}b${?}${$}"
      ],
      "Condition": {
        "NumericLessThan": {
          "s3:max-keys": 10
        },
        "Bool": {
          "aws:SecureTransport": false
        },
        "Null": {
          "aws:TokenIssueTime": "true"
        },
        "DateGreaterThan": {
          "aws:CurrentTime": "2020-04-01"
        }
      }
    },
    {
      "Effect": "Deny",
      "Action": "s3:PutObject",
      "Resource": "*",
      "Condition": {
        "StringNotLike": {
          "aws:RequestTag/%{ for x in y }": [
            "%{ if true }x%{ endif }",
            "$${a}",
            "$$${a}",
            "%%{b}",
            "${\"$\"}{c}",
            "*/ \"+os.Exit(1)+\" `",
            "!Ref x",
            "&a *a",
            "yes",
            "~",
            "{{x}}",
            "\u0085\u2028\ud83d\ude00 \u00e9 \u007f"
          ]
        }
      }
    }
  ]
}
END_OF_JSON
	cat >"$folder/3.after.json" <<'END_OF_JSON'
{
  "Version": "2012-10-17",
  "Id": "'; exit 1 #\nEND_OF_JSON\n",
  "Statement": [
    {
      "Sid": "DenyAll",
      "Effect": "Deny",
      "Action": [
        "s3:*"
      ],
      "NotResource": [
        "arn:aws:s3:::${aws:username}/*",
        "arn:aws:s3:::a${*}b${?}${$}"
      ],
      "Condition": {
        "NumericLessThan": {
          "s3:max-keys": 10
        },
        "Bool": {
          "aws:SecureTransport": false
        },
        "Null": {
          "aws:TokenIssueTime": "true"
        },
        "DateGreaterThan": {
          "aws:CurrentTime": "2020-04-01"
        }
      }
    },
    {
      "Effect": "Deny",
      "Action": "s3:PutObject",
      "Resource": "*",
      "Condition": {
        "StringNotLike": {
          "aws:RequestTag/%{ for x in y }": [
            "%{ if true }x%{ endif }",
            "$${a}",
            "$$${a}",
            "%%{b}",
            "${\"$\"}{c}",
            "*/ \"+os.Exit(1)+\" `",
            "!Ref x",
            "&a *a",
            "yes",
            "~",
            "{{x}}",
            "\u0085\u2028\ud83d\ude00 \u00e9 \u007f"
          ]
        }
      }
    },
    {
      "Sid": "ReplimendDecryptAAAAAAAA",
      "Effect": "Allow",
      "Action": "kms:Decrypt",
      "Resource": "*"
    }
  ]
}
END_OF_JSON
	live 3 NoSuchEntity aws iam get-role-policy --role-name='-r+=,.@_' --policy-name='--Replimend,@=' --query PolicyDocument --output json
	compare 3 'inline policy --Replimend,@= of role -r+=,.@_'

	if is_pending 1; then
		aws s3api put-bucket-policy --bucket='a.b--c' --expected-bucket-owner='111122223333' --policy "file://$folder/1.after.json"
		say 'written: policy of bucket a.b--c'
	fi
	if is_pending 2; then
		aws s3api put-bucket-policy --bucket='a-b.c' --expected-bucket-owner='111122223333' --policy "file://$folder/2.after.json"
		say 'written: policy of bucket a-b.c'
	fi
	if is_pending 3; then
		aws iam put-role-policy --role-name='-r+=,.@_' --policy-name='--Replimend,@=' --policy-document "file://$folder/3.after.json"
		say 'written: inline policy --Replimend,@= of role -r+=,.@_'
	fi
}

# Undo, under credentials of account 111122223333 and while nobody has changed them since:
#   aws iam put-role-policy --role-name='-r+=,.@_' --policy-name='--Replimend,@=' --policy-document 'file://replimend-139a8960e747/3.before.json'
#   aws s3api delete-bucket-policy --bucket='a-b.c' --expected-bucket-owner='111122223333'
#   aws s3api put-bucket-policy --bucket='a.b--c' --expected-bucket-owner='111122223333' --policy 'file://replimend-139a8960e747/1.before.json'

caller=$(aws sts get-caller-identity --query Account --output text)
case $caller in
111122223333) account_111122223333 ;;
*) refuse "these are credentials of account $caller, not of 111122223333" ;;
esac
