"""Reads a file of waivers, and reports all problems with their places. Refuses waivers without an end, or that cover
everything.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from keyaudit.model.times import DAY, parse_date
from keyaudit.model.waivers import Glob, Waiver
from keyaudit.policy import yaml
from keyaudit.policy.nodes import Items, Members, Node, Scalar
from keyaudit.policy.problems import PolicyError, nearest, shown
from keyaudit.policy.reader import Reader, content

MAX_DAYS = 366
"""The maximum duration of a waiver, from its creation date, or from today if it has none."""

MAX_COVERAGE_DAYS = 30
"""The same for a waiver that covers coverage."""

_REQUIRED = ("id", "match", "reason", "owner", "approved_by", "expires")
_OPTIONAL = ("created", "ticket", "compensating_control", "covers", "allow_critical")
_NEEDED = "it is required"
_MATCH = ("policy", "resource")
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

    Raises PolicyError, a UsageError, with every problem of the file. An expired waiver is not a problem.
    """
    return parse_waivers(content(path), file=str(path), policies=policies, today=today)


def parse_waivers(data: bytes, *, file: str, policies: Collection[str], today: int) -> tuple[Waiver, ...]:
    """The waivers in a file's content, like `load_waivers`; `file` is its name in errors."""
    try:
        document = yaml.read(yaml.decode(data))
    except yaml.YamlError as error:
        raise PolicyError([error.problem(file)]) from None
    reader = _Reader(file, policies, today)
    found = reader.waivers(document)
    if reader.problems:
        raise PolicyError(reader.problems)
    return found


class _Reader(Reader):
    """The reader of a file of waivers."""

    def __init__(self, file: str, policies: Collection[str], today: int) -> None:
        super().__init__(file)
        self._policies = policies
        self._today = today - today % DAY
        self._ids: dict[str, int] = {}

    def waivers(self, document: Node) -> tuple[Waiver, ...]:
        if not isinstance(document, Members):
            self.problem(document, "not a mapping", "begin with version: 1, then waivers:")
            return ()
        self.members(document, ("version", "waivers"), (), _NEEDED)
        version = document.members.get("version")
        if version is not None and self.text(version) != "1":
            self.problem(version, f"version {shown(self.text(version))}", "this is version 1")
        listed = document.members.get("waivers")
        if listed is not None and not isinstance(listed, Items):
            # `waivers:` without entries is left after the last one is removed.
            if not (isinstance(listed, Scalar) and not listed.text):
                self.problem(listed, "not a list", "write - before each waiver")
            return ()
        found = [self._waiver(item) for item in (listed.items if isinstance(listed, Items) else ())]
        return tuple(waiver for waiver in found if waiver is not None)

    def _waiver(self, node: Node) -> Waiver | None:
        if not isinstance(node, Members):
            self.problem(node, "not a waiver", f"a mapping of {', '.join(_REQUIRED)}")
            return None
        before = len(self.problems)
        self.members(node, _REQUIRED, _OPTIONAL, _NEEDED)
        fields = node.members
        texts = {name: self.text(fields[name]) for name in (*_REQUIRED, *_OPTIONAL) if name in fields and name != "match"}
        self._id(fields.get("id"), texts.get("id", ""))
        covers = texts.get("covers", "findings")
        if covers not in ("findings", "coverage"):
            self.problem(fields["covers"], f"covers {shown(covers)}", "findings, or coverage for what was not read")
        policy, resource = self._match(fields.get("match"))
        last = self._date(fields.get("expires"))
        created = self._date(fields.get("created"))
        self._life(fields.get("expires"), created, last, coverage=covers == "coverage")
        critical = texts.get("allow_critical", "false")
        if critical not in ("true", "false"):
            self.problem(fields["allow_critical"], f"{shown(critical)} is neither true nor false")
        if len(self.problems) > before or last is None or policy is None or resource is None:
            return None
        return Waiver(
            id=texts["id"],
            policy=policy,
            resource=resource,
            reason=texts["reason"],
            owner=texts["owner"],
            approved_by=texts["approved_by"],
            ends=last + DAY,
            created=created,
            ticket=texts.get("ticket", ""),
            compensating_control=texts.get("compensating_control", ""),
            covers_coverage=covers == "coverage",
            allow_critical=critical == "true",
            place=f"{self.file}:{node.line}",
        )

    def _id(self, node: Node | None, text: str) -> None:
        if node is None or not text:
            return
        if _ID.fullmatch(text) is None:
            self.problem(node, f"{shown(text)} cannot be an id", "letters, digits, dots, - and _, at most 64")
        elif text in self._ids:
            self.problem(node, f"the id {text} is on line {self._ids[text]} too", "each waiver has an id of its own")
        self._ids.setdefault(text, node.line)

    def _match(self, node: Node | None) -> tuple[Glob | None, Glob | None]:
        if node is None:
            return None, None
        if not isinstance(node, Members):
            self.problem(node, "not a mapping", "write {policy: ..., resource: ...}")
            return None, None
        self.members(node, _MATCH, (), _NEEDED)
        texts: Mapping[str, str] = {name: self.text(node.members[name]) for name in _MATCH if name in node.members}
        policy, resource = texts.get("policy", ""), texts.get("resource", "")
        if policy and not any(Glob(policy).matches(known) for known in self._policies):
            self.problem(node.members["policy"], f"no policy matches {shown(policy)}", nearest(policy, self._policies))
        if resource and not names_something(resource):
            what = f"{shown(resource)} names no resource"
            self.problem(
                node.members["resource"], what, "a waiver is for something in particular; --ignore leaves a policy out"
            )
        return (Glob(policy) if policy else None), (Glob(resource) if resource else None)

    def _date(self, node: Node | None) -> int | None:
        if node is None:
            return None
        text = self.text(node)
        try:
            return parse_date(text) if text else None
        except ValueError:
            self.problem(node, f"{shown(text)} is no date", "write the last valid day, as in 2027-01-31")
            return None

    def _life(self, node: Node | None, created: int | None, last: int | None, *, coverage: bool) -> None:
        if node is None or last is None:
            return
        if created is not None and last < created:
            self.problem(node, "it ends before it was made")
        most = MAX_COVERAGE_DAYS if coverage else MAX_DAYS
        if last - (self._today if created is None else created) > most * DAY:
            since = "from today" if created is None else "from the day it was made"
            what = "a waiver over what was not read runs" if coverage else "a waiver runs"
            self.problem(node, f"{what} {most} days at most, {since}", "choose an earlier day, and renew it then")
