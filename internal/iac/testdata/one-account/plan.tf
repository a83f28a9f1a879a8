# src → dst (rule logs): broken, then healthy; class approval
# src → other (rule media): broken, then healthy; class automatic
# src → third (rule photos): broken, no edit can or may cure replica-key-aws-managed

#
# account 111122223333: for the configuration whose aws provider is of this account
#

# policy of key arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
# adds: arn:aws:iam::111122223333:role/service-role/replication may kms:Decrypt on *
# cures: source-key-policy-lacks-decrypt
# class: automatic
# This is the whole policy. It replaces the aws_kms_key_policy, or the policy argument of the aws_kms_key, that manages it today: keep one of the two.
resource "aws_kms_key_policy" "key_1234abcd_12ab_34cd_56ef_1234567890ab" {
  key_id = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  policy = jsonencode({
    Version = "2012-10-17"
    Id      = "key-default-1"
    Statement = [{
      Sid    = "Enable IAM User Permissions"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::111122223333:root"
      }
      Action   = "kms:*"
      Resource = "*"
      }, {
      Sid    = "ReplimendDecrypt33333333"
      Effect = "Allow"
      Principal = {
        AWS = "arn:aws:iam::111122223333:role/service-role/replication"
      }
      Action   = "kms:Decrypt"
      Resource = "*"
      Condition = {
        "StringEquals" = {
          "kms:ViaService" = "s3.us-east-1.amazonaws.com"
        }
        "StringLike" = {
          "kms:EncryptionContext:aws:s3:arn" = ["arn:aws:s3:::src", "arn:aws:s3:::src/*"]
        }
      }
    }]
  })
}

# inline policy Replimend of role replication
# adds: arn:aws:iam::111122223333:role/service-role/replication may kms:Decrypt on arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
# adds: arn:aws:iam::111122223333:role/service-role/replication may s3:ReplicateObject on arn:aws:s3:::other/*
# adds: arn:aws:iam::111122223333:role/service-role/replication may s3:ReplicateTags on arn:aws:s3:::other/*
# cures: role-lacks-source-decrypt, role-lacks-replicate-object
# class: automatic
resource "aws_iam_role_policy" "role_replication_replimend" {
  name = "Replimend"
  role = "replication"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReplimendDecrypt22222222"
      Effect   = "Allow"
      Action   = "kms:Decrypt"
      Resource = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
      }, {
      Sid      = "ReplimendReplicateObject44444444"
      Effect   = "Allow"
      Action   = ["s3:ReplicateObject", "s3:ReplicateTags"]
      Resource = "arn:aws:s3:::other/*"
    }]
  })
}

# trust policy of role replication
# adds: s3.amazonaws.com may sts:AssumeRole on arn:aws:iam::111122223333:role/service-role/replication
# cures: trust-lacks-s3
# class: approval, so that a person must agree first
# Terraform has no resource for a trust policy. In the aws_iam_role that manages this role today, set
#   assume_role_policy = local.trust_replication
locals {
  trust_replication = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Principal = {
        Service = "ec2.amazonaws.com"
      }
      Action = "sts:AssumeRole"
      }, {
      Sid    = "ReplimendAssumeRole11111111"
      Effect = "Allow"
      Principal = {
        Service = "s3.amazonaws.com"
      }
      Action = "sts:AssumeRole"
    }]
  })
}
