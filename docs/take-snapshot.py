#!/usr/bin/env python3
"""Write the snapshot of a source bucket's replication routes, as `replimend diagnose --snapshot` reads it.

    python3 docs/take-snapshot.py BUCKET [--profile P] [--destination-profile P] [--principal ARN [--principal-profile P]] > snapshot.json

Needs Python 3.9 and the AWS CLI, version 1 or 2. It only reads: every call is a Get, List, Describe or Head. What AWS refuses
to show is left out and named under "unreadable", because missing must never look like empty. Without a profile for the
destination's account, that account's documents are read with the source's credentials as far as they allow it. With
--principal it also reads a role or a user that uses the bucket, for `replimend diagnose --principal`.
"""

import argparse
import datetime
import json
import re
import subprocess
import sys

# The error codes that mean "asked for, and there is none".
ABSENT = {
    "ReplicationConfigurationNotFoundError", "ServerSideEncryptionConfigurationNotFoundError", "NoSuchBucketPolicy",
    "OwnershipControlsNotFoundError", "NoSuchPublicAccessBlockConfiguration", "ObjectLockConfigurationNotFoundError",
    "NoSuchTagSet", "NoSuchTagSetError", "NoSuchBucket", "NoSuchEntity", "NotFoundException",
}
MISSING = object()


class Reader:
    """Runs the AWS CLI and keeps what it was refused."""

    def __init__(self, cli):
        self.cli = cli
        self.unreadable = {}

    def aws(self, path, profile, region, *words):
        """Return the output as a value, None where there is none, MISSING where AWS refuses."""
        command = [self.cli, *words, "--output", "json"]
        command += ["--profile", profile] if profile else []
        command += ["--region", region] if region else []
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            return json.loads(done.stdout or "{}")
        code = re.search(r"\((\w+)\)", done.stderr)
        if code and code.group(1) in ABSENT:
            return None
        self.unreadable[path] = " ".join(done.stderr.split())[:300] or f"aws {words[0]} exited with {done.returncode}"
        return MISSING


def put(into, name, value, inner=None):
    """Set a member, unless it is missing. `inner` takes the part of the answer that the contract wants."""
    if value is MISSING:
        return
    into[name] = inner(value) if inner and value is not None else value


def tag_map(tags, key="Key", value="Value"):
    return {t[key]: t[value] for t in tags}


def read_bucket(r, name, profile, account):
    at = f"buckets.{name}"
    where = r.aws(f"{at}.region", profile, None, "s3api", "get-bucket-location", "--bucket", name)
    if where is None:
        return None
    if where is MISSING:
        return MISSING
    owned = r.aws(f"{at}.account", profile, None, "s3api", "head-bucket", "--bucket", name, "--expected-bucket-owner", account)
    if owned is MISSING:
        return MISSING  # a bucket of somebody else: nobody may take its documents for those of that account
    region = {None: "us-east-1", "EU": "eu-west-1"}.get(where.get("LocationConstraint"), where.get("LocationConstraint"))
    out = {"account": account, "region": region}

    def get(member, call, inner):
        try:
            put(out, member, r.aws(f"{at}.{member}", profile, region, "s3api", call, "--bucket", name), inner)
        except (KeyError, IndexError) as lacking:
            r.unreadable[f"{at}.{member}"] = f"{call} answered without {lacking}"

    get("versioning", "get-bucket-versioning", lambda v: v.get("Status"))
    get("replication", "get-bucket-replication", lambda v: v["ReplicationConfiguration"])
    get("encryption", "get-bucket-encryption", lambda v: v["ServerSideEncryptionConfiguration"])
    get("policy", "get-bucket-policy", lambda v: json.loads(v["Policy"]))
    get("ownership", "get-bucket-ownership-controls", lambda v: v["OwnershipControls"]["Rules"][0]["ObjectOwnership"])
    get("publicAccessBlock", "get-public-access-block", lambda v: v["PublicAccessBlockConfiguration"])
    get("objectLock", "get-object-lock-configuration", lambda v: v["ObjectLockConfiguration"])
    get("requestPayer", "get-bucket-request-payment", lambda v: v["Payer"])
    get("notifications", "get-bucket-notification-configuration", lambda v: v)
    get("tags", "get-bucket-tagging", lambda v: tag_map(v["TagSet"]))
    return out


