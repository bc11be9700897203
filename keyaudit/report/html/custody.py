"""The custody of keys by environment, and the keys that most principals can use."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from keyaudit.model.reasons import ADVICE
from keyaudit.model.results.overview import Custody, Reach
from keyaudit.model.tables.vaults.key import OUTSIDE
from keyaudit.model.values.text import visible
from keyaudit.report.facts import plain
from keyaudit.report.html.charts import Bars, bars, percent

KINDS: Mapping[str, str] = {
    "managed-hsm": "Managed HSM",
    "vault-hsm": "vault HSM",
    OUTSIDE: "HSM outside Azure",
    "software": "software",
    "unknown": "unknown",
}
"""Kinds of protection, the strongest first, by CSS class."""

COLUMNS: Mapping[str, str] = {
    "principals_signing": "can sign",
    "humans_signing": "of these users",
    "workloads_signing": "of these workloads",
    "foreign_signing": "of these external",
    "principals_decrypting": "can decrypt",
    "principals_backing_up": "can back up",
    "principals_granting": "can grant access",
}
"""The counted permissions, by column."""

_LED_BY = "principals_signing"
_ENVIRONMENTS = 10
_NAME = 40


class Kept(Struct, frozen=True):
    """The custody of keys by environment."""

    chart: Bars
    rows: Sequence[tuple[str, tuple[int, ...]]]
    """By environment, the number for each of `KINDS`."""


class Reached(Struct, frozen=True):
    """Keys of one vault that the same number of principals can use, with counts by column of `COLUMNS`."""

    vault: str
    keys: str
    counts: tuple[str, ...]
    certain: str
    """The length of the bar for principals that certainly can sign."""
    possible: str
    """The additional length for those that possibly can."""


def kept(found: Sequence[Custody]) -> Kept:
    """The environments with the most keys first, the rest together."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for each in found:
        kind = each.custody or "unknown"
        counts[_environment(each)][kind if kind in KINDS else "unknown"] += each.count
    ordered = sorted(counts.items(), key=lambda item: (-item[1].total(), item[0]))
    named, rest = ordered[:_ENVIRONMENTS], ordered[_ENVIRONMENTS:]
    if rest:
        others: Counter[str] = Counter()
        for _, counted in rest:
            others.update(counted)
        named.append((f"{len(rest):,} more environments", others))
    rows = [(name, {kind: counted[kind] for kind in KINDS}) for name, counted in named]
    return Kept(bars(rows), [(name, tuple(counted.values())) for name, counted in rows])


def reached(found: Sequence[Reach]) -> Sequence[Reached]:
    """The keys in the given order."""
    longest = max((most or least for each in found for least, most in [each.counts[_LED_BY] or (0, 0)]), default=0) or 1
    return [_reached(each, longest) for each in found]


def _reached(each: Reach, longest: int) -> Reached:
    least, most = each.counts[_LED_BY] or (0, None)
    more = each.keys - len(each.names)
    return Reached(
        visible(each.vault),
        visible(", ".join(each.names)) + (f" and {more:,} more" if more > 0 else ""),
        tuple(plain(None, each.counts[name]) or "unknown" for name in COLUMNS),
        percent(least * 100 / longest),
        percent(100 if most is None else (most - least) * 100 / longest),
    )


def _environment(each: Custody) -> str:
    if each.environment_unknown:
        return f"unknown ({ADVICE[each.environment_unknown].meaning})"
    return visible(each.environment, _NAME) if each.environment else "no environment named"
