"""A cross-account KMS route in two accounts of an emulator, made and read back with boto3: a client that knows nothing of Replimend.

    world.py make SOURCE DESTINATION   make the buckets, keys and the role; print what they are called, as JSON
    world.py more WORLD SOURCE         make another source bucket with the same rule
    world.py show WORLD                print the documents that a cure may touch, as JSON; WORLD is what make printed
    world.py put WORLD DOCUMENT        write the key policy or the role's policy from standard input, as somebody else would

The profiles source and destination are the two accounts.
"""

import json
import sys

import boto3

SOURCE_REGION, DESTINATION_REGION = "us-east-1", "eu-west-1"


def client(profile, service, region):
    return boto3.Session(profile_name=profile, region_name=region).client(service)


def statement(sid, principal, actions):
    return {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}


def protect(c, bucket, key):
    """Give a bucket versions, a key, an owner and no public."""
    c.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    c.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [{
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}, "BucketKeyEnabled": False,
    }]})
    c.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
    c.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={
        "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True,
    })


def replicate(s3, bucket, role_arn, destination, account, replica_key):
    s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration={"Role": role_arn, "Rules": [{
        "ID": "everything", "Priority": 1, "Status": "Enabled", "Filter": {"Prefix": ""}, "DeleteMarkerReplication": {"Status": "Disabled"},
        "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        "Destination": {
            "Bucket": f"arn:aws:s3:::{destination}", "Account": account,
            "EncryptionConfiguration": {"ReplicaKmsKeyID": replica_key},
        },
    }]})


def more(world, source):
    s3 = client("source", "s3", SOURCE_REGION)
    s3.create_bucket(Bucket=source)
    protect(s3, source, world["sourceKey"])
    replicate(s3, source, world["role"], world["destination"], world["destinationAccount"], world["replicaKey"])


def make(source, destination):
    account = {p: client(p, "sts", SOURCE_REGION).get_caller_identity()["Account"] for p in ("source", "destination")}
    root = {p: {"AWS": f"arn:aws:iam::{a}:root"} for p, a in account.items()}
    role_arn = f"arn:aws:iam::{account['source']}:role/service-role/replication"

    kms = client("source", "kms", SOURCE_REGION)
    source_key = kms.create_key(Policy=json.dumps({
        "Version": "2012-10-17", "Statement": [statement("Root", root["source"], "kms:*")],
    }))["KeyMetadata"]["Arn"]
    # The fault in the destination's account: its key knows nothing of the role.
    replica_kms = client("destination", "kms", DESTINATION_REGION)
    replica_key = replica_kms.create_key(Policy=json.dumps({
        "Version": "2012-10-17", "Statement": [statement("Root", root["destination"], "kms:*")],
    }))["KeyMetadata"]["Arn"]

    s3, far = client("source", "s3", SOURCE_REGION), client("destination", "s3", DESTINATION_REGION)
    s3.create_bucket(Bucket=source)
    s3.create_bucket(Bucket=f"replimend-reports-{account['source']}-{SOURCE_REGION}")
    far.create_bucket(Bucket=destination, CreateBucketConfiguration={"LocationConstraint": DESTINATION_REGION})
    for c, bucket, key in ((s3, source, source_key), (far, destination, replica_key)):
        protect(c, bucket, key)

    iam = client("source", "iam", SOURCE_REGION)
    iam.create_role(Path="/service-role/", RoleName="replication", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }))
    # The fault in the source's account: the role may read, but not decrypt.
    iam.put_role_policy(RoleName="replication", PolicyName="replication", PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"], "Resource": f"arn:aws:s3:::{source}"},
            {"Effect": "Allow", "Action": ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
             "Resource": f"arn:aws:s3:::{source}/*"},
            {"Effect": "Allow", "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
             "Resource": f"arn:aws:s3:::{destination}/*"},
            {"Effect": "Allow", "Action": ["kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"], "Resource": replica_key},
        ],
    }))
    far.put_bucket_policy(Bucket=destination, Policy=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "Replicas", "Effect": "Allow", "Principal": {"AWS": role_arn},
            "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"], "Resource": f"arn:aws:s3:::{destination}/*",
        }],
    }))
    replicate(s3, source, role_arn, destination, account["destination"], replica_key)
    version = s3.put_object(Bucket=source, Key="ledger/2026-11-22.csv", Body=b"x" * 1024)["VersionId"]
    print(json.dumps({
        "source": source, "destination": destination, "sourceAccount": account["source"], "destinationAccount": account["destination"],
        "role": role_arn, "sourceKey": source_key, "replicaKey": replica_key, "key": "ledger/2026-11-22.csv", "version": version,
    }))


def show(world):
    iam = client("source", "iam", SOURCE_REGION)
    names = iam.list_role_policies(RoleName="replication")["PolicyNames"]
    print(json.dumps({
        "role": {n: iam.get_role_policy(RoleName="replication", PolicyName=n)["PolicyDocument"] for n in sorted(names)},
        "replicaKey": json.loads(client("destination", "kms", DESTINATION_REGION).get_key_policy(KeyId=world["replicaKey"], PolicyName="default")["Policy"]),
        "sourceKey": json.loads(client("source", "kms", SOURCE_REGION).get_key_policy(KeyId=world["sourceKey"], PolicyName="default")["Policy"]),
        "destination": json.loads(client("destination", "s3", DESTINATION_REGION).get_bucket_policy(Bucket=world["destination"])["Policy"]),
    }, indent=2))


def put(world, document):
    text = sys.stdin.read()
    if document == "replicaKey":
        client("destination", "kms", DESTINATION_REGION).put_key_policy(KeyId=world["replicaKey"], PolicyName="default", Policy=text)
    else:
        client("source", "iam", SOURCE_REGION).put_role_policy(RoleName="replication", PolicyName=document, PolicyDocument=text)


def main():
    verb, *rest = sys.argv[1:]
    if verb == "make":
        make(*rest)
    elif verb == "more":
        more(json.loads(rest[0]), rest[1])
    elif verb == "show":
        show(json.loads(rest[0]))
    elif verb == "put":
        put(json.loads(rest[0]), rest[1])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
