"""Digests of the changes since the last snapshot: one per owner, and one for resources without an owner.

Names of the tenant are plain text here. Chat and ticket systems read mentions, links and markup in text: for them, `spelled`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, structs

from keyaudit.model.changes.difference import Change, Changed, Difference
from keyaudit.model.coverage import ScopeKind
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import ADVICE
from keyaudit.model.results.causes import SHORT
from keyaudit.model.results.expiring import Ending, Owner
from keyaudit.model.results.findings import Finding, Outcome
from keyaudit.model.results.run import Expiring, Report
from keyaudit.model.severity import Severity
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.changes.difference import compare
from keyaudit.report.endings import name
from keyaudit.report.findings.causes import problems, same_cause
from keyaudit.report.findings.first import step
from keyaudit.report.lines import listed, plural
from keyaudit.report.missing import by_needs, extent
from keyaudit.report.summary import SIMULATED

TOLD = 5
"""The maximum number of changes in a digest, unless more of them are critical."""
MOST = 25
"""The maximum number of digests of one run for owners without an address of their own; further ones are counted in the last."""
LOOK_AHEAD = 30 * times.DAY
_GRAVE = (Severity.CRITICAL, Severity.HIGH)
_WEEK = 7 * times.DAY
_DARK = "no longer readable"
_RECOVERED = "gate passes again"
_CRITICAL = "new critical"
_KINDS = (_RECOVERED, _CRITICAL, "new high", _DARK, "expired", "expiring within 7 days", "expiring within {}")
"""The kinds of changes in display order."""
_EXPIRED = _KINDS.index("expired")
_NAME, _MESSAGE = 120, 200

_ACTS = {"<": "\\x3c", ">": "\\x3e", "[": "\\x5b", "]": "\\x5d", "`": "\\x60", "*": "\\x2a", "~": "\\x7e", "|": "\\x7c"}
_SPELLED = str.maketrans({**_ACTS, "@": "(at)"})


class Digest(Struct, frozen=True):
    """One message, in plain text. `owners`: whom it is for, as the tenant says it; empty for resources without an owner."""

    title: str
    body: str
    owners: tuple[str, ...] = ()


class _News(Struct, frozen=True, order=True):
    """One change. `kind`: its index in `_KINDS`."""

    kind: int
    text: str


def inert(text: str, limit: int = _NAME) -> str:
    """One line of text without mentions, links, entities, markup or commands for any channel."""
    return _spelled(one_line(text, limit))


def spelled(digest: Digest, *, mail: bool) -> Digest:
    """The digest for one channel. Mail shows text as it is, except that some programs make links of addresses."""
    spell = _unlinked if mail else _spelled
    return structs.replace(digest, title=spell(digest.title), body="\n".join(map(spell, digest.body.splitlines())))


def _unlinked(text: str) -> str:
    return re.sub(r"(?<=www)\.", r"\\x2e", text, flags=re.IGNORECASE).replace("://", ":\\x2f/")


def _spelled(text: str) -> str:
    shown = text.translate(_SPELLED)
    shown = re.sub(r"&(?=#?\w{1,31};)", r"\\x26", shown)
    shown = _unlinked(shown)
    # Within a word it is an ordinary character; at its edge it means emphasis.
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\x5f", shown)


def ends_soon(found: Expiring) -> dict[str, int]:
    """By id, the range in which each resource in use expires."""
    return {_id(each): span for each in found.endings() if (span := _span(each, found)) is not None}


def digests(
    before: Report,
    after: Report,
    ended: Mapping[str, int],
    ending: Expiring,
    gate: Severity,
    *,
    has_address: Callable[[Sequence[str]], bool] = lambda _: False,
) -> list[Digest]:
    """The digests, the most severe first; none without changes.

    `ended`: the result of `ends_soon` for the earlier snapshot, looking as far ahead. `gate`: the lowest severity that fails a
    gate. `has_address`: whether these owners have an address of their own, so that their digest is never left out.
    """
    news: dict[tuple[str, ...], list[_News]] = defaultdict(list)
    found = compare(before, after)
    lost = any(each.change is Change.DARK and _gates(each, gate) for each in found.changes)
    if not _green(before, gate) and _green(after, gate) and not lost:
        news[()].append(
            _News(
                _KINDS.index(_RECOVERED),
                f"no open findings at {gate} or above{extent(after.verdict)}, and everything required was read",
            )
        )
    news[()] += _dark(found)
    for owner, item in _owned(before, after, _worth_telling(found.changes)):
        news[owner.names].append(item)
    for each in ending.endings():
        span = _span(each, ending)
        if span is not None and span < ended.get(_id(each), len(_KINDS)):
            news[each.owner.names].append(_ends(each, span))
    kinds = [kind.format(plural((ending.before - ending.run.as_of) // times.DAY, "day")) for kind in _KINDS]
    return _written(news, found, kinds, has_address)


def _worth_telling(changes: Iterable[Changed]) -> dict[tuple[str, str], Changed]:
    """By policy and subject: findings that are new, raised or no longer readable, of severity high and critical."""
    return {(each.policy, each.subject): each for each in changes if _kind(each) is not None}


def _kind(each: Changed) -> str | None:
    if each.change is Change.DARK:
        return _DARK if each.before in _GRAVE else None
    raised = each.before is None or (each.after is not None and each.before.rank < each.after.rank)
    return f"new {each.after}" if each.after in _GRAVE and raised else None


def _owned(before: Report, after: Report, changed: Mapping[tuple[str, str], Changed]) -> Iterator[tuple[Owner, _News]]:
    """The changes with their owner, from the newer report, or from the earlier one for missing resources.

    Those of one cause and owner are told once.
    """
    left = dict(changed)
    for report in (after, before):
        of_this = {key for key, each in left.items() if (each.change is Change.DARK) == (report is before)}
        told: dict[object, list[tuple[Owner, Finding, Changed]]] = defaultdict(list)
        for owner, finding in report.owned(False) if of_this else ():
            key = (finding.policy.id, finding.subject)
            # A subject may have several rows; waived ones are known already.
            if key in of_this and key in left and finding.outcome is Outcome.FAIL:
                of = (finding.cause.key, owner.names) if finding.cause else key
                told[of].append((owner, finding, left.pop(key)))
        for same in told.values():
            first, *others = sorted(same, key=lambda each: (_KINDS.index(_kind(each[2]) or ""), not each[1].leads))
            owner, finding, each = first
            also = listed([one_line(problem, _NAME) for problem in problems(other.policy.problem for _, other, _ in others)])
            yield owner, _finding(each, finding, f"; also: {also}" if also else "")


def _finding(each: Changed, finding: Finding, also: str) -> _News:
    """What changed, with what `explain` takes; a critical one with its first step. `also`: the same cause's other changes."""
    kind = _kind(each) or ""
    said = "" if kind == _DARK else f": {one_line(each.message, _MESSAGE)}"
    of = one_line(same_cause(finding), _MESSAGE)
    head = f"; {of}" if of else ""
    fix = f"; fix: {step(finding, _MESSAGE)}" if kind == _CRITICAL else ""
    text = f"{finding.id[:SHORT]} {one_line(each.problem, _NAME)}: {one_line(each.resource, _NAME)}{said} ({each.policy}){also}"
    return _News(_KINDS.index(kind), f"{text}{head}{fix}")


