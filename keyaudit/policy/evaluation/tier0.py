"""Counts and names the principals that control the whole tenant, among the rows of the policy that lists them."""

# ruff: noqa: S608 - a query is made of declared names and numbers

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from keyaudit.inventory.reader import Reader
from keyaudit.model.results.findings import Tally
from keyaudit.model.results.tier0 import LISTS, NAMED, Principal, Tier0, Way
from keyaudit.policy.evaluation.row_order import Evaluated
from keyaudit.policy.evaluation.verdict import UNKNOWN_VIOLATION, WAIVED

_TELLS_CUSTODY = "sp-privileged-certificate-outside-vault"
"""A policy that reads where the private key of a credential is kept."""
_TELLS_OWNERS = "app-privileged-with-user-owner"
"""A policy that reads how many users can become an application because they own it, and could not before."""


def tier0(reader: Reader, tables: Iterable[Evaluated], tallies: Iterable[Tally], *, whole: bool) -> Tier0 | None:
    """They; None if the policy was not evaluated. `whole`: whether no scope of it is unread."""
    tally = next((tally for tally in tallies if tally.policy.id == LISTS), None)
    if tally is None:
        return None
    by_policy = {bound.policy.text.id: (table, number) for table in tables for number, bound in enumerate(table.bounds)}
    found: list[Principal] = []
    if LISTS in by_policy:
        table, number = by_policy[LISTS]
        keys, _ = by_policy.get(_TELLS_CUSTODY, (None, 0))
        owned, _ = by_policy.get(_TELLS_OWNERS, (None, 0))
        found = [
            Principal(
                name=name, last_sign_in=last, sign_ins_read=bool(read), owners=owners, owners_read=owners == most, way=_way(row)
            )
            for name, last, read, owners, most, *row in reader.rows(_principals(table, number, keys, owned))
        ]
    order = list(Way)
    ways = Counter(each.way for each in found)
    named = sorted(found, key=lambda each: (order.index(each.way), -(each.owners or 0), -(each.last_sign_in or 0), each.name))
    known = whole and not sum(tally.unknown.values())
    return Tier0(ways={way: ways[way] for way in Way if ways[way]}, whole=known, named=tuple(named[:NAMED]))


def _principals(table: Evaluated, number: int, keys: Evaluated | None, owned: Evaluated | None) -> str:
    owners, outside = "NULL, NULL", "FALSE"
    if owned is not None:
        owners = ", ".join(
            f"(SELECT min(owners_gaining_{end} + indirect_user_owners_{end})"
            f" FROM {owned.relation} owned WHERE lower(owned.app_id) = lower(of.app_id))"
            for end in ("min", "max")
        )
    if keys is not None:
        outside = (
            f"lower(app_id) IN (SELECT lower(app_id) FROM {keys.relation} WHERE kind = 'certificate' AND usage = 'Verify'"
            f" AND (expires_on IS NULL OR expires_on > {keys.as_of}) AND custody = 'external' AND app_id IS NOT NULL)"
        )
    counts = ", ".join(
        f"{name}_{end}" for name in ("live_secrets", "live_certificates", "federated_credentials") for end in ("min", "max")
    )
    return (
        "SELECT coalesce(name, app_id, id), last_client_sign_in_on, unknown['last_client_sign_in_on'] IS NULL,"
        f" {owners}, principal_type, home, coalesce({outside}, FALSE), {counts} FROM {table.relation} of"
        f" WHERE code{number} >= {WAIVED} AND code{number} < {UNKNOWN_VIOLATION}"
    )


def _way(row: Sequence[Any]) -> Way:
    type_, home, outside, secrets, most_secrets, certificates, most_certificates, federated, most_federated = row
    if type_ == "ManagedIdentity":
        return Way.PLATFORM
    if secrets:
        return Way.SECRET
    if certificates:
        return Way.OUTSIDE if outside else Way.CERTIFICATE
    if federated:
        return Way.FEDERATED
    if None in (most_secrets, most_certificates, most_federated):
        return Way.UNREAD
    return Way.FOREIGN if home == "foreign" else Way.NOTHING
