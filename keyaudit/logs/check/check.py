"""Compares a window of logs with a baseline: unusual uses, their severity, and the rows that show them."""

# ruff: noqa: S608 - every name and literal in this SQL is our own

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import duckdb
from msgspec import structs

from keyaudit.inventory.logs.groups import KEYS, VERSION, within
from keyaudit.inventory.logs.store import LogStore
from keyaudit.inventory.usage.baseline import Baseline
from keyaudit.inventory.usage.deviations import GROUPS, MOST, statements
from keyaudit.inventory.usage.facets import refuse_too_long
from keyaudit.inventory.usage.learn import same_tenant, single_number
from keyaudit.inventory.usage.log_gaps import damaged, days_with_events, in_order, missing_days, new_sources, not_read
from keyaudit.logs.check.reported import Reported, counted
from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.reasons import Reason
from keyaudit.model.severity import Severity
from keyaudit.model.usage import (
    OF_NEW_APP,
    OF_THE_APP,
    Accepted,
    Blind,
    Facet,
    Kind,
    Unseen,
    Unusual,
    UsageCheck,
    Use,
    Why,
    Window,
)
from keyaudit.model.values.times import DAY

_KINDS = (Kind.NEW_NETWORK, Kind.MAILBOXES_FROM_NETWORK, Kind.USERS_FROM_NETWORK)
_SEVERAL = 3
"""Applications that are used from the same new networks."""


def together(findings: Sequence[Unusual], networks: Callable[[Unusual, Why], Collection[str]]) -> list[Unusual]:
    """The findings, each that only says of one more application that it was used from the same new networks as part of another.

    `findings`: the most severe first, which is the one that is reported. `networks`: those that a reason is about.
    """
    found = list(findings)
    news = {number: new for number, each in enumerate(found) if each.open and (new := _new_networks(each, networks))}
    while news:
        lead, whole = next(iter(news.items()))
        alike = [number for number, new in news.items() if new <= whole]
        if len({found[number].app_id for number in alike}) >= _SEVERAL:
            for number in alike[1:]:
                found[number] = structs.replace(found[number], part_of=found[lead].app_id or found[lead].operation)
        else:
            alike = [lead]
        for number in alike:
            del news[number]
    return found


def _new_networks(found: Unusual, networks: Callable[[Unusual, Why], Collection[str]]) -> set[str]:
    """The new networks that are all that is unusual at medium or above; otherwise none."""
    severe = [why for why in found.why if why.severity.rank >= Severity.MEDIUM.rank]
    if any(why.kind not in _KINDS for why in severe):
        return set()
    return {network for why in severe for network in networks(found, why)}


_MUCH = (Kind.MANY_MAILBOXES, Kind.MAILBOX_OFTEN, Kind.MANY_IN_AN_HOUR)
"""Kinds for which a large number is unusual."""
_COUNTED = (
    *(*_MUCH, Kind.MAILBOXES_FROM_NETWORK, Kind.MANY_NETWORKS),
    *(Kind.USERS_FROM_NETWORK, Kind.MAILBOXES_WITH_PROGRAM),
)
"""Kinds with a number of a day."""
_OF_NETWORKS = (
    *(Kind.NEW_NETWORK, Kind.CREDENTIAL_FROM_NETWORK, Kind.MAILBOXES_FROM_NETWORK),
    *(Kind.USERS_FROM_NETWORK, Kind.MANY_NETWORKS),
)
"""Kinds about the network, which only an announcement of networks covers."""

Networks = Callable[[Unusual, Why], Collection[str]]


def check(
    store: LogStore,
    window: Window,
    baseline: Baseline | None,
    *,
    accepted: Sequence[Accepted] = (),
    reported: Reported | None = None,
    fail_on: Severity = Severity.HIGH,
) -> UsageCheck:
    """The unusual uses in the window, and the gaps.

    `reported`: the record of earlier checks. Without a baseline the result is unknown. An announcement counts as unused only if
    there are no gaps. Raises UnsafeError for a baseline of another tenant, and for logs of these days that were changed.
    """
    with store.connect(window, uses=False, besides=[baseline.folder] if baseline else []) as connection:
        days = days_with_events(connection, window)
        unseen = [*damaged(connection, window), *not_read(store, window)]
        findings: list[Unusual] = []
        if baseline is None:
            unseen.append(Unseen(blind=Blind.NO_BASELINE, subject="", reason=Reason.NOT_SUPPLIED))
        else:
            same_tenant(store.tenant_id, baseline.tenant_id)
            baseline.create_view(connection)
            unseen += [*missing_days(days, window, baseline.rhythm), *new_sources(days, baseline)]
            findings = counted(_unusual(connection, store, window, accepted), reported or Reported(), window)
            findings.sort(key=lambda each: (each.accepted is not None, each.reported_until is not None, each.part_of != ""))
            besides = single_number(connection, f"SELECT count(*) FROM (SELECT DISTINCT {GROUPS} FROM odd)") - MOST
            if besides > 0:
                unseen.append(Unseen(blind=Blind.TOO_MANY, subject="", reason=Reason.TOO_LARGE, count=besides))
        covering = {found.accepted for found in findings}
        return UsageCheck(
            tenant_id=store.tenant_id,
            window=window,
            learned=baseline.learned if baseline else (),
            uses=single_number(connection, f"SELECT coalesce(sum(uses), 0)::BIGINT FROM groups WHERE {within(window)}"),
            findings=findings,
            unseen=in_order(unseen),
            unused=() if unseen else tuple(each for each in accepted if each not in covering),
            fail_on=fail_on,
        )


