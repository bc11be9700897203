"""CSV: a line per grant on vaults, then other grants; then one for each group with unknown members, and each gap."""

from typing import TextIO

from keyaudit.questions.access.answer import Access, Reach, Way, Who
from keyaudit.report.tabular.cells import csv_rows, flag_cell, guarded, time_cell

_COLUMNS = (
    "record", "principal_id", "principal", "principal_kind", "sign_in", "home", "vault_id", "vault", "limited_to", "allows",
    "kind", "role", "custom", "scope", "through", "application_id", "condition", "standing", "expires_on", "grant_id",
    "api", "coverage_note",
)  # fmt: skip


def render(found: Access, out: TextIO) -> None:
    """Write it. `through` has the intermediate groups, the grant's own first. `out` must not translate line ends."""
    write = csv_rows(out, found.run, _COLUMNS)
    for reach in found.reaches:
        write(_reach(reach))
    for way in found.others:
        subject = {"principal_id": guarded(found.id), "principal": guarded(found.name), "principal_kind": guarded(found.note)}
        write({"record": "beside-vaults", **subject, **_way(way)})
    for each in found.open:
        write({"record": "not-all-known", **_who(each.who), "coverage_note": f"*:{each.reason}"})
    for record in found.unlisted:
        place = {"vault_id": guarded(record.scope.id), "vault": guarded(record.scope.name)}
        write({"record": "not-read", **place, "coverage_note": f"{record.operation}:{record.reason}"})
    for gap in found.verdict.gaps:
        place = {"record": "not-read", "vault_id": guarded(gap.scope.id), "vault": guarded(gap.scope.name)}
        write({**place, "coverage_note": f"*:{gap.reason}"})


def _who(who: Who) -> dict[str, str]:
    return {
        "principal_id": guarded(who.id),
        "principal": guarded(who.name),
        "principal_kind": guarded(who.kind),
        "sign_in": guarded(who.sign_in),
        "home": guarded(who.home),
    }


def _reach(reach: Reach) -> dict[str, str]:
    return {
        "record": "way",
        **_who(reach.who),
        "vault_id": guarded(reach.vault_id),
        "vault": guarded(reach.vault_name),
        "limited_to": guarded(reach.thing or None),
        **_way(reach.way),
    }


def _way(way: Way) -> dict[str, str]:
    doubts = {"allows": way.doubt, "through": way.unplaced}
    return {
        "allows": guarded("|".join(way.allows) or None),
        "kind": guarded(way.kind),
        "role": guarded(way.role),
        "custom": flag_cell(way.custom),
        "scope": guarded(way.scope),
        "through": guarded("|".join(group.name or group.id for group in way.through) or None),
        "application_id": guarded(way.application_id),
        "condition": guarded(way.condition),
        "standing": flag_cell(way.standing),
        "expires_on": time_cell(way.expires_on),
        "grant_id": guarded(way.id),
        "api": guarded(way.api),
        "coverage_note": "|".join(f"{name}:{reason}" for name, reason in doubts.items() if reason),
    }
