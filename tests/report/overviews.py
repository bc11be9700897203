"""A fixed overview of the fixed report's inventory, and the same with a hostile text in every place of the tenant's."""

from keyaudit.model.reasons import Reason
from keyaudit.model.results.expiring import Ending, Owner
from keyaudit.model.results.findings import PolicyText, Value
from keyaudit.model.results.overview import (
    AgeGroup,
    Ages,
    Calendar,
    Custody,
    Due,
    Migration,
    Moving,
    Overview,
    Reach,
    Span,
    Wave,
)
from keyaudit.model.tables.reach import OF_KEYS, WHO
from keyaudit.model.values.times import DAY

COUNTED = tuple(f"{who}_{action}" for action in OF_KEYS for who in WHO)


def overview(aged: PolicyText, key: dict[str, Value], as_of: int, text: str = "") -> Overview:
    """What stands beside the findings. `text`: what every name is, if anything."""
    team = Owner((text or "team-release",), text or "tag owner", None)
    nobody = Owner((), "", None)
    many = Owner(tuple(text or f"user-{number}" for number in range(5)), text or "Entra owners", None)
    group = AgeGroup(kind="purpose sign", limit=730 * DAY, width=730 * DAY // 8, bins={0: 2, 7: 1, 15: 1, 23: 1}, undated=1)
    return Overview(
        calendar=Calendar(
            owners=(
                Due(team, {Span.OVERDUE: 1, Span.QUARTER: 2}),
                Due(many, {Span.WEEK: 1}),
                Due(Owner((), "", Reason.PERMISSION), {Span.UNKNOWN: 1}),
                Due(nobody, {Span.LATER: 3}),
            ),
            months={"2026-11": 1, "2027-02": 2, "2027-10": 3},
            soonest=(
                Ending(team, "key", key, as_of - 3 * DAY, retired=False),
                Ending(nobody, "key", {**key, "expires_on": as_of + 3 * DAY}, as_of + 3 * DAY, retired=False),
            ),
            retired=2,
            complete=False,
        ),
        ages=(Ages(policy=aged, groups=(group,), unplaced=1),),
        custody=(
            Custody(environment=text or "prod", environment_unknown=None, custody="vault-hsm", count=3),
            Custody(environment=text or "prod", environment_unknown=None, custody="software", count=1),
            Custody(environment=None, environment_unknown=None, custody="managed-hsm", count=1),
            Custody(environment=None, environment_unknown=Reason.PERMISSION, custody=None, count=2),
        ),
        migration=Migration(
            owners=(
                Moving(team, {Wave.FIRST: 2, Wave.SECOND: 1}),
                Moving(nobody, {Wave.IN_TIME: 3, Wave.UNAFFECTED: 1}),
                Moving(Owner((), "", Reason.PERMISSION), {Wave.UNKNOWN: 1}),
            ),
            algorithms=(Moving("RSA-2048", {Wave.FIRST: 2, Wave.IN_TIME: 3}), Moving(text or "AES", {Wave.UNAFFECTED: 1})),
            complete=False,
        ),
        reach=(
            Reach(vault=text or "kv-prod", keys=9, names=(text or "codesign", "new"), counts=dict.fromkeys(COUNTED, (2, 4))),
            Reach(vault="kv-old", keys=1, names=("old",), counts=dict.fromkeys(COUNTED, (1, None))),
            Reach(vault="kv-dark", keys=1, names=("dark",), counts=dict.fromkeys(COUNTED)),
        ),
        reach_left_out=4,
    )


def nothing() -> Overview:
    """Of a tenant in which nothing was read."""
    calendar = Calendar(owners=(), months={}, soonest=(), retired=0, complete=True)
    none = Migration(owners=(), algorithms=(), complete=True)
    return Overview(calendar=calendar, ages=(), custody=(), migration=none, reach=None, reach_left_out=0)
