"""Who is at work: principals and credentials that Entra's reports of last use show, and that can still sign in; and addresses
from which the logs show vaults in use, and which the vaults still let in.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from keyaudit.model.values.times import DAY, iso_date, parse_time
from keyaudit.simulator.estate import Application, Estate, ManagedHsm, ServicePrincipal, Vault

_RECENT = 30 * DAY


Callers = Iterable[tuple[str, str]]
"""Names of vaults, each with an address that the logs of the last 30 days show there."""


def callers(log: Iterable[Mapping[str, Any]], now: int) -> set[tuple[str, str]]:
    """Who used a key in the records of a vault's log."""
    return {
        (str(each["Id"]).removeprefix("https://").partition(".")[0], each["CallerIpAddress"])
        for each in log
        if "/keys/" in str(each["Id"]) and each["HttpStatusCode"] < 300 and parse_time(each["TimeGenerated"]) > now - _RECENT
    }


def at_work(estate: Estate, now: int, called: Callers = ()) -> dict[str, str]:
    """By name, what a step that cuts them off must say: the day of the last use of each service principal and credential that
    was used in the last 30 days, and the address of each caller of a vault.
    """
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
    boxes: list[Vault | ManagedHsm] = [*estate.vaults, *estate.hsms]
    open_ = {one.name for one in boxes if _lets_everybody_in(one)}
    return {
        **{name: iso_date(moment) for moment, name in last},
        **{f"caller {address} of {vault}": address for vault, address in called if vault in open_},
    }


def _lets_everybody_in(vault: Vault | ManagedHsm) -> bool:
    return vault.public_network_access != "Disabled" and vault.default_action != "Deny"


def unsaid(before: Mapping[str, str], after: Mapping[str, str], findings: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Who lost access although a fix that was carried out does not say it: the day of the last use, or the address."""
    lost = before.keys() - after.keys()
    for finding in findings:
        said = " ".join(step.get("breaks", "") for step in finding["steps"])
        yield from (
            f"{name}, at work: {before[name]} ({finding['policy']})" for name in sorted(lost) if before[name] not in said
        )
