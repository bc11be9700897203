"""Acts: the uses in the logs of one incident, by actor, operation and class of targets."""

# ruff: noqa: S608 - every name in this SQL is declared in this program; ids are parameters

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import duckdb

from keyaudit.inventory.logs.groups import CLIENT, FACETS, NETWORK, OF_USERS, every, rows
from keyaudit.inventory.usage.facets import same
from keyaudit.model.usage import OF_NEW_TARGET, Facet, Kind, Window
from keyaudit.questions.incident.answer import LIKELY, Act, Actor, Link

FEW = 5
RECORDS = 100
_VALUE = " ".join(f"WHEN '{facet}' THEN {column}" for facet, column in FACETS.items())
FOLLOWED = (
    "privileged",
    "new-operation",
    "new-app",
    "new-client-app",
    "new-principal",
    "new-api",
    *OF_NEW_TARGET,
    "returned-key",
    "many-mailboxes",
    "mailbox-read-often",
    "mailboxes-from-new-network",
    "many-new-networks",
    "mailboxes-with-new-program",
    "new-credential-from-new-network",
    "new-network",
)
"""The reasons for which an actor is followed, or an act is listed; a new program or key version alone is not enough."""
_NEW = {Link.NETWORK: "new-network", Link.CLIENT: "new-client"}
"""The least reason why an act with this link is outside the baseline."""


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates the tables `taken`, of the rows of listed acts, and `mark`, of the networks and programs of their actors.

    `taken` has the class and day of each row, and `usual`: of a row that is only listed because its application read too many
    mailboxes that day, how many of that day's may be usual ones.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE taken (id VARCHAR, app VARCHAR, target VARCHAR, day BIGINT, usual BIGINT)")
    connection.execute("CREATE OR REPLACE TEMP TABLE mark (network VARCHAR, client VARCHAR, who VARCHAR)")


def acts(
    connection: duckdb.DuckDBPyConnection,
    window: Window,
    condition: str,
    values: Mapping[str, Any],
    *,
    held: bool,
    by_network: bool = False,
    link: Link = Link.KEY,
    because: str = "",
    mentioned: Sequence[str] = (),
    kinds: Collection[str] = FOLLOWED,
    strange: bool = False,
) -> list[Act]:
    """The acts of the window that meet the condition, an SQL condition on `usage` with parameters, in the order of their first.

    `held`: there is a baseline, in the tables that `observed` makes. Those outside it, by a reason of one of the `kinds`, are
    noted in `taken`, and with a link that is not `LIKELY` in `mark`; without one all are. `strange`: only those are wanted.
    """
    network, outside = "act.network" if by_network else "''", reasons(held=held, kinds=kinds)
    likely = link in LIKELY
    join = "JOIN" if strange and held and not likely else "LEFT JOIN"
    classified = every(window, condition) if likely or link is Link.CAUSE else rows(window, condition=condition)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE act AS {classified}", dict(values))
    # Of a use without a known actor or target the baseline says nothing.
    why = f"coalesce(reasons.outside, {[_NEW[link]]})" if likely else "CASE WHEN told THEN coalesce(reasons.outside, []) END"
    found = connection.execute(
        f"""SELECT actor_app_id, CASE WHEN act.target_kind = 'mailbox' THEN NULL ELSE principal_id END AS acted_for,
            act.operation, act.target_kind, act.target, client_app_id, credential_key_id, {network} AS near, {why} AS outside,
            list_sort(list(DISTINCT address) FILTER (address IS NOT NULL)) AS networks,
            list_sort(list(DISTINCT program) FILTER (program IS NOT NULL)) AS clients,
            list_sort(list(DISTINCT target_id) FILTER (target_id IS NOT NULL)) AS objects,
            min(used_on), max(used_on), sum(uses)::BIGINT, coalesce(sum(uses) FILTER (NOT succeeded), 0)::BIGINT,
            list_slice(list(coalesce(name, id) ORDER BY used_on, id), 1, {RECORDS})
        FROM act {join} ({outside}) AS reasons USING (id)
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY min(used_on), 1, 2, 3, 5, 8"""
    ).fetchall()
    listed = f"act LEFT JOIN ({reasons(held=False)}) AS reasons USING (id)"
    if held and not likely:
        listed = f"act JOIN ({outside}) AS reasons USING (id)"
    connection.execute(f"INSERT INTO taken SELECT act.id, app, target, day, usual FROM {listed}")
    if not likely:
        who = "coalesce(nullif(app, ''), principal)"
        connection.execute(f"INSERT INTO mark SELECT DISTINCT network, client, {who} FROM {listed}")
    return [_act(row, held=held, link=link, because=because, mentioned=mentioned) for row in found]


