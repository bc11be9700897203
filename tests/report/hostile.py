"""The fixed report, with a hostile text in every place that a tenant, a proxy, a snapshot or a file beside it can fill."""

from collections.abc import Mapping

from msgspec import structs

from keyaudit.model.coverage import Scope, ScopeKind
from keyaudit.model.gating.waivers import Glob, State, Use
from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Owner
from keyaudit.model.results.findings import Finding, Outcome, Value
from keyaudit.model.results.run import Gap, Report
from keyaudit.model.results.settings import InForce
from keyaudit.model.scope.filters import Filters
from keyaudit.model.severity import Severity
from tests.report.example import (
    AS_OF,
    BLIND,
    CODESIGN,
    FINDINGS,
    OVERDUE,
    REPORT,
    RUN,
    VERDICT,
    catalogue,
    caused,
    causes,
    covered,
    first,
    listing_of,
    tallies,
    under,
    worst,
)
from tests.report.excused import SETTLED, WAIVER
from tests.report.overviews import overview

WAIVED = next(each for each in FINDINGS if each.policy is OVERDUE and each.outcome is Outcome.FAIL)


def hostile(payload: str) -> Report:
    """A report with `payload` in every text that a tenant, a proxy, a snapshot, a waiver or a setting can bring in."""
    scope = Scope(payload, payload, ScopeKind.VAULT)
    # An id that is not plain is refused where the file is read.
    waiver = structs.replace(
        WAIVER,
        resource=Glob(payload),
        reason=payload,
        owner=payload,
        approved_by=payload,
        ticket=payload,
        compensating_control=payload,
    )
    found = tuple(
        _poisoned(structs.replace(each, outcome=Outcome.WAIVED, waiver=waiver) if each is WAIVED else each, payload, scope)
        for each in FINDINGS
    )
    found = tuple(caused((each.by_itself() for each in found), payload))
    gaps = (
        Gap(scope=scope, reason=Reason.PERMISSION, operations=("key.list",), detail=payload, blinds=BLIND),
        Gap(scope=scope, reason=Reason.FIREWALL, operations=("key.list",), detail=payload, allowed=True),
        Gap(scope=scope, reason=Reason.TIMEOUT, operations=(payload,), detail=payload, required=False),
        Gap(scope=scope, reason=Reason.EXCLUDED_BY_CONFIG, operations=("key.list",), required=False),
    )
    return Report(
        run=structs.replace(
            RUN,
            run_id=payload,
            tenant_name=payload,
            tenant_id=payload,
            identity=payload,
            environment=payload,
            network={payload: payload},
            filters=Filters(subscriptions=(payload,)),
        ),
        verdict=structs.replace(
            VERDICT,
            gaps=gaps,
            gate=Severity.INFO,
            unused_allowances=(payload,),
            waivers=(Use(waiver, State.ACTIVE, 1), Use(waiver, State.EXPIRED, 0)),
            coverage=(covered(scope, payload, Reason.PERMISSION, detail=payload),),
        ),
        tallies=tallies(),
        causes=lambda: causes(found),
        first=lambda: [structs.replace(each, owner=Owner((payload, payload), "tag owner", None)) for each in first(found)],
        tier0=REPORT.tier0,
        settings=_settled(payload),
        findings=lambda passes: (each for each in found if passes or each.outcome is not Outcome.PASS),
        worst=lambda most: worst(found, most, Severity.INFO),
        listing=lambda table: listing_of(found, table),
        owned=lambda passes: (
            (Owner((payload, payload), "tag owner", None), each) for each in found if passes or each.outcome is not Outcome.PASS
        ),
        catalogue=catalogue,
        under=lambda profile: under(found, profile),
        overview=lambda: overview(OVERDUE, _poisoned_row(CODESIGN, payload), AS_OF, payload),
    )


def _settled(payload: str) -> InForce:
    limit = structs.replace(SETTLED.limits[0], value=payload, place=payload)
    held = structs.replace(SETTLED.classes[0], name=payload, match=payload, reason=payload, place=payload, limits=(limit,))
    return structs.replace(SETTLED, limits=(limit,), classes=(held,))


def _poisoned(each: Finding, payload: str, scope: Scope) -> Finding:
    poison, facts = _poison(payload), _poisoned_row(each.row, payload)
    return structs.replace(
        each,
        subject=payload,
        message=payload if each.outcome is Outcome.FAIL else each.message,
        expected=payload,
        row=facts,
        evidence={name: poison.get(type(value), value) for name, value in each.evidence.items()} | {payload: payload},
        fix={"cli": payload},
        scope=scope if each.scope else None,
    )


def _poisoned_row(row: Mapping[str, Value], payload: str) -> dict[str, Value]:
    poison = _poison(payload)
    facts = {name: value if name == "unknown" else poison.get(type(value), value) for name, value in row.items()}
    # These decide what a row is; they are ours.
    return facts | {name: row[name] for name in ("kind", "holder_kind") if name in facts}


def _poison(payload: str) -> dict[type, Value]:
    return {str: payload, list: [payload, payload], dict: {payload: payload, "owner": payload}}
