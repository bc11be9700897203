"""A timeline of token-signing certificates of federation and SAML."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import nsmallest

from msgspec import Struct

from keyaudit.model.results.findings import Value
from keyaudit.model.results.run import Report
from keyaudit.model.values import times
from keyaudit.model.values.text import visible
from keyaudit.report.facts import Facts
from keyaudit.report.html.charts import percent, pixels

_MOST = 60
_DRAWN = 24
_BACK, _AHEAD = 365 * times.DAY, 3 * 365 * times.DAY
_ROW = 30
_HEAD = 36
_NAME = 34
_KINDS = {
    "federated-domain": "federated domain",
    "external-idp": "identity provider",
    "saml": "SAML",
    "application": "application",
}


class Signer(Struct, frozen=True, kw_only=True):
    """One certificate. `x` and `width` are its bar, limited to the chart; empty if its dates are unknown."""

    holder: str
    kind: str
    use: str
    """"active", "next", or empty if unknown."""
    starts: str
    ends: str
    when: str
    tone: str
    x: str
    width: str
    text_y: str
    bar_y: str


class Timeline(Struct, frozen=True, kw_only=True):
    """The certificates that expire first, unknown dates before all."""

    signers: Sequence[Signer]
    drawn: int
    """The number of certificates in the chart."""
    left_out: int
    years: Sequence[tuple[str, str]]
    """The position and label of each year."""
    now: str
    height: str


def timeline(report: Report) -> Timeline:
    """The certificates of the inventory."""
    listing = report.listing("signing_certificate")
    as_of = report.run.as_of
    soonest = nsmallest(_MOST, listing.rows(), key=lambda row: (_time(row, "expires_on", 0), str(row["id"])))
    signers = [_signer(row, number, as_of) for number, row in enumerate(soonest)]
    drawn = min(len(signers), _DRAWN)
    return Timeline(
        signers=signers,
        drawn=drawn,
        left_out=listing.count - len(signers),
        years=list(_years(as_of)),
        now=percent(_across(as_of, as_of)),
        height=pixels(_HEAD + drawn * _ROW),
    )


def _signer(row: Mapping[str, Value], number: int, as_of: int) -> Signer:
    facts = Facts("signing_certificate", row)
    starts, ends = facts.integer("starts_on"), facts.integer("expires_on")
    left = _across(as_of - _BACK if starts is None else starts, as_of)
    right = _across(as_of if ends is None else ends, as_of)
    over = ends is not None and ends <= as_of
    active = row.get("active")
    kind = facts.text("kind") or "unknown"
    return Signer(
        holder=visible(facts.text("holder_name") or facts.text("name") or facts.called, _NAME),
        kind=_KINDS.get(kind, visible(kind, _NAME)),
        use="" if active is None else "active" if active else "next",
        starts="unknown" if starts is None else times.iso_date(starts),
        ends="unknown" if ends is None else times.iso_date(ends),
        when="" if ends is None else _when(ends, as_of),
        tone="unknown" if ends is None else "over" if over else "bar" if active else "next",
        x=percent(left),
        width=percent(max(right - left, 0.6)),
        text_y=pixels(_HEAD + number * _ROW + 12),
        bar_y=pixels(_HEAD + number * _ROW + 17),
    )


def _when(ends: int, as_of: int) -> str:
    span = times.duration_text(abs(ends - as_of))
    return f"expired {span} ago" if ends <= as_of else f"in {span}"


def _years(as_of: int) -> Iterator[tuple[str, str]]:
    first = int(times.iso_date(as_of - _BACK)[:4]) + 1
    for year in range(first, first + 5):
        begins = times.parse_date(f"{year:04d}-01-01")
        # A label at the very edge would be cut off.
        if 3 <= _across(begins, as_of) < 100:
            yield percent(_across(begins, as_of)), str(year)


def _across(moment: int, as_of: int) -> float:
    """The position of a time in percent."""
    return min(max((moment - as_of + _BACK) * 100 / (_BACK + _AHEAD), 0.0), 100.0)


def _time(row: Mapping[str, Value], name: str, unknown: int) -> int:
    value = row.get(name)
    return value if isinstance(value, int) else unknown
