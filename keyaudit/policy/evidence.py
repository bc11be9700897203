"""Optional and supplied evidence of a run."""

from collections.abc import Collection, Iterable

import duckdb

from keyaudit.model.environments import assigning
from keyaudit.model.evidence import DELETED_HSM_KEYS, ENVIRONMENTS, NOT_IN_CLOUD, PUBLISHERS
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import OPTIONAL, Reason
from keyaudit.model.run import Run
from keyaudit.model.tables.places import HSMS_FOUND, VAULTS_FOUND
from keyaudit.policy.definition import Policy


def optional(run: Run, require: Collection[str]) -> frozenset[Reason]:
    """The reasons for gaps that do not make the run incomplete.

    An unconfigured environment counts only if [environments] gives something an environment, or if they are required.
    """
    found = set(OPTIONAL)
    if DELETED_HSM_KEYS in require:
        found.discard(Reason.OPTIONAL_RIGHT)
    if NOT_IN_CLOUD in require:
        found.discard(Reason.NOT_IN_CLOUD)
    if PUBLISHERS in require:
        found.discard(Reason.PUBLISHER_ONLY)
    if ENVIRONMENTS not in require and not assigning(run.environment_rules):
        found.add(Reason.NOT_CONFIGURED)
    return frozenset(found)


def supplied(
    run: Run, policies: Iterable[Policy], require: Collection[str], connection: duckdb.DuckDBPyConnection
) -> frozenset[str]:
    """The supplied evidence. Environments count as supplied if [environments] is in use, or a tag of any vault names one. If
    vaults may be missing, one of them may have such a tag: then dependent policies are unknown, not left out.

    Deleted keys of Managed HSMs count as supplied unless the right to read them is missing on every HSM. Required, they always
    do: then that right is missing as any other is.
    """
    found = set(run.evidence)
    if any(ENVIRONMENTS in policy.text.needs for policy in policies) and (
        assigning(run.environment_rules) or connection.execute(_NAMED_OR_UNSEEN).fetchone()
    ):
        found.add(ENVIRONMENTS)
    if any(DELETED_HSM_KEYS in policy.text.needs for policy in policies) and (
        DELETED_HSM_KEYS in require or connection.execute(_ASKED_OR_NO_HSM).fetchone()
    ):
        found.add(DELETED_HSM_KEYS)
    return frozenset(found)


_LEFT_OUT = ", ".join(f"'{reason}'" for reason in sorted(OPTIONAL))
_LISTS = ", ".join(f"'{operation}'" for operation in sorted({*VAULTS_FOUND, *HSMS_FOUND}))
_NAMED_OR_UNSEEN = f"""
    SELECT 1 FROM environment_named UNION ALL
    SELECT 1 FROM coverage WHERE operation IN ({_LISTS}) AND state <> 'assessed' AND reason NOT IN ({_LEFT_OUT}) LIMIT 1"""  # noqa: S608 - declared names only
_READ = ", ".join(f"'{each.id}'" for each in OPERATIONS.values() if each.evidence == DELETED_HSM_KEYS)
_ASKED_OR_NO_HSM = f"""
    SELECT 1 FROM coverage WHERE operation IN ({_READ}) AND reason IS DISTINCT FROM '{Reason.OPTIONAL_RIGHT}' UNION ALL
    SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM coverage WHERE operation = 'hsm.key.list') LIMIT 1"""  # noqa: S608 - declared names only
