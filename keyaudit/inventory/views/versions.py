"""What the views of keys, certificates and secrets have in common: each is a table of versions of what lies in a vault."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views.environment import BY_RULE, DOUBT
from keyaudit.inventory.views.sql import Sources, tag
from keyaudit.model.reasons import Reason
from keyaudit.model.times import MAX_TIME

# A version without a date was made before the service kept dates, so that the oldest then is one that has none.
_OLDEST_DOUBT = """coalesce(groups.unlisted, groups.undated,
    CASE WHEN groups.oldest IS NULL OR groups.oldest_in_doubt < groups.oldest THEN groups.doubt END)"""
_OWN_TAG = tag("stored")

COLUMNS = f"""
    CASE WHEN stored.unknown['tags'] IS NULL THEN coalesce({_OWN_TAG}, vault.environment) END AS environment,
    groups.certain AS superseded_enabled_min,
    CASE WHEN groups.unlisted IS NULL THEN groups.possible END AS superseded_enabled_max,
    CASE WHEN {_OLDEST_DOUBT} IS NULL AND NOT groups.dateless THEN groups.oldest END AS oldest_superseded_on"""
"""What is left of superseded versions, and the environment."""

REASONS = {
    "environment": f"""coalesce(stored.unknown['tags'], CASE WHEN {_OWN_TAG} IS NULL
        THEN CASE WHEN vault.id IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE vault.doubt END END)""",
    "superseded_enabled": "coalesce(groups.unlisted, groups.doubt)",
    "oldest_superseded_on": _OLDEST_DOUBT,
}
"""Why one of these columns is unknown."""


def relations(sources: Sources, table: str, subject: str) -> str:
    """The relations `stored`, `groups` and `vault` that these columns rest on. `subject`: what the versions are versions of."""
    return f"""{sources[table]} AS stored
        JOIN ({_groups(sources[table], subject)}) AS groups ON groups.subject = stored.{subject}
        LEFT JOIN (
            SELECT id, environment,
                coalesce(unknown['tags'], CASE WHEN environment IS NULL THEN {DOUBT.format("known")} END) AS doubt
            FROM (
                SELECT id, unknown, CASE WHEN unknown['tags'] IS NULL
                    THEN coalesce({tag("vault")}, {BY_RULE.format("vault")}) END AS environment
                FROM {sources["vault"]} AS vault
            ) AS known
        ) AS vault ON vault.id = stored.vault_id"""


def _groups(source: str, subject: str) -> str:
    # Aggregated over a few columns and joined back: a window would carry every column of every version through its sort.
    #   superseded  surely enabled and not the current one; NULL: perhaps
    #   doubt       why a version is only perhaps one
    versions = f"""
        SELECT {subject}, superseded, created_on,
            CASE WHEN superseded IS NULL THEN coalesce(unknown['enabled'], unknown['is_current']) END AS doubt,
            CASE WHEN created_on IS NULL THEN unknown['created_on'] END AS undated,
            CASE WHEN versions_listed THEN NULL ELSE coalesce(unknown['versions_listed'], '{Reason.TRUNCATED}') END AS unlisted
        FROM (
            SELECT {subject}, created_on, versions_listed, unknown, enabled AND NOT is_current AS superseded
            FROM {source}
        )"""
    return f"""
        SELECT {subject} AS subject,
            count(*) FILTER (superseded) AS certain,
            count(*) FILTER (superseded IS NOT FALSE) AS possible,
            min(unlisted) AS unlisted,
            min(doubt) AS doubt,
            min(created_on) FILTER (superseded) AS oldest,
            coalesce(bool_or(superseded AND created_on IS NULL AND undated IS NULL), false) AS dateless,
            min(undated) FILTER (superseded) AS undated,
            min(coalesce(created_on, {-MAX_TIME})) FILTER (superseded IS NULL) AS oldest_in_doubt
        FROM ({versions}) GROUP BY {subject}"""


def certificate_of(subject: str) -> str:
    """The certificate that a managed key or secret backs: the service gives it the same name."""
    collection = subject.removesuffix("_id")
    return f"CASE WHEN stored.managed THEN replace(stored.{subject}, '/{collection}s/', '/certificates/') END"


def bounded(time: str) -> str:
    """A time computed in HUGEINT as BIGINT: beyond the bound, all dates are alike."""
    return f"(CASE WHEN {time} > {MAX_TIME} THEN {MAX_TIME} WHEN {time} < -{MAX_TIME} THEN -{MAX_TIME} ELSE {time} END)::BIGINT"
