"""The order of the first page, in which an architect acts: the most urgent first, then the oldest. A name decides nothing."""

# ruff: noqa: S608 - a query is made of declared names and numbers

from keyaudit.model.causes import MANY
from keyaudit.model.severity import Severity

MOST = 60
"""The maximum number of causes on any first page."""
LEAST = Severity.MEDIUM
"""The lowest severity on a first page."""

_ORDER = "urgency DESC, began NULLS LAST, id, policy"
_ALIKE = "PARTITION BY policy, urgency, arm"


def first(heads: str, most: int) -> str:
    """Of the relation `heads` of `causes.Grouping`, the first causes in order: number of the policy, row's id, key of the
    cause, and the number of causes like it.

    Causes that differ in their object alone are one, at the place of the first, if they are more than `MANY`.
    """
    return f"""
        SELECT policy, id, key, CASE WHEN times > {MANY} THEN times ELSE 1 END FROM (
            SELECT *, count(*) OVER ({_ALIKE}) AS times, row_number() OVER ({_ALIKE} ORDER BY {_ORDER}) AS nth
            FROM {heads} WHERE rank >= {LEAST.rank}
        ) WHERE nth = 1 OR times <= {MANY} ORDER BY {_ORDER} LIMIT {most}"""
