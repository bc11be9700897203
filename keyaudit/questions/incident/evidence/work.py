"""What the logs show of principals, key versions, applications and credentials at work.

All days of the store are read, not only those of the incident: a monthly job is at work in between, too.
"""

# ruff: noqa: S608 - every name in this SQL is declared in this program; ids are parameters

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import duckdb
from msgspec import Struct, structs

from keyaudit.inventory.logs.groups import OF_USERS, rows
from keyaudit.inventory.usage.complete_days import LONG_ENOUGH, REMOVALS, covered
from keyaudit.inventory.usage.complete_since import Stretch, stretches
from keyaudit.inventory.views.logs.recorded_uses import USES
from keyaudit.model.tables.usage import KEY_VAULT_LOG, SIGN_IN_LOGS
from keyaudit.model.usage import Facet, Window
from keyaudit.model.values.times import DAY
from keyaudit.questions.blast_radius.activity import Source, Used, Work, credential, in_vault
from keyaudit.questions.blast_radius.answer import BlastRadius, Edge, Relation
from keyaudit.questions.incident.answer import Act

_VAULT_KINDS = "('key', 'secret', 'certificate', 'vault')"
_ACTS = f"""actor_app_id AS app, principal_id AS principal, credential_key_id AS key, operation,
    CASE WHEN target_kind IN {_VAULT_KINDS} OR operation IN {("sign-in", *OF_USERS)} THEN target_id END AS target"""


class Acts(Struct, frozen=True, kw_only=True):
    """Uses by one application and principal of one object of a vault, or with one credential. Ids are in lower case."""

    app: str | None
    principal: str | None
    key: str | None
    operation: str
    target: str | None
    """The object of a vault, the vault, or the application that was signed in to."""
    count: int
    last_on: int
    usual: int = 0
    """The number of uses by the same that are known to be usual: before the days that are compared with the baseline; for those
    outside it, the others of these days."""
    usual_on: int | None = None
    """The last of these."""

    @property
    def who(self) -> tuple[str | None, ...]:
        """What all of these uses have in common."""
        return self.app, self.principal, self.key, self.operation, self.target


class Shown(Struct, frozen=True, kw_only=True):
    """What the logs show of the vaults, applications and credentials in question."""

    acts: Sequence[Acts]
    outside: Sequence[Acts]
    """Those of `acts` that are outside the baseline."""
    learned: Sequence[Acts]
    """The uses that the baseline was learned from, if it names them."""
    logs: Sequence[Stretch]
    unlogged: Sequence[tuple[str, int]]
    """The log settings or destinations that were removed, with the last time."""


class Asked(Struct, frozen=True, kw_only=True):
    """The vaults, applications and credentials in question, in lower case."""

    hosts: frozenset[str]
    """The addresses of vaults, without a slash at the end."""
    vault_ids: frozenset[str]
    apps: frozenset[str]
    credentials: frozenset[str]

    @property
    def condition(self) -> str:
        """The SQL condition on `usage`, with the parameters `values`."""
        host = "array_to_string(list_slice(string_split(target_id, '/'), 1, 3), '/')"
        return f"""(succeeded IS NOT FALSE AND (list_contains($apps, actor_app_id) OR list_contains($keys, credential_key_id)
            OR operation = 'sign-in' AND actor_app_id IS NULL
            OR operation IN {("sign-in", *OF_USERS)} AND list_contains($apps, target_id)
            OR (target_kind IN {_VAULT_KINDS} AND (list_contains($hosts, {host}) OR list_contains($vaults, target_id)))))"""

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of `condition`."""
        return {
            "apps": sorted(self.apps),
            "keys": sorted(self.credentials),
            "hosts": sorted(self.hosts),
            "vaults": sorted(self.vault_ids),
        }


def named_in(radius: BlastRadius, acts: Sequence[Act]) -> Asked:
    """What a plan for this graph and these acts may take access from."""
    kept = [edge for edge in radius.accepting() if edge.relation is Relation.KEPT_IN]
    signing = [edge for edge in radius.edges if edge.relation is Relation.SIGNS_IN_AS]
    keys = {edge.facts["key_id"] for edge in signing if "key_id" in edge.facts}
    apps = {act.actor.app_id for act in acts if act.actor.app_id}
    added = {act.credential for act in acts if act.credential}
    return Asked(
        hosts=frozenset(_host(edge) for edge in kept),
        vault_ids=frozenset(edge.facts["vault_id"].lower() for edge in kept),
        apps=frozenset(each.lower() for each in (*apps, *(edge.target for edge in signing))),
        credentials=frozenset(each.lower() for each in (*added, *keys)),
    )


def shown(
    connection: duckdb.DuckDBPyConnection, asked: Asked, outside: Sequence[Acts], learned: Sequence[Acts], since: int
) -> Shown:
    """The answer from a connection to all days of the log store. `since`: the start of the days that are compared."""
    query = f"""SELECT {_ACTS}, sum(uses)::BIGINT, max(used_on), {_those(f"used_on < {since}")} FROM usage
        WHERE {asked.condition} GROUP BY ALL ORDER BY ALL"""
    removed = f"""SELECT lower(coalesce(target_id, '')), max(used_on) FROM usage WHERE succeeded IS NOT FALSE
        AND operation IN {REMOVALS} GROUP BY ALL ORDER BY ALL"""
    return Shown(
        acts=_acts(connection.execute(query, asked.values).fetchall()),
        outside=outside,
        learned=learned,
        logs=list(stretches(connection)),
        unlogged=connection.execute(removed).fetchall(),
    )


def outside(connection: duckdb.DuckDBPyConnection, asked: Asked, window: Window, reasons: str) -> list[Acts]:
    """The uses outside the baseline. `reasons`: a query over `act` for `id` and `outside`, by `incident.logs`."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE act AS {rows(window, condition=asked.condition)}", asked.values)
    query = f"""SELECT {_ACTS}, {_those("strange")}, {_those("NOT strange")}
        FROM (SELECT *, id IN (SELECT id FROM ({reasons})) AS strange FROM act)
        GROUP BY ALL HAVING bool_or(strange) ORDER BY ALL"""
    return _acts(connection.execute(query).fetchall())


