"""What is in three accounts of an emulator after a deployment, read with boto3: a client that knows nothing of Replimend or of the CDK.

    stacks.py REGION...   print it as JSON; the profiles hub, source and destination are the accounts
"""

import ast
import json
import sys

import boto3

HUB_REGION = "us-east-1"


def client(profile, service, region=HUB_REGION):
    return boto3.Session(profile_name=profile, region_name=region).client(service)


def pages(c, operation, member, **arguments):
    return [x for page in c.get_paginator(operation).paginate(**arguments) for x in page.get(member, [])]


def stacks(profile, region):
    c = client(profile, "cloudformation", region)
    return {s["StackName"]: {
        "status": s["StackStatus"],
        # Moto names no logical id where it made nothing.
        "resources": {r["LogicalResourceId"]: r.get("PhysicalResourceId", "")
                      for r in c.describe_stack_resources(StackName=s["StackName"])["StackResources"] if "LogicalResourceId" in r},
    } for s in pages(c, "describe_stacks", "Stacks") if s["StackName"].startswith("replimend-")}


def document(d):
    """Moto gives a policy that a stack put into a role as Python prints it."""
    return ast.literal_eval(d) if isinstance(d, str) else d


def roles(profile):
    c = client(profile, "iam")
    out = {}
    for r in pages(c, "list_roles", "Roles", PathPrefix="/replimend/"):
        names = c.list_role_policies(RoleName=r["RoleName"])["PolicyNames"]
        out[r["RoleName"]] = {
            "trust": r["AssumeRolePolicyDocument"],
            "policies": {n: document(c.get_role_policy(RoleName=r["RoleName"], PolicyName=n)["PolicyDocument"]) for n in names},
            "attached": [p["PolicyName"] for p in c.list_attached_role_policies(RoleName=r["RoleName"])["AttachedPolicies"]],
        }
    return out


def rules(profile, region, bus):
    c = client(profile, "events", region)
    return {r["Name"]: {
        "state": r["State"], "pattern": json.loads(r["EventPattern"]),
        "targets": [t["Arn"] for t in c.list_targets_by_rule(Rule=r["Name"], EventBusName=bus)["Targets"]],
    } for r in c.list_rules(EventBusName=bus)["Rules"]}


def switch(profile, region):
    found = client(profile, "ssm", region).get_parameters(Names=["/replimend/kill-switch"])["Parameters"]
    return [p["Value"] for p in found]


def encryption(s3, bucket):
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    return [r["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for r in rules]


def hub():
    sqs, dynamodb, functions = client("hub", "sqs"), client("hub", "dynamodb"), client("hub", "lambda")
    events, kms, logs = client("hub", "events"), client("hub", "kms"), client("hub", "logs")
    queues = {}
    for url in sqs.list_queues(QueueNamePrefix="replimend-").get("QueueUrls", []):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        queues[attributes["QueueArn"].rsplit(":", 1)[1]] = attributes
    tables = {}
    for name in pages(dynamodb, "list_tables", "TableNames"):
        if name.startswith("replimend-"):
            t = dynamodb.describe_table(TableName=name)["Table"]
            tables[name] = {k: t.get(k) for k in (
                "AttributeDefinitions", "KeySchema", "BillingModeSummary", "GlobalSecondaryIndexes", "DeletionProtectionEnabled")}
    # Moto's DescribeKey fails for a key of HMAC that a stack made.
    keys = {k["KeyId"]: k["KeyArn"] for k in pages(kms, "list_keys", "Keys")}
    return {
        "queues": queues, "tables": tables,
        "functions": {f["FunctionName"]: {
            "role": f["Role"], "runtime": f["Runtime"], "memory": f["MemorySize"], "timeout": f["Timeout"], "code": f["CodeSha256"],
            "variables": f.get("Environment", {}).get("Variables", {}),
        } for f in pages(functions, "list_functions", "Functions")},
        "mappings": {m["EventSourceArn"]: {
            "function": m["FunctionArn"], "batch": m["BatchSize"], "window": m.get("MaximumBatchingWindowInSeconds", 0),
            "atOnce": m.get("ScalingConfig", {}).get("MaximumConcurrency", 0), "answers": m.get("FunctionResponseTypes", []),
        } for m in pages(functions, "list_event_source_mappings", "EventSourceMappings")},
        "buses": [b["Arn"] for b in events.list_event_buses(NamePrefix="replimend")["EventBuses"]],
        "rules": rules("hub", HUB_REGION, "replimend") if events.list_event_buses(NamePrefix="replimend")["EventBuses"] else {},
        "seals": {a["AliasName"]: keys[a["TargetKeyId"]]
                  for a in pages(kms, "list_aliases", "Aliases") if a["AliasName"].startswith("alias/replimend")},
        "logs": {g["logGroupName"]: g.get("retentionInDays") for g in pages(logs, "describe_log_groups", "logGroups")},
        "roles": roles("hub"), "switch": switch("hub", HUB_REGION), "stacks": stacks("hub", HUB_REGION),
    }


def member(profile, region):
    s3 = client(profile, "s3", region)
    found = stacks(profile, region)
    if region != HUB_REGION:  # where the relay is
        found.update(stacks(profile, HUB_REGION))
    return {
        "roles": roles(profile), "switch": switch(profile, region), "stacks": found,
        "topics": [t["TopicArn"] for t in client(profile, "sns", region).list_topics()["Topics"]],
        "rules": rules(profile, region, "default"), "relay": rules(profile, HUB_REGION, "default"),
        "buckets": {b["Name"]: encryption(s3, b["Name"]) for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("replimend-")},
    }


def main():
    source, destination = sys.argv[1:]
    print(json.dumps({"hub": hub(), "source": member("source", source), "destination": member("destination", destination)}))


if __name__ == "__main__":
    main()