def _unusual(
    connection: duckdb.DuckDBPyConnection, store: LogStore, window: Window, accepted: Sequence[Accepted]
) -> list[Unusual]:
    refuse_too_long(window)
    for statement in statements(window):
        connection.execute(statement)
    networks = _networks(connection, window)
    found: dict[tuple[str, str, str, str], list[Why]] = defaultdict(list)
    shown = "* EXCLUDE (source, least_rank, uncounted, unsettled)"
    grouped = connection.execute(f"SELECT {shown} FROM unusual ORDER BY {GROUPS}").fetchall()
    evidence = _evidence(connection, store)
    for row in grouped:
        found[row[:4]].append(_why(row, evidence))
    findings = []
    for (kind, target, operation, app), reasons in found.items():
        why = sorted(reasons, key=lambda each: (-each.severity.rank, list(Kind).index(each.kind), each.elsewhere))
        made = Unusual(
            target_kind=kind, target=target, operation=operation, app_id=app, app_name=FIRST_PARTY.get(app, ""), why=why
        )
        findings.append(structs.replace(made, accepted=_covering(made, networks, accepted)))
    findings.sort(key=lambda each: (each.accepted is not None, -each.severity.rank, each.operation, each.target, each.app_id))
    return together(findings, networks)


def _covering(found: Unusual, networks: Networks, accepted: Sequence[Accepted]) -> Accepted | None:
    """The announcement that covers it: all of its reasons above info."""
    reasons = [(why, networks(found, why)) for why in found.why if why.severity is not Severity.INFO]
    for each in accepted:
        named = each.app_id in (None, found.app_id) and each.operation in (None, found.operation)
        timely = each.since <= found.first_on and found.last_on < each.ends
        if named and timely and each.target.matches(found.target) and all(_covers(each, *reason) for reason in reasons):
            return each
    return None


def _covers(accepted: Accepted, why: Why, networks: Collection[str]) -> bool:
    """Whether an announcement names what a reason is about: the application that is new, or the networks, and their number."""
    if accepted.networks and not all(_within(network, accepted.networks) for network in networks):
        return False
    if why.kind in _OF_NETWORKS:
        many = why.kind in (Kind.MAILBOXES_FROM_NETWORK, Kind.USERS_FROM_NETWORK) and why.count > accepted.mailboxes > 0
        return bool(accepted.networks) and not many
    if accepted.app_id is None:
        return False
    return why.kind in OF_NEW_APP or (why.kind is Kind.MANY_MAILBOXES and why.count <= accepted.mailboxes)


def _within(network: str, named: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether a class of networks is inside one of those that are named."""
    try:
        inner = ip_network(network)
    except ValueError:
        return False
    return any(
        inner.network_address in each and inner.broadcast_address in each for each in named if each.version == inner.version
    )


def _networks(connection: duckdb.DuckDBPyConnection, window: Window) -> Networks:
    """The networks of the uses that a reason is about: those that are new, or else all from which the application does it."""
    new = connection.execute(
        f"SELECT {KEYS}, kind, list(DISTINCT value) FROM odd WHERE facet = '{Facet.NETWORK}' GROUP BY {KEYS}, kind"
    ).fetchall()
    every = connection.execute(
        f"""SELECT {KEYS}, list(DISTINCT network) FROM groups JOIN (SELECT DISTINCT {KEYS} FROM unusual) USING ({KEYS})
        WHERE told AND {within(window)} GROUP BY {KEYS}"""
    ).fetchall()
    known: dict[tuple[str, ...], list[str]] = {tuple(key): found for *key, found in (*new, *every)}

    def known_of(found: Unusual, why: Why) -> Collection[str]:
        keys = (found.target_kind, found.target, found.operation, found.app_id)
        return known.get((*keys, why.kind), known.get(keys, ["?"]))

    return known_of


def _evidence(connection: duckdb.DuckDBPyConnection, store: LogStore) -> dict[str, Use]:
    """The rows in `unusual`, by id. Only their days are read."""
    named = "SELECT unnest(list_transform(evidence, lambda each: each.{})) FROM unusual"
    days = connection.execute(f"SELECT DISTINCT day // {DAY} * {DAY} FROM ({named.format('used_on')}) AS of(day)").fetchall()
    store.add_uses(connection, {day for (day,) in days})
    found = connection.execute(
        f"""SELECT id, used_on, target_id, client_app_id, api_app_id, principal_id, network, client, granted_to,
            permission, issuer, succeeded, source, source_url, coalesce(credential_key_id, nullif({VERSION}, ''))
        FROM usage WHERE id IN ({named.format("id")})"""
    )
    names = [field.name for field in structs.fields(Use)]
    return {row[0]: Use(**dict(zip(names, row, strict=True))) for row in found.fetchall()}


def _why(row: tuple[Any, ...], rows_by_id: Mapping[str, Use]) -> Why:
    *_, kind, elsewhere, values, few, mailboxes, usual, uses, refused, days, first_on, last_on, shown, rank = row
    found = Kind(kind)
    return Why(
        kind=found,
        severity=list(Severity)[rank],
        count=mailboxes if found in _COUNTED else values,
        values=() if found in OF_THE_APP else tuple(few),
        elsewhere=elsewhere,
        usual=usual,
        uses=uses,
        refused=refused,
        days=days,
        first_on=first_on,
        last_on=last_on,
        evidence=tuple(rows_by_id[each["id"]] for each in shown),
    )
