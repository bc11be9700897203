"""Optional and supplied evidence of a run."""

from collections.abc import Collection, Iterable

from keyaudit.inventory.reader import Reader
from keyaudit.model.evidence import BY_RIGHT, DELETED_HSM_KEYS, ENVIRONMENTS, EVERYTHING, NOT_IN_CLOUD, PUBLISHERS
from keyaudit.model.gating.optional import MayLack
from keyaudit.model.operations import OPERATIONS
from keyaudit.model.reasons import OPTIONAL, Reason
from keyaudit.model.results.run import Run
from keyaudit.model.scope.environments import assigning
from keyaudit.model.tables.places import HSMS_FOUND, VAULTS_FOUND
from keyaudit.policy.definition import Policy


def optional(run: Run, require: Collection[str]) -> MayLack:
    """The gaps that do not make the run incomplete.

    An unconfigured environment counts only if [environments] gives something an environment, or if they are required.
    """
    found = set(OPTIONAL)
    if NOT_IN_CLOUD in require:
        found.discard(Reason.NOT_IN_CLOUD)
    if PUBLISHERS in require:
        found.discard(Reason.PUBLISHER_ONLY)
    if EVERYTHING in require:
        found.discard(Reason.EXCLUDED_BY_CONFIG)
    if ENVIRONMENTS not in require and not assigning(run.environment_rules):
        found.add(Reason.NOT_CONFIGURED)
    return MayLack(frozenset(found), frozenset(BY_RIGHT).intersection(require))


def supplied(run: Run, policies: Iterable[Policy], require: Collection[str], reader: Reader) -> frozenset[str]:
    """The supplied evidence. Environments count as supplied if [environments] is in use, or a tag of any vault names one. If
    vaults may be missing, one of them may have such a tag: then dependent policies are unknown, not left out.

    What an optional right supplies counts as supplied unless the right is missing everywhere. Required, it always does: then
    that right is missing as any other is.
    """
    found = set(run.evidence)
    if any(ENVIRONMENTS in policy.text.needs for policy in policies) and (
        assigning(run.environment_rules) or [*reader.rows(_NAMED_OR_UNSEEN)]
    ):
        found.add(ENVIRONMENTS)
    for name in BY_RIGHT:
        if any(name in policy.text.needs for policy in policies) and (name in require or [*reader.rows(_ASKED[name])]):
            found.add(name)
    return frozenset(found)


_LEFT_OUT = ", ".join(f"'{reason}'" for reason in sorted(OPTIONAL))
_LISTS = ", ".join(f"'{operation}'" for operation in sorted({*VAULTS_FOUND, *HSMS_FOUND}))
_NAMED_OR_UNSEEN = f"""
    SELECT 1 FROM environment_named UNION ALL
    SELECT 1 FROM coverage WHERE operation IN ({_LISTS}) AND state <> 'assessed' AND reason NOT IN ({_LEFT_OUT}) LIMIT 1"""  # noqa: S608 - declared names only
_NO_HSM = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM coverage WHERE operation = 'hsm.key.list')"


def _asked(name: str) -> str:
    """The query with a row if a request for it was not refused for want of the right, or, of HSMs, if there is none to ask."""
    reads = ", ".join(f"'{each.id}'" for each in OPERATIONS.values() if each.evidence == name)
    asked = f"SELECT 1 FROM coverage WHERE operation IN ({reads}) AND reason IS DISTINCT FROM '{Reason.OPTIONAL_RIGHT}'"  # noqa: S608 - declared names only
    return f"{asked} UNION ALL {_NO_HSM} LIMIT 1" if name == DELETED_HSM_KEYS else f"{asked} LIMIT 1"


_ASKED = {name: _asked(name) for name in BY_RIGHT}