def read_principal(r, arn, profile):
    """Return the section, the ARN and the value of a role, a user, or the role of a session."""
    resource = arn.split(":", 5)[-1]
    kind, name = resource.split("/", 1)
    if kind == "user":
        return "users", arn, read_user(r, arn, profile)
    if kind == "assumed-role":  # a session's ARN has the name of its role, but not the path
        found = r.aws(f"roles.{arn}", profile, None, "iam", "get-role", "--role-name", name.split("/")[0])
        if found is None or found is MISSING:
            return "roles", arn, MISSING
        arn = found["Role"]["Arn"]
    return "roles", arn, read_role(r, arn, profile)


def read_policies(iam, kind, name):
    """Return the inline and attached policies of a role, user or group, as far as all of them can be read."""
    out, owner = {}, f"--{kind}-name"

    def collect(member, call, names, document):
        found = iam(member, call, owner, name)
        if found in (None, MISSING):
            return
        documents = {n: document(n) for n in names(found)}
        if MISSING not in documents.values():
            out[member] = documents

    def inline(n):
        answer = iam("inline", f"get-{kind}-policy", owner, name, "--policy-name", n)
        return MISSING if answer in (None, MISSING) else answer["PolicyDocument"]

    collect("inline", f"list-{kind}-policies", lambda v: v["PolicyNames"], inline)
    collect("attached", f"list-attached-{kind}-policies", lambda v: [p["PolicyArn"] for p in v["AttachedPolicies"]],
            lambda n: version_document(iam, n, "attached"))
    return out


def version_document(iam, policy_arn, member):
    policy = iam(member, "get-policy", "--policy-arn", policy_arn)
    if policy in (None, MISSING):
        return MISSING
    version = policy["Policy"]["DefaultVersionId"]
    answer = iam(member, "get-policy-version", "--policy-arn", policy_arn, "--version-id", version)
    return MISSING if answer in (None, MISSING) else answer["PolicyVersion"]["Document"]


def put_boundary(out, iam, owner):
    boundary = owner.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    if not boundary:
        out["boundary"] = None
    elif (document := version_document(iam, boundary, "boundary")) is not MISSING:
        out["boundary"] = {"arn": boundary, "document": document}


def read_user(r, arn, profile):
    at, name = f"users.{arn}", arn.rsplit("/", 1)[-1]

    def iam(member, *words):
        return r.aws(f"{at}.{member}", profile, None, "iam", *words)

    user = iam("uniqueId", "get-user", "--user-name", name)
    if user is None or user is MISSING:
        return user
    user = user["User"]
    if user["Arn"] != arn:
        return None  # a user of that name stands under another path
    out = {"uniqueId": user["UserId"], "tags": tag_map(user.get("Tags", [])), **read_policies(iam, "user", name)}
    put_boundary(out, iam, user)
    groups = iam("groups", "list-groups-for-user", "--user-name", name)
    if groups not in (None, MISSING):
        out["groups"] = {}
        for group in (g["GroupName"] for g in groups["Groups"]):
            def of_group(member, *words, at=f"{at}.groups.{group}"):
                return r.aws(f"{at}.{member}", profile, None, "iam", *words)
            out["groups"][group] = read_policies(of_group, "group", group)
    return out


def read_role(r, arn, profile):
    at, name = f"roles.{arn}", arn.rsplit("/", 1)[-1]

    def iam(member, *words):
        return r.aws(f"{at}.{member}", profile, None, "iam", *words)

    role = iam("trust", "get-role", "--role-name", name)
    if role is None or role is MISSING:
        return role
    role = role["Role"]
    if role["Arn"] != arn:
        return None  # a role of that name stands under another path: the one that the rule names does not exist
    out = {
        "uniqueId": role["RoleId"], "trust": role["AssumeRolePolicyDocument"], "tags": tag_map(role.get("Tags", [])),
        **read_policies(iam, "role", name),
    }
    put_boundary(out, iam, role)
    return out


