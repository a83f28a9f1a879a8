"""Run docs/take-snapshot.py with boto3 in place of the AWS CLI: a snapshot that a client of others took.

    python take_snapshot.py SCRIPT BUCKET [the script's options]

A profile is the id of an account, in which a role is assumed. AWS_ENDPOINT_URL says where.
"""

import importlib.util
import json
import sys
import types

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

clients = {}


def client(service, profile, region):
    if (service, profile, region) not in clients:
        role = boto3.client("sts").assume_role(RoleArn=f"arn:aws:iam::{profile}:role/test", RoleSessionName="test")["Credentials"]
        clients[service, profile, region] = boto3.client(
            service, region_name=region, aws_access_key_id=role["AccessKeyId"], aws_secret_access_key=role["SecretAccessKey"],
            aws_session_token=role["SessionToken"], config=Config(s3={"addressing_style": "path"}))
    return clients[service, profile, region]


def run(command, **_):
    """Do what the AWS CLI does with those words, and answer as subprocess.run."""
    service, operation = command[1].replace("s3api", "s3"), command[2]
    options = {command[i][2:]: command[i + 1] for i in range(3, len(command), 2)}
    options.pop("output")
    c = client(service, options.pop("profile"), options.pop("region", None))
    method = operation.replace("-", "_")
    members = c.meta.service_model.operation_model(c.meta.method_to_api_mapping[method]).input_shape
    names = {xform_name(m, "-"): m for m in members.members} if members else {}
    try:
        answer = getattr(c, method)(**{names[o]: v for o, v in options.items()})
    except ClientError as refused:
        return types.SimpleNamespace(returncode=254, stdout="", stderr=str(refused))
    answer.pop("ResponseMetadata")
    return types.SimpleNamespace(returncode=0, stdout=json.dumps(answer, default=str), stderr="")


spec = importlib.util.spec_from_file_location("take_snapshot", sys.argv[1])
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)
script.subprocess = types.SimpleNamespace(run=run, DEVNULL=None)
sys.argv = sys.argv[1:]
script.main()
