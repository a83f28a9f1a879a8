# src → dst (rule to-the-other-account): broken, then healthy; class automatic
# dst → src (rule and-back): broken, then healthy; class automatic
# accounts 444455556666, 111122223333 own a part each, and every part is needed

#
# account 444455556666: for the configuration whose aws provider is of this account
#

# policy of key arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321
# adds: arn:aws:iam::111122223333:role/replication may kms:Encrypt on *
# adds: arn:aws:iam::111122223333:role/replication may kms:GenerateDataKey on *
# cures: replica-key-policy-lacks-encrypt
# class: automatic
# This is the whole policy. It replaces the aws_kms_key_policy, or the policy argument of the aws_kms_key, that manages it today: keep one of the two.
resource "aws_kms_key_policy" "key_mrk_0987dcba09fe87dc65baab0987654321" {
  key_id = "arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::444455556666:root"
      }
      Action   = "kms:*"
      Resource = "*"
      }, {
      Sid    = "ReplimendEncrypt77777777"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::111122223333:role/replication"
      }
      Action   = ["kms:Encrypt", "kms:GenerateDataKey"]
      Resource = "*"
    }]
  })
}

# policy of bucket dst
# adds: arn:aws:iam::111122223333:role/replication may s3:ReplicateObject on arn:aws:s3:::dst/*
# adds: arn:aws:iam::111122223333:role/replication may s3:ReplicateDelete on arn:aws:s3:::dst/*
# adds: arn:aws:iam::444455556666:role/back may s3:ListBucket on arn:aws:s3:::dst
# cures: destination-policy-lacks-replicate-object, role-lacks-read-config
# class: automatic
# There was no policy: this is all of it.
resource "aws_s3_bucket_policy" "bucket_dst" {
  bucket = "dst"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "ReplimendReplicateObject88888888"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::111122223333:role/replication"
      }
      Action   = ["s3:ReplicateObject", "s3:ReplicateDelete"]
      Resource = "arn:aws:s3:::dst/*"
      }, {
      Sid    = "ReplimendListBucket99999999"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::444455556666:role/back"
      }
      Action   = "s3:ListBucket"
      Resource = "arn:aws:s3:::dst"
    }]
  })
}

#
# account 111122223333: for the configuration whose aws provider is of this account
#

# inline policy Replimend of role replication
# adds: arn:aws:iam::111122223333:role/replication may kms:Encrypt on arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321
# cures: role-lacks-replica-encrypt
# class: automatic
resource "aws_iam_role_policy" "role_replication_replimend" {
  name = "Replimend"
  role = "replication"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReplimendReplicateObject55555555"
      Effect   = "Allow"
      Action   = "s3:ReplicateObject"
      Resource = "arn:aws:s3:::dst/*"
      }, {
      Sid      = "ReplimendEncrypt66666666"
      Effect   = "Allow"
      Action   = "kms:Encrypt"
      Resource = "arn:aws:kms:us-west-2:444455556666:key/mrk-0987dcba09fe87dc65baab0987654321"
    }]
  })
}
