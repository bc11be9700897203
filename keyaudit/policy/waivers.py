"""Reads a file of waivers, and reports all problems with their places. Refuses waivers without an end, or that cover
everything.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from msgspec import Struct

from keyaudit.inventory.disk import input_file
from keyaudit.model.documents.format import MAX_SIZE
from keyaudit.model.documents.nodes import Members, Node, Scalar
from keyaudit.model.documents.problems import FieldError, nearest, shown
from keyaudit.model.documents.reader import Keys, Reader, Version, day, one_of
from keyaudit.model.documents.yaml import YAML
from keyaudit.model.gating.waivers import Glob, Waiver
from keyaudit.model.values.times import DAY

MAX_DAYS = 366
"""The maximum duration of a waiver, from its creation date, or from today if it has none."""

MAX_COVERAGE_DAYS = 30
"""The same for a waiver that covers coverage."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_WORDS = re.compile(r"[*?/\s]+")
# Parts that every id of its kind has: a pattern with nothing else names no resource.
_EVERYWHERE = frozenset(
    {
        "subscriptions", "resourcegroups", "providers", "microsoft.keyvault", "vaults", "managedhsms", "keys", "secrets",
        "certificates", "versions", "tenants", "applications", "serviceprincipals", "credentials", "signingcertificates",
        "https:",
    }
)  # fmt: skip


def names_something(pattern: str) -> bool:
    """Whether a pattern over ids names a specific resource, not only parts that every id of its kind has."""
    return any(len(word) > 2 and word not in _EVERYWHERE for word in _WORDS.split(pattern.lower()))


def load_waivers(path: Path, *, policies: Collection[str], today: int) -> tuple[Waiver, ...]:
    """The waivers of a file, in order. `policies` are the known ids, `today` is a time on the current day.

    Raises UsageError, with every problem of the file. An expired waiver is not a problem.
    """
    return parse_waivers(input_file.read(path, MAX_SIZE), file=str(path), policies=policies, today=today)


def parse_waivers(data: bytes, *, file: str, policies: Collection[str], today: int) -> tuple[Waiver, ...]:
    """The waivers in a file's content, like `load_waivers`; `file` is its name in errors."""
    reader = _Reader(file, policies, today)
    found = reader.read(reader.parse(data), _File)
    waivers = tuple(reader.waiver(entry) for entry in found.waivers) if found else ()
    reader.check()
    return waivers


class _Reader(Reader):
    """The reader of a file of waivers."""

    def __init__(self, file: str, policies: Collection[str], today: int) -> None:
        super().__init__(file, YAML)
        self.policies = policies
        self.lines: dict[str, int] = {}
        """The line of each id."""
        self._today = today - today % DAY

    def waiver(self, entry: "_Entry") -> Waiver:
        """The waiver of an entry, whose duration is checked."""
        coverage = entry.covers == "coverage"
        self._check_duration(entry, MAX_COVERAGE_DAYS if coverage else MAX_DAYS, coverage=coverage)
        return Waiver(
            id=entry.id,
            policy=entry.match.policy,
            resource=entry.match.resource,
            reason=entry.reason,
            owner=entry.owner,
            approved_by=entry.approved_by,
            ends=entry.expires + DAY,
            created=entry.created,
            ticket=entry.ticket,
            compensating_control=entry.compensating_control,
            covers_coverage=coverage,
            allow_critical=entry.allow_critical,
            place=self.place(entry.at),
        )

    def _check_duration(self, entry: "_Entry", most: int, *, coverage: bool) -> None:
        expires = entry.at.members["expires"]
        if entry.created is not None and entry.expires < entry.created:
            self.problem(expires, "it ends before its creation date")
        if entry.expires - (self._today if entry.created is None else entry.created) > most * DAY:
            since = "from today" if entry.created is None else "from its creation date"
            what = "a waiver for a gap is valid for" if coverage else "a waiver is valid for"
            self.problem(expires, f"{what} {most} days at most, {since}", "choose an earlier day, and renew it then")


def _id(reader: _Reader, node: Node, path: Keys) -> str:
    text = reader.string(node, path)
    if _ID.fullmatch(text) is None:
        raise FieldError(f"{shown(text)} cannot be an id", "letters, digits, dots, - and _, at most 64")
    if text in reader.lines:
        raise FieldError(f"the id {text} is on line {reader.lines[text]} too", "each waiver has an id of its own")
    reader.lines[text] = node.line
    return text


def _policy(reader: _Reader, node: Node, path: Keys) -> Glob:
    pattern = reader.string(node, path)
    if not any(Glob(pattern).matches(known) for known in reader.policies):
        raise FieldError(f"no policy matches {shown(pattern)}", nearest(pattern, reader.policies))
    return Glob(pattern)


def _resource(reader: _Reader, node: Node, path: Keys) -> Glob:
    pattern = reader.string(node, path)
    if not names_something(pattern):
        remedy = "a waiver must name specific resources; --ignore leaves out a whole policy"
        raise FieldError(f"{shown(pattern)} names no resource", remedy)
    return Glob(pattern)


class _Match(Struct):
    policy: Annotated[Glob, _policy]
    resource: Annotated[Glob, _resource]


class _Entry(Struct, kw_only=True):
    at: Members
    id: Annotated[str, _id]
    match: _Match
    reason: str
    owner: str
    approved_by: str
    expires: Annotated[int, day]
    created: Annotated[int | None, day] = None
    ticket: str = ""
    compensating_control: str = ""
    covers: Annotated[str, one_of(("findings", "coverage"))] = "findings"
    allow_critical: bool = False


def _entries(reader: _Reader, node: Node, _: Keys) -> tuple[_Entry, ...] | None:
    # `waivers:` without entries is left after the last one is removed.
    if isinstance(node, Scalar) and not node.text:
        return ()
    return reader.read(node, tuple[_Entry, ...])


class _File(Struct):
    version: Version
    waivers: Annotated[tuple[_Entry, ...], _entries]