def _those(condition: str) -> str:
    """SQL: how many uses meet a condition, and the last of them."""
    return f"coalesce(sum(uses) FILTER ({condition}), 0)::BIGINT, max(used_on) FILTER ({condition})"


def learned(connection: duckdb.DuckDBPyConnection, asked: Asked) -> list[Acts]:
    """The uses in the baseline, from the view `belongs`: by object of a vault, or by application."""
    host = "array_to_string(list_slice(string_split(target, '/'), 1, 3), '/')"
    query = f"""SELECT app, CASE facet WHEN '{Facet.PRINCIPAL}' THEN value END, CASE facet WHEN '{Facet.KEY}' THEN value END,
            operation, CASE WHEN target_kind IN {_VAULT_KINDS} THEN target END, sum(uses)::BIGINT, max(last_on)
        FROM belongs WHERE facet IN ('{Facet.APP}', '{Facet.PRINCIPAL}', '{Facet.KEY}')
            AND (list_contains($apps, app) OR list_contains($hosts, {host})
                OR operation = 'sign-in' AND facet = '{Facet.KEY}' AND list_contains($keys, value))
        GROUP BY ALL ORDER BY ALL"""
    values = asked.values
    del values["vaults"]
    return _acts(connection.execute(query, values).fetchall())


def with_logs(radius: BlastRadius, found: Shown, asked: Asked, as_of: int) -> BlastRadius:
    """The graph with the evidence of the logs beside that of the reports."""
    work = dict(radius.work)
    for name, act_of, days in _named(radius, found, asked, as_of):
        work[name] = _joined(work.get(name, Work()), _used(found, act_of), days)
    return structs.replace(radius, work=work, logged=True)


def _named(
    radius: BlastRadius, found: Shown, asked: Asked, as_of: int
) -> Iterator[tuple[str, Callable[[Acts], bool], Window | None]]:
    """By name in `BlastRadius.work`: which acts are of it, and the days that are covered."""
    kept = {edge.target: edge for edge in radius.accepting() if edge.relation is Relation.KEPT_IN}
    for edge in kept.values():
        version, thing = _object(edge.target.lower()), _object(edge.facts["thing_id"].lower())
        of_version = partial(_of_version, version, thing, old=edge.facts.get("current") == "false")
        yield edge.target.lower(), of_version, _of_vault(found, edge, as_of)
    for use in radius.edges:
        if use.relation is Relation.USED_BY and use.source in kept:
            edge = kept[use.source]
            ids = {use.target.lower(), use.facts.get("sign_in", "").lower()} - {""}
            yield in_vault(edge.facts["vault_id"], use.target), partial(_by, ids, edge), _of_vault(found, edge, as_of)
    nameless = any(act.operation == "sign-in" and act.app is None for act in found.acts)
    signed_in = None if nameless else _covered(found, SIGN_IN_LOGS[0], ("",), as_of)
    beside = _covered(found, SIGN_IN_LOGS[1], ("",), as_of)
    for app in sorted(asked.apps):
        yield app, partial(_of_app, app), _both(signed_in, beside)
    unkeyed = any(act.operation == "sign-in" and act.key is None for act in found.acts)
    for key in sorted(asked.credentials):
        yield credential(key), partial(_with, key), None if unkeyed else signed_in


