"""Reads a file of announcements: the application and operation, or the networks, and the owner and end date of each."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from msgspec import Struct

from keyaudit.inventory.disk import input_file
from keyaudit.model.documents.format import MAX_SIZE
from keyaudit.model.documents.nodes import Members, Node
from keyaudit.model.documents.problems import FieldError, shown
from keyaudit.model.documents.reader import Keys, Reader, Version, day, one_of
from keyaudit.model.documents.yaml import YAML
from keyaudit.model.gating.waivers import Glob
from keyaudit.model.tables.usage import USAGE
from keyaudit.model.usage import Accepted
from keyaudit.model.values.guid import GUID
from keyaudit.model.values.times import DAY
from keyaudit.policy.waivers import MAX_DAYS

_NARROWEST = {4: 24, 6: 48}
"""The prefix of the classes of networks, by version of the protocol: `inventory.logs.groups`."""
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
    for name in ("app_id", "operation"):
        if not entry.networks and name not in entry.at.members:
            reader.problem(entry.at, f"no {name}", "it is required unless networks are named")
    return Accepted(
        app_id=entry.app_id,
        operation=entry.operation,
        target=Glob(entry.target),
        owner=entry.owner,
        reason=entry.reason,
        since=entry.since,
        ends=entry.until + DAY,
        networks=entry.networks,
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


def _network(_: Reader, node: Node, __: Keys) -> IPv4Network | IPv6Network:
    text = str(node)
    try:
        found = ip_network(text)
    except ValueError:
        raise FieldError(f"{shown(text)} is no network", "its address and prefix, such as 203.0.113.0/24") from None
    narrowest = _NARROWEST[found.version]
    if found.prefixlen > narrowest:
        raise FieldError(f"{shown(text)} is part of a network", f"networks are compared as /{narrowest}: name all of it")
    return found


class _Entry(Struct):
    at: Members
    owner: str
    reason: str
    until: Annotated[int, day]
    app_id: Annotated[str, _app_id] | None = None
    operation: Annotated[str, one_of(USAGE.by_name["operation"].values, "operation")] | None = None
    target: str = "*"
    since: Annotated[int, day] = 0
    networks: tuple[Annotated[IPv4Network | IPv6Network, _network], ...] = ()
    mailboxes: Annotated[int, _mailboxes] = 0


class _File(Struct):
    version: Version
    accept: tuple[_Entry, ...]
