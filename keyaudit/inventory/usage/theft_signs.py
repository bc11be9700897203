"""SQL for what makes a new network a sign of theft before it is known that an application always had few: one thing more."""

# ruff: noqa: S608 - every name and literal in this SQL is our own

from keyaudit.inventory.logs.groups import KEYS, within
from keyaudit.inventory.usage.facets import same
from keyaudit.inventory.usage.severity import FEW
from keyaudit.model.usage import Facet, Kind, Window

_MUCH = 2
"""A multiple of the usual number of uses of a day."""


def signs(window: Window, groups: str) -> str:
    """A query over `reasons`, `app` and `groups`: the new networks of applications from which something else is unusual too.

    It is an operation that the application never did, a credential that it never signed in with, a program that is new; several
    keys or secrets; or a day with far more uses than usual.
    """
    used = f"(SELECT * FROM {groups} WHERE told AND {within(window)} AND network <> '' AND app <> '')"
    from_network = f"""(SELECT {KEYS}, value FROM reasons
        WHERE kind = '{Kind.NEW_NETWORK}' AND few_values AND app <> '' AND target_kind <> 'mailbox')"""
    day = f"(SELECT {KEYS}, day, sum(uses) AS that_day FROM {used} AS used GROUP BY {KEYS}, day)"
    return f"""SELECT DISTINCT app, '{Facet.NETWORK}' AS facet, value, true AS confirmed FROM (
        SELECT used.app, used.network AS value FROM {used} AS used JOIN reasons AS sign ON {same("used", "sign")}
            AND (sign.facet = '{Facet.APP}' AND kind IN ('{Kind.NEW_OPERATION}', '{Kind.NEW_APP}')
                OR sign.facet = '{Facet.CLIENT}' AND kind = '{Kind.NEW_CLIENT}' AND sign.value = used.client
                OR sign.facet = '{Facet.KEY}' AND kind = '{Kind.NEW_KEY}' AND sign.value = used.key
                    AND sign.operation = 'sign-in')
        UNION ALL SELECT app, value FROM {from_network} AS found GROUP BY app, value HAVING count(DISTINCT target) >= {FEW}
        UNION ALL SELECT found.app, value FROM {from_network} AS found
            JOIN {used} AS used ON {same("found", "used")} AND used.network = value
            JOIN {day} AS busy ON {same("found", "busy")} AND busy.day = used.day
            JOIN app ON {same("found", "app")} WHERE that_day > {_MUCH} * usual_uses)"""
