# user uploader writes shared: broken, then healthy; class approval
# user uploader reads shared: broken, then healthy; class approval
# shared → copy (rule too): broken, then healthy; class automatic
# accounts 111122223333, 444455556666 own a part each, and every part is needed

#
# account 111122223333: for the configuration whose aws provider is of this account
#

# policy of key arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
# adds: arn:aws:iam::444455556666:user/people/data/uploader may kms:GenerateDataKey on *
# adds: arn:aws:iam::444455556666:role/replication may kms:Decrypt on *
# cures: key-policy-lacks-generate-data-key, source-key-policy-lacks-decrypt
# class: approval, so that a person must agree first
# This is the whole policy. It replaces the aws_kms_key_policy, or the policy argument of the aws_kms_key, that manages it today: keep one of the two.
resource "aws_kms_key_policy" "key_1234abcd_12ab_34cd_56ef_1234567890ab" {
  key_id = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::111122223333:root"
      }
      Action   = "kms:*"
      Resource = "*"
      }, {
      Sid    = "ReplimendGenerateDataKey33333333"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::444455556666:user/people/data/uploader"
      }
      Action   = "kms:GenerateDataKey"
      Resource = "*"
      }, {
      Sid    = "ReplimendDecrypt55555555"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::444455556666:role/replication"
      }
      Action   = "kms:Decrypt"
      Resource = "*"
    }]
  })
}

# policy of bucket shared
# adds: arn:aws:iam::444455556666:user/people/data/uploader may s3:PutObject on arn:aws:s3:::shared/*
# cures: bucket-policy-lacks-put-object
# class: approval, so that a person must agree first
# This is the whole policy. It replaces the aws_s3_bucket_policy that manages it today: keep one of the two.
resource "aws_s3_bucket_policy" "bucket_shared" {
  bucket = "shared"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "Reader"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::444455556666:role/reader"
      }
      Action   = "s3:GetObject"
      Resource = "arn:aws:s3:::shared/*"
      Condition = {
        "StringLike" = {
          "aws:PrincipalTag/team" = "$${aws:ResourceTag/team}"
        }
      }
      }, {
      Sid    = "ReplimendPutObject22222222"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::444455556666:user/people/data/uploader"
      }
      Action   = "s3:PutObject"
      Resource = "arn:aws:s3:::shared/*"
    }]
  })
}

#
# account 444455556666: for the configuration whose aws provider is of this account
#

# inline policy Replimend of user uploader
# adds: arn:aws:iam::444455556666:user/people/data/uploader may s3:PutObject on arn:aws:s3:::shared/*
# cures: principal-lacks-put-object
# class: approval, so that a person must agree first
resource "aws_iam_user_policy" "user_uploader_replimend" {
  name = "Replimend"
  user = "uploader"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReplimendPutObject11111111"
      Effect   = "Allow"
      Action   = "s3:PutObject"
      Resource = "arn:aws:s3:::shared/*"
    }]
  })
}

# inline policy use of user uploader
# adds: arn:aws:iam::444455556666:user/people/data/uploader may kms:Decrypt on arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
# cures: principal-lacks-decrypt
# class: approval, so that a person must agree first
resource "aws_iam_user_policy" "user_uploader_use" {
  name = "use"
  user = "uploader"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "arn:aws:s3:::shared/*"
      }, {
      Sid      = "ReplimendDecrypt44444444"
      Effect   = "Allow"
      Action   = "kms:Decrypt"
      Resource = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    }]
  })
}
