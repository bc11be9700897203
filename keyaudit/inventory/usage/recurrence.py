"""SQL for what a baseline says of new values: how often one appeared while it was learned, and with how many mailboxes.

A network or program that is new means little where one appears every day: people travel, and hosted agents come from anywhere.
It means much for an application that has always worked from the same few.
"""

# ruff: noqa: S608 - every name and literal in this SQL is our own

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.load import quoted
from keyaudit.inventory.logs.groups import KEYS, OF_USERS
from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.usage import Facet
from keyaudit.model.values.times import DAY

_WARM_UP = 28 * DAY
"""The days at the start of a baseline in which everything usual appears for the first time."""
_SETTLES = 14 * DAY
"""The days after those, from which it is known how many new values come on a day. A shorter baseline has fewer days to warm up,
so that these remain; with less than twice as many days in all, nothing is known of it.
"""
_OBSERVED = 42
"""Days, from the first use to the last one, from which it is known that an application always had few values."""
_EVERY = 56 * DAY
"""Days after those in which one new value is no sign that there will be more."""

_OPENS = "operation IN ('sign', 'decrypt', 'unwrap', 'backup', 'release')"
"""Uses of a key that need its private or secret part."""
FEW_VALUES = f"""(came <= allowed AND (app NOT IN ({", ".join(map(quoted, FIRST_PARTY))}) OR operation = 'device-code-sign-in')
    AND (target_kind = 'key' AND {_OPENS} OR facet = '{Facet.NETWORK}'
    AND (target_kind = 'mailbox' AND operation = 'read-mail' OR operation IN {("read-secret", *OF_USERS)})))"""
"""SQL over `seen` and `arrivals`: whether an application uses keys or reads secrets or mail from few networks, or uses keys
with few programs, as far as it is known; or whether users sign in from few. Microsoft's own programs are not such, except by
device code: they are wherever their users are.
"""
LONG = f"observed >= {_OBSERVED}"
"""SQL over the days from an application's first use to its last: whether it is known that it always had few."""
_IPV4 = (r"40\.(9[6-9]|10[0-5])\.", r"52\.9[6-9]\.", r"132\.245\.")
_IPV6 = (r"2603:10(0|1|2|3|4|5)6:",)
_OF_EXCHANGE = f"^({'|'.join((*_IPV4, *_IPV6))})"
"""Addresses of Exchange Online, from which nobody but Microsoft's services can come: the blocks of
https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges
"""


def of_exchange(network: str, sql: DuckDB) -> str:
    """SQL: whether a network, as in groups, is one of Exchange Online's own."""
    return sql.found(network, _OF_EXCHANGE)


def arrivals(belongs: str, sql: DuckDB) -> str:
    """A query over a baseline: by class, operation, application and facet, how many values `came` after its first weeks.

    `usual_new`: the most mailboxes with one of them, apart from as many as `allowed` in `spans`; `most_new`: how many came on
    the day of most.
    """
    return f"""SELECT {KEYS}, facet, count(*) AS came,
            coalesce(max(mailboxes) FILTER (WHERE number > allowed), 0) AS usual_new, max(that_day) AS most_new
        FROM (SELECT {KEYS}, facet, mailboxes, allowed,
                row_number() OVER (PARTITION BY {KEYS}, facet ORDER BY mailboxes DESC, value) AS number,
                count(*) OVER (PARTITION BY {KEYS}, facet, {sql.quotient("first_on", DAY)}) AS that_day
            FROM {belongs} CROSS JOIN ({spans(belongs)}) AS span
            WHERE facet IN ('{Facet.NETWORK}', '{Facet.CLIENT}') AND first_on >= warm)
        GROUP BY {KEYS}, facet"""


def spans(belongs: str) -> str:
    """A query over a baseline for one row: its last time, when it has warmed up, and how many values may come to somebody with
    few. `later`: the days on which values `came`, or 0 if these are too few to know how many come on one.
    """
    return f"""SELECT ended, warm, greatest(0, (ended - warm) / {_EVERY}) AS allowed,
            CASE WHEN ended - began >= {2 * _SETTLES} THEN (ended - warm) / {DAY} ELSE 0 END AS later
        FROM (SELECT *, began + least({_WARM_UP}, greatest({_SETTLES}, ended - began - {_SETTLES})) AS warm
            FROM (SELECT min(first_on) AS began, max(last_on) AS ended FROM {belongs}))"""
