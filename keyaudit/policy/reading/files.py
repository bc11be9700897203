"""Reads one policy file."""

from pathlib import Path

from keyaudit.inventory.disk import input_file
from keyaudit.model.documents import yaml
from keyaudit.model.documents.format import MAX_SIZE, decode
from keyaudit.model.documents.problems import FormatError, Problem
from keyaudit.model.errors import UsageError
from keyaudit.policy.definition import Policy
from keyaudit.policy.reading.schema import policy


def read(path: Path, *, ours: bool) -> tuple[Policy | None, list[Problem]]:
    """The policy in a file, or its problems. `ours`: see `schema.policy`."""
    file = str(path)
    if path.suffix != ".yaml":
        return None, [Problem(file=file, what="not a policy's file name", remedy="name it <id>.yaml")]
    try:
        data = input_file.read(path, MAX_SIZE)
    except UsageError as error:
        return None, [Problem(file=file, what=error.what)]
    try:
        source = decode(data)
        document = yaml.read(source)
    except FormatError as error:
        return None, [error.problem(file)]
    return policy(document, file=file, stem=path.stem, source=source, ours=ours)
