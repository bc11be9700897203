"""Who is at work: principals and credentials that Entra's reports of last use show, and that can still sign in."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from keyaudit.model.times import DAY, iso_date
from keyaudit.simulator.estate import Application, Estate, ServicePrincipal

_RECENT = 30 * DAY


def at_work(estate: Estate, now: int) -> dict[str, str]:
    """By name, the day of the last use of each service principal and credential that was used in the last 30 days."""
    enabled = {one.app_id for one in estate.service_principals if one.enabled is not False}
    holders: list[Application | ServicePrincipal] = [*estate.applications, *estate.service_principals]
    there = {
        key_id for one in holders for key_id in (*(each.key_id for each in one.passwords), *(each.key_id for each in one.keys))
    }
    used = [
        *((f"service principal {one.app_id}", one.app_only) for one in estate.sign_ins if one.app_id in enabled),
        *((f"credential {one.key_id} of {one.app_id}", one.last) for one in estate.credential_uses if one.key_id in there),
    ]
    last = sorted((moment, name) for name, moment in used if moment is not None and moment > now - _RECENT)
    return {name: iso_date(moment) for moment, name in last}


def unsaid(before: Mapping[str, str], after: Mapping[str, str], findings: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Who lost access although a fix that was carried out does not name the day on which it was last at work."""
    lost = before.keys() - after.keys()
    for finding in findings:
        said = " ".join(step.get("breaks", "") for step in finding["steps"])
        yield from (
            f"{name}, at work on {before[name]} ({finding['policy']})" for name in sorted(lost) if before[name] not in said
        )
