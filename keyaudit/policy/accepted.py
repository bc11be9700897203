"""Reads a file of announced applications: id, operation, owner and end date of each."""

import re
from pathlib import Path
from typing import Annotated

from msgspec import Struct

from keyaudit.inventory import input_file
from keyaudit.model.documents.format import MAX_SIZE
from keyaudit.model.documents.nodes import Members, Node
from keyaudit.model.documents.problems import FieldError, shown
from keyaudit.model.documents.reader import Keys, Reader, Version, day, one_of
from keyaudit.model.documents.yaml import YAML
from keyaudit.model.guid import GUID
from keyaudit.model.tables.usage import USAGE
from keyaudit.model.times import DAY
from keyaudit.model.usage import Accepted
from keyaudit.model.waivers import Glob
from keyaudit.policy.waivers import MAX_DAYS

_NUMBER = re.compile(r"[1-9]\d{0,8}")


def load_accepted(path: Path, *, today: int) -> tuple[Accepted, ...]:
    """The announced applications of a file, in order. `today` is a time on the current day.

    Raises UsageError, with every problem of the file.
    """
    reader = Reader(str(path), YAML)
    found = reader.read(reader.parse(input_file.read(path, MAX_SIZE)), _File)
    accepted = tuple(_accepted(reader, each, today - today % DAY) for each in found.accept) if found else ()
    reader.check()
    return accepted


def _accepted(reader: Reader, entry: "_Entry", today: int) -> Accepted:
    if entry.until - today > MAX_DAYS * DAY:
        what = f"an announcement runs {MAX_DAYS} days at most, from today"
        reader.problem(entry.at.members["until"], what, "choose an earlier day")
    return Accepted(
        app_id=entry.app_id,
        operation=entry.operation,
        target=Glob(entry.target),
        owner=entry.owner,
        reason=entry.reason,
        ends=entry.until + DAY,
        mailboxes=entry.mailboxes,
        place=reader.place(entry.at),
    )


def _mailboxes(_: Reader, node: Node, __: Keys) -> int:
    text = str(node)
    if _NUMBER.fullmatch(text) is None:
        raise FieldError(f"{shown(text)} is not a number of mailboxes", "the maximum that it may read in one day, such as 500")
    return int(text)


def _app_id(reader: Reader, node: Node, path: Keys) -> str:
    text = reader.string(node, path).lower()
    if GUID.fullmatch(text) is None:
        raise FieldError(f"{shown(text)} is not an application id", "the client id, a GUID")
    return text


class _Entry(Struct):
    at: Members
    app_id: Annotated[str, _app_id]
    operation: Annotated[str, one_of(USAGE.by_name["operation"].values, "operation")]
    owner: str
    reason: str
    until: Annotated[int, day]
    target: str = "*"
    mailboxes: Annotated[int, _mailboxes] = 0


class _File(Struct):
    version: Version
    accept: tuple[_Entry, ...]