def _of_version(version: str, thing: str, act: Acts, *, old: bool) -> bool:
    """Whether it may be a use of a version. What needs no version, such as a backup, is none of an old one."""
    target = act.target and _object(act.target)
    return target == version or (target == thing and (not old or act.operation in (*USES, "read-secret")))


def _by(ids: Collection[str], edge: Edge, act: Acts) -> bool:
    return _inside(edge, act) and (act.app in ids or act.principal in ids)


def _of_app(app: str, act: Acts) -> bool:
    """It acted, or somebody signed in to it."""
    return app in (act.app, act.target)


def _with(key: str, act: Acts) -> bool:
    return act.operation == "sign-in" and act.key == key


def _inside(edge: Edge, act: Acts) -> bool:
    """Whether it was done in the vault of the key of that edge."""
    return act.target is not None and (act.target == edge.facts["vault_id"].lower() or act.target.startswith(f"{_host(edge)}/"))


def _used(found: Shown, of_it: Callable[[Acts], bool]) -> Iterator[Used]:
    acts = [act for act in found.acts if of_it(act)]
    if acts:
        outside = {act.who: act for act in found.outside if of_it(act)}
        count, strange = sum(act.count for act in acts), sum(act.count for act in outside.values())
        usual = [on for act in acts if (on := _last_usual(act, outside.get(act.who))) is not None]
        last_on, usual_on = max(act.last_on for act in acts), max(usual, default=None)
        yield Used(source=Source.LOGS, count=count, outside=min(strange, count), last_on=last_on, usual_on=usual_on)
    known = [act.last_on for act in found.learned if of_it(act)]
    if known and not acts:
        yield Used(source=Source.BASELINE, last_on=max(known))


def _last_usual(act: Acts, outside: Acts | None) -> int | None:
    """The last of the uses that are not outside the baseline, or later; None: there is none."""
    if outside is None:
        return act.last_on
    if act.count <= outside.count:
        return None
    known = act.usual + outside.usual == act.count - outside.count
    return max(each for each in (act.usual_on, outside.usual_on) if each is not None) if known else act.last_on


def _joined(reported: Work, used: Iterable[Used], covered: Window | None) -> Work:
    """The evidence of the logs, and that of the reports as far as it is another."""
    logged = list(used)
    last = max((each.last_on for each in logged), default=0)

    def known(each: Used) -> bool:
        # The reports give the same sign-ins that the logs have, by the day.
        return covered is not None and (each.last_on < covered.since or each.last_on < last + DAY)

    return Work(used=[*logged, *(each for each in reported.used if not known(each))], covered=covered)


def _of_vault(found: Shown, edge: Edge, as_of: int) -> Window | None:
    """The days on which the log of the vault shows everybody who used it."""
    if any(_inside(edge, act) and not (act.app or act.principal) for act in found.acts):
        return None
    return _covered(found, KEY_VAULT_LOG, (edge.facts["vault_id"].lower(), _host(edge)), as_of)


def _covered(found: Shown, log: str, resources: Collection[str], as_of: int) -> Window | None:
    """The days on which that log of the resource is complete, if there are enough of them and they reach until now."""
    logs = ((each.whole_since, each.last_on) for each in found.logs if each.source == log and each.resource_id in resources)
    window = covered(logs, found.unlogged, resources, as_of)
    return window if window is not None and window.until - window.since >= LONG_ENOUGH else None


def _both(one: Window | None, other: Window | None) -> Window | None:
    if one is None or other is None:
        return None
    found = Window(since=max(one.since, other.since), until=min(one.until, other.until))
    return found if found.until - found.since >= LONG_ENOUGH else None


def _acts(found: Iterable[tuple[Any, ...]]) -> list[Acts]:
    names = ("app", "principal", "key", "operation", "target", "count", "last_on", "usual", "usual_on")
    return [Acts(**dict(zip(names, row, strict=False))) for row in found]


def _host(edge: Edge) -> str:
    """The address of the vault that has the object, without a slash at the end."""
    return "/".join(edge.facts["thing_id"].lower().split("/")[:3])


def _object(target: str) -> str:
    """A key, secret or certificate without its kind: those of one name are one object."""
    scheme, _, rest = target.partition("://")
    host, _, named = rest.partition("/")
    return f"{scheme}://{host}/{named.partition('/')[2]}"
