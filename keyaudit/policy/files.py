"""Reads one policy file."""

import stat
from pathlib import Path

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
        # Reading a pipe or device such as /dev/zero might never end.
        if not stat.S_ISREG(path.stat().st_mode):
            return None, [Problem(file=file, what="not a file")]
        with path.open("rb") as stream:
            data = stream.read(yaml.MAX_SIZE + 1)
    except OSError as error:
        return None, [Problem(file=file, what=f"cannot be read: {error.strerror}")]
    try:
        source = yaml.decode(data)
        document = yaml.read(source)
    except yaml.YamlError as error:
        return None, [error.problem(file)]
    return policy(document, file=file, stem=path.stem, source=source, ours=ours)
