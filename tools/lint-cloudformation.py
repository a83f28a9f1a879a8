"""Hand each part of a stream of YAML documents to cfn-lint, as it stands.

replimend plan prints properties of resources that stand in somebody else's template as parts of their own; they are linted
inside a resource of their type. Any error or warning fails.
"""

import pathlib
import subprocess
import sys
import tempfile
import textwrap

import yaml

OWNERS = {"KeyPolicy": "AWS::KMS::Key", "AssumeRolePolicyDocument": "AWS::IAM::Role"}


def template(text):
    names = list(yaml.safe_load(text) or {})
    if len(names) != 1:
        return text if names else ""
    owner = OWNERS[names[0]]
    return f"Resources:\n  Owner:\n    Type: {owner}\n    Properties:\n" + textwrap.indent(text, " " * 6)


def main(paths):
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for path in map(pathlib.Path, paths):
            for number, part in enumerate(path.read_text(encoding="utf-8").split("\n---\n")):
                if text := template(part):
                    file = pathlib.Path(folder, f"{path.parent.name}-{number}.yaml")
                    file.write_text(text, encoding="utf-8")
                    files.append(str(file))
        if not files:
            sys.exit("lint-cloudformation: found no template")
        print(f"cfn-lint: {len(files)} templates")
        cfn_lint = pathlib.Path(sys.executable).with_name("cfn-lint")
        sys.exit(subprocess.run([cfn_lint, "--region", "us-east-1", "--", *files], check=False).returncode)


main(sys.argv[1:])