def reasons(*, held: bool, kinds: Collection[str] = FOLLOWED) -> str:
    """A query over `act`, uses of the window: those outside the baseline by `id`, with the reasons. Empty if none is `held`.

    `usual` as in the table `taken`. A user who signs in from a new network is no news where users come from many.
    """
    if not held:
        return "SELECT NULL::VARCHAR AS id, NULL::VARCHAR[] AS outside, NULL::BIGINT AS usual WHERE false"
    of_day = f"odd.kind = '{Kind.MANY_MAILBOXES}'"
    wanted = ", ".join(f"'{kind}'" for kind in kinds)
    return f"""SELECT act.id, list_sort(list(DISTINCT odd.kind)) AS outside,
            CASE WHEN bool_and({of_day}) THEN max(odd.usual) END AS usual FROM act JOIN odd ON {same("act", "odd")}
        AND (odd.facet = '{Facet.APP}' OR odd.value = CASE odd.facet {_VALUE} END)
        AND (odd.kind <> '{Kind.MAILBOX_OFTEN}' OR odd.value = act.counted)
        AND (odd.kind <> '{Kind.NEW_NETWORK}' OR odd.operation <> 'saml-sign-in' OR odd.steady)
        AND (busiest IS NULL OR busiest = day) AND odd.kind IN ({wanted}) GROUP BY act.id"""


def unknown_marks(connection: duckdb.DuckDBPyConnection, window: Window) -> Iterator[tuple[Link, str, str, list[str]]]:
    """The networks and programs in `mark` that the baseline knows of no use: which, whose, and their values in the window.

    Browsers, libraries and tools that anybody may use, and the names of protocols that Exchange gives to any program, say
    nothing about who it is.
    """
    for link, facet in ((Link.NETWORK, Facet.NETWORK), (Link.CLIENT, Facet.CLIENT)):
        column = FACETS[facet]
        said = "true" if link is Link.NETWORK else f"NOT regexp_matches({column}, '{ANYBODYS}')"
        query = f"""
            SELECT {column}, min(who) FROM mark WHERE {column} <> '' AND {said}
                AND {column} NOT IN (SELECT value FROM belongs WHERE facet = '{facet}' AND operation NOT IN {OF_USERS})
            GROUP BY ALL ORDER BY ALL"""
        for class_, who in connection.execute(query).fetchall():
            yield link, class_, who, _values(connection, window, column, class_)


# https://learn.microsoft.com/exchange/client-developer: ClientInfoString begins with the protocol.
_PROTOCOLS = r"client=(rest|owa|mapi|outlookservice|activesync|pop3|imap4|webservices;*$)"
# The names with which these programs introduce themselves.
_TOOLS = (
    *("mozilla", "python", "aiohttp", "httpx", "curl", "wget", "go-http-client", "okhttp", "java", "apache-httpclient"),
    *("axios", "node", "node-fetch", "undici", "ruby", "php", "guzzlehttp", "postmanruntime", "insomnia", "httpie"),
    *("powershell", "windowspowershell", "azsdk", "azurecli", "azure-cli", "azurepowershell", "msal", "microsoft"),
)
ANYBODYS = rf"^({_PROTOCOLS}|({'|'.join(_TOOLS)})\b)"


def _values(connection: duckdb.DuckDBPyConnection, window: Window, column: str, class_: str) -> list[str]:
    of = NETWORK if column == "network" else CLIENT
    query = f"""
        SELECT {column} FROM (SELECT DISTINCT {column} FROM usage
            WHERE {column} IS NOT NULL AND used_on >= {window.since} AND used_on < {window.until})
        WHERE {of} = $class ORDER BY 1"""
    return [value for (value,) in connection.execute(query, {"class": class_}).fetchall()]


def _act(row: tuple[Any, ...], *, held: bool, link: Link, because: str, mentioned: Sequence[str]) -> Act:
    """An act from a row of that query."""
    app, principal, operation, kind, target, caller, credential, _, outside, networks, clients, objects, *rest = row
    first, last, count, refused, records = rest
    return Act(
        actor=Actor(app_id=app, principal_id=principal, name=""),
        operation=operation,
        target_kind=kind,
        target=target,
        caller=None if caller == app else caller,
        credential=credential,
        networks=(networks or [])[:FEW],
        clients=(clients or [])[:FEW],
        objects=(objects or [])[:FEW],
        objects_count=len(objects or []),
        first_on=first,
        last_on=last,
        count=count,
        refused=refused,
        outside=tuple(outside) if held and outside is not None else None,
        link=link,
        because=because,
        mentioned=mentioned,
        records=records,
    )
