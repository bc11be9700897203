"""Reads one policy file."""

from pathlib import Path

from keyaudit.inventory import input_file
from keyaudit.policy import yaml
from keyaudit.policy.definition import Policy
from keyaudit.policy.problems import Problem
from keyaudit.policy.schema import policy


def read(path: Path, *, ours: bool) -> tuple[Policy | None, list[Problem]]:
    """The policy in a file, or its problems. `ours`: see `schema.policy`."""
    file = str(path)
    if path.suffix != ".yaml":
        return None, [Problem(file=file, what="not a policy's file name", remedy="name it <id>.yaml")]
    try:
        data = input_file.read(path, yaml.MAX_SIZE)
    except input_file.UnreadableError as error:
        return None, [Problem(file=file, what=error.what)]
    try:
        source = yaml.decode(data)
        document = yaml.read(source)
    except yaml.YamlError as error:
        return None, [error.problem(file)]
    return policy(document, file=file, stem=path.stem, source=source, ours=ours)