def _dark(found: Difference) -> Iterator[_News]:
    for each in found.dark:
        called = found.new.tenant_name if each.scope.kind is ScopeKind.TENANT else each.scope.name
        text = f"{each.scope.kind} {one_line(called or each.scope.id, _NAME)}: {ADVICE[each.reason].meaning} ({each.reason})"
        yield _News(_KINDS.index(_DARK), text)
    if found.unevaluated:
        text = (
            f"{plural(len(found.unevaluated), 'policy is', 'policies are')} no longer evaluated: {by_needs(found.unevaluated)}"
        )
        yield _News(_KINDS.index(_DARK), one_line(text, _MESSAGE))


def _ends(each: Ending, span: int) -> _News:
    day = times.iso_date(each.expires_on or 0)
    return _News(span, f"{one_line(name(each), _NAME)}, {'expired' if span == _EXPIRED else 'expires'} {day}")


def _span(each: Ending, found: Expiring) -> int | None:
    """The kind of its end; None if it is not in use, expires later, or has an unknown date."""
    if each.retired or each.expires_on is None or each.expires_on > found.before:
        return None
    left = each.expires_on - found.run.as_of
    return _EXPIRED + (0 if left <= 0 else 1 if left <= _WEEK else 2)


def _id(each: Ending) -> str:
    return f"{each.table} {each.row['id']}"


def _gates(each: Changed, gate: Severity) -> bool:
    """Whether the finding, as it was, failed the gate."""
    return each.before is not None and each.before.rank >= gate.rank


def _green(report: Report, gate: Severity) -> bool:
    """Whether a gate would pass."""
    verdict = report.verdict
    open_ = [of.get(each, 0) for of in (verdict.failed, verdict.known) for each in Severity if each.rank >= gate.rank]
    return verdict.exit is Exit.CLEAN and not any(open_)


def _written(
    news: Mapping[tuple[str, ...], Sequence[_News]],
    between: Difference,
    kinds: Sequence[str],
    has_address: Callable[[Sequence[str]], bool],
) -> list[Digest]:
    """One digest per owner, the most severe first, and the one without an owner last."""
    owners = sorted((names for names in news if names), key=lambda names: (min(news[names]).kind, names))
    others = [names for names in owners if not has_address(names)]
    more = others[MOST - 1 :]
    left_out = set(more)
    found = [_digest(names, news[names], between, kinds, ()) for names in owners if names not in left_out]
    if news.get(()) or more:
        rest = sum(len(news[names]) for names in more)
        note = (f"{plural(len(more), 'more owner has', 'more owners have')} {plural(rest, 'change')}.",) if more else ()
        found.append(_digest((), news.get((), ()), between, kinds, note))
    return found


def _digest(
    owners: tuple[str, ...], news: Sequence[_News], between: Difference, kinds: Sequence[str], notes: Sequence[str]
) -> Digest:
    new = between.new
    tenant = one_line(new.tenant_name or new.tenant_id, _NAME)
    count = Counter(each.kind for each in news)
    counts = ", ".join(f"{count[number]:,} {word}" for number, word in enumerate(kinds) if count[number])
    lines = [SIMULATED] if new.simulated else []
    lines.append(f"{tenant}, since {times.iso_time(between.old.as_of)}: {counts or 'no changes'}.")
    # A gate that passes again has nothing critical.
    told = max(TOLD, count[_KINDS.index(_CRITICAL)])
    lines += [f"- {kinds[each.kind]}: {each.text}" for each in sorted(news)[:told]]
    if len(news) > told:
        lines.append(f"and {len(news) - told:,} more; keyaudit diff and keyaudit expiring list all of them.")
    simulated = ", simulated tenant" if new.simulated else ""
    of = ", ".join(one_line(owner, _NAME) for owner in owners) or "no owner known"
    return Digest(f"keyaudit{simulated}: {tenant}, {of}", "\n".join([*lines, *notes]), owners)
