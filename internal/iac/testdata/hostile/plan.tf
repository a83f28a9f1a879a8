# a"; rm -rf / #�$(id) `id` ${x} %{ if true } */ --> dst (rule �[2J�'): broken, then healthy; class automatic

#
# account 111122223333: for the configuration whose aws provider is of this account
#

# policy of bucket a.b--c
# adds: arn:aws:iam::111122223333:role/-r+=,.@_ may s3:ReplicateObject on arn:aws:s3:::a.b--c/*
# cures: destination-policy-lacks-replicate-object
# class: automatic
# This is the whole policy. It replaces the aws_s3_bucket_policy that manages it today: keep one of the two.
resource "aws_s3_bucket_policy" "bucket_a_b_c" {
  bucket = "a.b--c"
  policy = jsonencode({
    Version = "2012-10-17"
    Id      = "!Sub x"
    Statement = [{
      Sid       = "$(touch owned) `touch owned` ' \" \\ \n- x: y\n  z: *w\n resource \"x\" \"y\" {}"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::a.b--c/'$(touch owned)'*"
      Condition = {
        "StringEquals" = {
          "aws:PrincipalTag/<<" = "*x"
        }
      }
      }, {
      Sid    = "ReplimendReplicateObjectBBBBBBBB"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::111122223333:role/-r+=,.@_"
      }
      Action   = "s3:ReplicateObject"
      Resource = "arn:aws:s3:::a.b--c/*"
    }]
  })
}

# policy of bucket a-b.c
# adds: arn:aws:iam::111122223333:role/-r+=,.@_ may s3:ReplicateObject on arn:aws:s3:::a-b.c/*
# cures: destination-policy-lacks-replicate-object
# class: automatic
# There was no policy: this is all of it.
resource "aws_s3_bucket_policy" "bucket_a_b_c_2" {
  bucket = "a-b.c"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "ReplimendReplicateObjectCCCCCCCC"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::111122223333:role/-r+=,.@_"
      }
      Action   = "s3:ReplicateObject"
      Resource = "arn:aws:s3:::a-b.c/*"
    }]
  })
}

# inline policy --Replimend,@= of role -r+=,.@_
# adds: x�; touch owned may kms:Decrypt�} on */�"x"
# cures: role-lacks-source-decrypt
# class: automatic
resource "aws_iam_role_policy" "role_r_replimend" {
  name = "--Replimend,@="
  role = "-r+=,.@_"
  policy = jsonencode({
    Version = "2012-10-17"
    Id      = "'; exit 1 #\nEND_OF_JSON\n"
    Statement = [{
      Sid         = "DenyAll"
      Effect      = "Deny"
      Action      = ["s3:*"]
      NotResource = ["arn:aws:s3:::$${aws:username}/*", "arn:aws:s3:::a$${*}b$${?}$${$}"]
      Condition = {
        "NumericLessThan" = {
          "s3:max-keys" = "10"
        }
        "Bool" = {
          "aws:SecureTransport" = false
        }
        "Null" = {
          "aws:TokenIssueTime" = "true"
        }
        "DateGreaterThan" = {
          "aws:CurrentTime" = "2020-04-01"
        }
      }
      }, {
      Effect   = "Deny"
      Action   = "s3:PutObject"
      Resource = "*"
      Condition = {
        "StringNotLike" = {
          "aws:RequestTag/%%{ for x in y }" = ["%%{ if true }x%%{ endif }", "$$${a}", "$$$${a}", "%%%{b}", "$${\"$\"}{c}", "*/ \"+os.Exit(1)+\" `", "!Ref x", "&a *a", "yes", "~", "{{x}}", "\u0085\u2028😀 é \u007f"]
        }
      }
      }, {
      Sid      = "ReplimendDecryptAAAAAAAA"
      Effect   = "Allow"
      Action   = "kms:Decrypt"
      Resource = "*"
    }]
  })
}
