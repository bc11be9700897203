"""The order of the first page, in which an architect would act.

The groups take turns at the worst severity that is left, so that each group with critical causes shows some. In a group: the
most severe first, then what a cause opens besides, then the score, then the resource. A cause without a score counts with the
least score of its severity, so that it is not last. A name decides nothing.
"""

# ruff: noqa: S608 - a query is made of declared names and numbers

from keyaudit.model.causes import MANY
from keyaudit.model.findings import Severity
from keyaudit.model.stakes import SURE, Stake
from keyaudit.policy.ordered import least_score

MOST = 20
"""The maximum number of causes on any first page; a screen has room for ten."""
LEAST = Severity.MEDIUM
"""The lowest severity on a first page."""
SCORES = ("score_high", "score_low")

_GROUP = f"CASE {' '.join(f'WHEN stakes & {stake.bit} > 0 THEN {number}' for number, stake in enumerate(Stake))} END"
# The tenant includes its data.
_LEAST_SCORE = least_score("rank")
_OPENS = f"CASE WHEN stakes & {Stake.TAKEOVER.bit} > 0 THEN 2 WHEN stakes & {Stake.DATA.bit} > 0 THEN 1 ELSE 0 END"
_CERTAIN = f"CASE {' '.join(f'WHEN stakes & {stake.bit} > 0 THEN stakes & {stake.bit * SURE} > 0' for stake in Stake)} END"
_IN_GROUP = (
    f"rank DESC, {_OPENS} DESC, {_CERTAIN} DESC,"
    f" {', '.join(f'coalesce({name}, {_LEAST_SCORE}) DESC' for name in SCORES)}, id, policy"
)
_ALIKE = "PARTITION BY in_group, policy, rank, arm"


def first(most: int) -> str:
    """Of the table `heads`, the first causes in the order of choice: number of the policy, row's id, key of the cause, what is
    at stake, the number of causes like it, and its place on a page by groups.

    Causes of a group that differ in their object alone are one, at the place of the first, if they are more than `MANY`.
    """
    return f"""
        SELECT policy, id, key, stakes, CASE WHEN times > {MANY} THEN times ELSE 1 END, place FROM (
            SELECT *, row_number() OVER (PARTITION BY rank, in_group ORDER BY {_IN_GROUP}) AS turn,
                row_number() OVER (ORDER BY in_group, {_IN_GROUP}) AS place
            FROM (
                SELECT *, count(*) OVER ({_ALIKE}) AS times, row_number() OVER ({_ALIKE} ORDER BY {_IN_GROUP}) AS nth
                FROM (SELECT *, {_GROUP} AS in_group FROM heads WHERE stakes > 0 AND rank >= {LEAST.rank})
            ) WHERE nth = 1 OR times <= {MANY}
        ) ORDER BY rank DESC, turn, in_group LIMIT {most}"""
