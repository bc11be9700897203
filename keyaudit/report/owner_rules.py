"""The findings without an owner, and the rules for owners that would match most of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome, Value
from keyaudit.model.values.text import one_line
from keyaudit.report.lines import plural

READ = frozenset(
    {
        "vault_id",
        "resource_id",
        "vault_name",
        "resource_group",
        "subscription_id",
        "subscription_name",
        "app_id",
        "holder_name",
        "tags",
    }
)
"""The columns that rules look at, besides name."""
_APPLICATIONS = frozenset({"application", "service_principal", "blueprint"})
_NARROW = ("tags", "vault", "application", "resource_group", "subscription")
"""The patterns of a rule, the narrowest first: of rules that catch as many, the narrowest is proposed."""
_MOST_TAGS = 20


class Proposed(Struct, frozen=True, kw_only=True):
    """A rule for owners: the pattern, its value, and the number of findings that no earlier proposal catches."""

    pattern: str
    value: str
    count: int
    tag: str = ""
    """For a rule by tag: its name."""
    called: str = ""
    """For an application or a subscription: its display name."""

    @property
    def words(self) -> str:
        """ "vault kv-orders", "tag team=pay"."""
        return one_line(f"tag {self.tag}={self.value}" if self.tag else f"{self.pattern.replace('_', ' ')} {self.value}")

    @property
    def toml(self) -> str:
        """Its line in keyaudit.toml; JSON's texts are TOML's."""
        value = _quoted(self.value)
        return f"tags = {{ {_quoted(self.tag)} = {value} }}" if self.tag else f"{self.pattern} = {value}"


def _quoted(text: str) -> str:
    return msgspec.json.encode(one_line(text, 1_000)).decode()


class Unowned(Struct, frozen=True, kw_only=True):
    """How many open findings have no owner, and the rules that would give them one, the most effective first."""

    findings: int
    without: int
    proposed: tuple[Proposed, ...]


_Way = tuple[str, str, str]
"""A pattern, its value, and the name of a tag."""


def unowned(owned: Iterable[tuple[Owner, Finding]], most: int = 1) -> Unowned:
    """Counts the open findings, and proposes `most` rules. Findings whose owner is unknown are not without one."""
    total = 0
    ways: list[frozenset[_Way]] = []
    called: dict[str, str] = {}
    for owner, finding in owned:
        if finding.outcome is not Outcome.FAIL:
            continue
        total += 1
        if not owner.names and owner.reason is None:
            ways.append(frozenset(_ways(finding, called)))
    return Unowned(findings=total, without=len(ways), proposed=tuple(_proposed(ways, called, most)))


def _proposed(ways: Sequence[frozenset[_Way]], called: dict[str, str], most: int) -> Iterator[Proposed]:
    left = list(ways)
    for _ in range(most):
        counts = Counter(way for each in left for way in each)
        if not counts:
            return
        (pattern, value, tag), count = min(counts.items(), key=lambda each: (-each[1], _NARROW.index(each[0][0]), each[0]))
        yield Proposed(pattern=pattern, value=value, count=count, tag=tag, called=called.get(value, ""))
        left = [each for each in left if (pattern, value, tag) not in each]


def _ways(finding: Finding, called: dict[str, str]) -> Iterator[_Way]:
    """Every rule that would match a finding by a value that it has."""
    row, table = finding.row, finding.policy.table
    tags = row.get("tags")
    if isinstance(tags, dict):
        yield from (("tags", value, name) for name, value in sorted(tags.items())[:_MOST_TAGS] if value)
    texts = {
        "vault": row.get("name") if table == "vault" else row.get("vault_name"),
        "application": row.get("app_id"),
        "resource_group": row.get("resource_group"),
        # By its id, since not every row has the name.
        "subscription": row.get("subscription_id") or _subscription_of(row),
    }
    for pattern, value in texts.items():
        if isinstance(value, str) and value and not {"*", "?"} & {*value}:
            yield (pattern, value, "")
    if isinstance(texts["subscription"], str) and isinstance(row.get("subscription_name"), str):
        called[texts["subscription"]] = str(row["subscription_name"])
    name = row.get("name" if table in _APPLICATIONS else "holder_name")
    if isinstance(texts["application"], str) and isinstance(name, str):
        called[texts["application"]] = name


def _subscription_of(row: Mapping[str, Value]) -> str:
    """The subscription in the id of a row, or of its vault, as the rules for owners find it."""
    path = str(row.get("vault_id") or row.get("resource_id") or "").lower().split("/")
    return path[2] if path[:2] == ["", "subscriptions"] and len(path) > 2 else ""


def sentence(found: Unowned) -> str:
    """How many findings have no owner, and which rule would match most; empty if each has one."""
    if not found.without:
        return ""
    has = "has" if found.without == 1 else "have"
    said = f"{found.without:,} of {plural(found.findings, 'finding')} {has} no owner."
    if found.proposed:
        best = found.proposed[0]
        called = f" ({one_line(best.called)})" if best.called else ""
        said += f" An [owners] rule for {best.words}{called} would match {best.count:,}: keyaudit explain settings"
    return said


def member(found: Unowned) -> dict[str, object]:
    """The same for programs."""
    return {
        "findings": found.findings,
        "without": found.without,
        "proposed": [
            {"pattern": each.pattern, "tag": each.tag or None, "value": each.value, "count": each.count}
            for each in found.proposed
        ],
    }


def toml(found: Unowned) -> Iterator[str]:
    """The proposed rules as comments for keyaudit.toml, to be edited."""
    for each in found.proposed:
        called = f", {one_line(each.called)}" if each.called else ""
        yield f"# [[owners.rules]]                            # {plural(each.count, 'finding')} without an owner{called}"
        yield '# owner = "TEAM"'
        yield f"# {each.toml}"