def read_key(r, key_id, region, profile):
    """Return the key's ARN and its value; the ARN is None when nobody answers to the id."""
    found = r.aws(f"keys.{key_id}", profile, region, "kms", "describe-key", "--key-id", key_id)
    if found is None or found is MISSING:
        return (key_id if key_id.startswith("arn:") and ":key/" in key_id else None), found
    meta = found["KeyMetadata"]
    arn, at = meta["Arn"], f"keys.{meta['Arn']}"
    out = {}
    for member, name in {"state": "KeyState", "manager": "KeyManager", "spec": "KeySpec", "usage": "KeyUsage", "multiRegion": "MultiRegion"}.items():
        if name in meta:
            out[member] = meta[name]

    def kms(member, call, inner, *words):
        put(out, member, r.aws(f"{at}.{member}", profile, region, "kms", call, "--key-id", arn, *words), inner)

    kms("policy", "get-key-policy", lambda v: json.loads(v["Policy"]), "--policy-name", "default")
    kms("grants", "list-grants", lambda v: v["Grants"])
    kms("aliases", "list-aliases", lambda v: [a["AliasName"] for a in v["Aliases"]])
    kms("tags", "list-resource-tags", lambda v: tag_map(v["Tags"], "TagKey", "TagValue"))
    return arn, out


def main():
    parser = argparse.ArgumentParser(description="Write the snapshot of a bucket's replication routes.")
    parser.add_argument("bucket", help="the source bucket")
    parser.add_argument("--profile", help="AWS CLI profile of the source's account")
    parser.add_argument("--destination-profile", help="AWS CLI profile of the destinations' account")
    parser.add_argument("--principal", help="ARN of a role, a user or a session of a role that uses the bucket")
    parser.add_argument("--principal-profile", help="AWS CLI profile of the principal's account")
    parser.add_argument("--aws", default="aws", help="the AWS CLI's command")
    args = parser.parse_args()
    r = Reader(args.aws)

    def account(profile):
        caller = r.aws("caller", profile, None, "sts", "get-caller-identity")
        if caller is MISSING or caller is None:
            sys.exit(f"take-snapshot: no credentials: {r.unreadable['caller']}\nhint: aws configure, or --profile NAME")
        return caller["Account"]

    source_account = account(args.profile)
    far = args.destination_profile or args.profile
    far_account = account(far)
    source = read_bucket(r, args.bucket, args.profile, source_account)
    if source is None or source is MISSING:
        sys.exit(f"take-snapshot: bucket {args.bucket} cannot be read: {r.unreadable.get(f'buckets.{args.bucket}.region', 'no such bucket')}")
    snapshot = {
        "schema": "replimend/snapshot/v1",
        "takenAt": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "buckets": {args.bucket: source}, "roles": {}, "keys": {},
    }
    configuration = source.get("replication") or {}
    if role := configuration.get("Role"):
        put(snapshot["roles"], role, read_role(r, role, args.profile))
    keys = [(k, source["region"], args.profile) for k in default_keys(source)]
    for rule in configuration.get("Rules", []):
        name = rule["Destination"]["Bucket"].split(":::", 1)[-1]
        if name not in snapshot["buckets"]:
            put(snapshot["buckets"], name, read_bucket(r, name, far, rule["Destination"].get("Account", far_account)))
        bucket = snapshot["buckets"].get(name) or {}
        replica = rule["Destination"].get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID")
        keys += [(k, bucket.get("region"), far) for k in ([replica] if replica else []) + default_keys(bucket)]
    for key_id, region, profile in keys:
        region = key_id.split(":")[3] if key_id.startswith("arn:") else region
        arn, value = read_key(r, key_id, region, profile)
        if arn:
            put(snapshot["keys"], arn, value)
    if args.principal:
        section, arn, value = read_principal(r, args.principal, args.principal_profile or args.profile)
        put(snapshot.setdefault(section, {}), arn, value)
    if r.unreadable:
        snapshot["unreadable"] = r.unreadable
    json.dump(snapshot, sys.stdout, indent=2, default=str)
    print()


def default_keys(bucket):
    """Return the KMS key of a bucket's default encryption, in a list."""
    out = []
    for rule in (bucket.get("encryption") or {}).get("Rules", []):
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        if default.get("SSEAlgorithm", "").startswith("aws:kms"):
            out.append(default.get("KMSMasterKeyID", "alias/aws/s3"))
    return out


if __name__ == "__main__":
    main()
