"""The first page in words, for every format for people: its groups, the first step of each cause, the rest, and tier 0."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, structs

from keyaudit.model.evidence import LEFT_OUT
from keyaudit.model.results.causes import SHORT
from keyaudit.model.results.findings import Finding
from keyaudit.model.results.fixes import parts
from keyaudit.model.results.run import First, Report
from keyaudit.model.results.tier0 import LISTS, Principal
from keyaudit.model.severity import Severity
from keyaudit.model.values import times
from keyaudit.model.values.text import one_line
from keyaudit.report.lines import columns, listed, plural, wrap
from keyaudit.report.missing import PART, READ
from keyaudit.report.options import Options
from keyaudit.report.resource import names
from keyaudit.report.summary import severities

TOP = 10
"""The maximum number of causes on a screen."""
INDENT = " " * 4
"""Before the second line of a cause, and of the sentence about tier 0."""
ON_SCREEN = 3
"""The principals of tier 0 that a list of few findings names."""
_NAME = 32
_LEAST_NAME = 16
TIER0 = f"keyaudit report --full --select {LISTS}"
"""The command that lists the principals that control the tenant, each with how it signs in, its owners and its last sign-in."""


class Page(Struct, frozen=True):
    """The causes of a first page in order, one for each holder, and the number of all other causes by severity."""

    rows: Sequence[First]
    rest: Mapping[Severity, int]


def page(report: Report, most: int) -> Page:
    """The first page with room for `most` causes; all critical ones are on it, and need no room."""
    found = report.first()
    critical = sum(each.finding.severity is Severity.CRITICAL for each in found)
    chosen: dict[object, First] = {}
    rest = Counter({Severity(level): count for level, count in report.causes().open.items()})
    for each in found[: max(most, critical)]:
        rest[each.finding.severity] -= each.times
        holder = holder_of(each.finding) if each.times == 1 else each.finding.id
        before = chosen.setdefault(holder, each)
        if before is not each:
            also = len(each.finding.cause.also) if each.finding.cause else 0
            chosen[holder] = structs.replace(before, beside=before.beside + 1 + also)
    return Page([*chosen.values()], +rest)


def holder_of(finding: Finding) -> object:
    """Whom a line of the page is about: an application with its principal and credentials, else the subject."""
    app_id = finding.row.get("app_id")
    return ("application", app_id.lower()) if isinstance(app_id, str) else ("subject", finding.subject)


def beside(first: First) -> int:
    """The number of findings that the line of a cause stands for besides its head."""
    return first.beside + (len(first.finding.cause.also) if first.finding.cause else 0)


def others(rest: Mapping[Severity, int]) -> str:
    """ "And 241 more causes: 9 high, 232 medium"; empty if there are none."""
    count = sum(rest.values())
    return f"And {plural(count, 'more cause')}: {severities(rest)}" if count else ""


def tier0(report: Report, named: int = 0) -> str:
    """ "Tier 0: 9 principals outside Microsoft, 3 with a client secret (CI; Deploy; Sync) and 6 by federation", with so many of
    them by name; empty if not evaluated, though not where what it needs was left out.
    """
    found, part = report.tier0(), report.verdict.part
    if found is None:
        out = any(each.policy.id == LISTS and LEFT_OUT in each.needs for each in report.verdict.not_judged)
        return "Tier 0: not evaluated, because its data was left out" if out else ""
    if not found.count:
        return f"Tier 0: none outside Microsoft{READ if not found.whole else PART if part else ''}"
    shown = found.named[:named]
    ways = listed(
        [f"{count:,} {way}{_named(count, [each for each in shown if each.way is way])}" for way, count in found.ways.items()]
    )
    return (
        f"Tier 0: {'' if found.whole and not part else 'at least '}{plural(found.count, 'principal')} outside Microsoft, {ways}"
    )


def tier0_named(report: Report, most: int, room: int = 1_000) -> Iterator[str]:
    """Each of them in at most `room` columns, the easiest to steal first, and how many more there are."""
    found = report.tier0()
    if found is not None:
        yield from (_principal(each, room) for each in found.named[:most])
        if found.count > len(found.named[:most]):
            yield f"and {found.count - len(found.named[:most]):,} more"


def _named(count: int, some: Sequence[Principal]) -> str:
    """ " (CI; Deploy, no use recorded; and 3 more)"; empty without one."""
    if not some:
        return ""
    said = [", ".join([cut(one_line(each.name), _NAME), *_unused(each)]) for each in some]
    said += [f"and {count - len(some):,} more"] if count > len(some) else []
    return f" ({'; '.join(said)})"


def _unused(each: Principal) -> Iterator[str]:
    if each.last_sign_in is None:
        yield "no use recorded" if each.sign_ins_read else "its last use was not read"


def _owned(each: Principal) -> Iterator[str]:
    """Who can become it; nothing if nobody owns it, or it has no registration here."""
    if each.owners:
        yield f"owned by {'' if each.owners_read else 'at least '}{plural(each.owners, 'user')}"
    elif each.owners is not None and not each.owners_read:
        yield "owners not read"


def _principal(each: Principal, room: int) -> str:
    """ "Tenant Automation: with a certificate in no vault, owned by 2 users, last used 2026-11-19".

    A name is cut rather than what is said of it, but not to less than `_LEAST_NAME` columns.
    """
    used = _unused(each) if each.last_sign_in is None else [f"last used {times.iso_date(each.last_sign_in)}"]
    said = f": {', '.join([each.way, *_owned(each), *used])}"
    return f"{cut(one_line(each.name, _NAME), min(_NAME, max(_LEAST_NAME, room - columns(said))))}{said}"


def tier0_lines(report: Report, options: Options, named: int = ON_SCREEN) -> list[str]:
    """The same in lines, and the command that lists them if they are not all named."""
    said = tier0(report, named)
    lines = wrap(said, options.page, rest=INDENT) if said else []
    found = report.tier0()
    if options.hints and found is not None and found.count > named:
        lines.append(INDENT + " ".join(filter(None, (TIER0, " ".join(options.sources), options.choice))))
    return lines


def owner(first: First, room: int) -> str:
    """ "owner ada@contoso.example and 1 more", in at most `room` columns; empty if none is known."""
    known = first.owner.names
    if first.owner.reason or not known:
        return ""
    more = f" and {len(known) - 1:,} more" if len(known) > 1 else ""
    return f"owner {cut(one_line(next(names(known))), room - len('owner ') - len(more))}{more}"


def step(finding: Finding, room: int) -> str:
    """How the fix begins: a command that fits, or the first sentence of a text. `explain` has the rest."""
    first = next(iter(parts(finding.fix, finding.steps)), None)
    begins = first.lines[0] if first else ""
    if first is None or not first.is_command:
        return cut(one_line(begins.partition(". ")[0], 1_000), room)
    command = one_line(begins, 1_000)
    return command if columns(command) <= room else f"keyaudit explain {finding.id[:SHORT]}"


def cut(text: str, room: int) -> str:
    """The text, cut after a word if it is longer than `room` columns."""
    if columns(text) <= room:
        return text
    short_ = text[: room - 1]
    head, space, _ = short_.rpartition(" ")
    return f"{head if space and len(head) > room // 2 else short_}…"
