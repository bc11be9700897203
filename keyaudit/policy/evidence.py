"""Optional and supplied evidence of a run."""

from collections.abc import Collection, Iterable

import duckdb

from keyaudit.model.evidence import ENVIRONMENTS, NOT_IN_CLOUD
from keyaudit.model.reasons import OPTIONAL, Reason
from keyaudit.model.run import Run
from keyaudit.model.tables.places import HSMS_FOUND, VAULTS_FOUND
from keyaudit.policy.definition import Policy


def optional(run: Run, require: Collection[str]) -> frozenset[Reason]:
    """The reasons for gaps that do not make the run incomplete.

    An unconfigured environment counts only if [environments] is in use or required.
    """
    found = set(OPTIONAL)
    if NOT_IN_CLOUD in require:
        found.discard(Reason.NOT_IN_CLOUD)
    if ENVIRONMENTS not in require and not run.environment_rules:
        found.add(Reason.NOT_CONFIGURED)
    return frozenset(found)


def supplied(run: Run, policies: Iterable[Policy], connection: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The supplied evidence. Environments count as supplied if [environments] is in use, or a tag of any vault names one.

    If vaults may be missing, one of them may have such a tag: then dependent policies are unknown, not left out.
    """
    found = set(run.evidence)
    if any(ENVIRONMENTS in policy.text.needs for policy in policies) and (
        run.environment_rules or connection.execute(_NAMED_OR_UNSEEN).fetchone()
    ):
        found.add(ENVIRONMENTS)
    return frozenset(found)


_LEFT_OUT = ", ".join(f"'{reason}'" for reason in sorted(OPTIONAL))
_LISTS = ", ".join(f"'{operation}'" for operation in sorted({*VAULTS_FOUND, *HSMS_FOUND}))
_NAMED_OR_UNSEEN = f"""
    SELECT 1 FROM environment_named UNION ALL
    SELECT 1 FROM coverage WHERE operation IN ({_LISTS}) AND state <> 'assessed' AND reason NOT IN ({_LEFT_OUT}) LIMIT 1"""  # noqa: S608 - declared names only
