"""What the views of keys, certificates and secrets have in common: each is a table of versions of what lies in a vault."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from keyaudit.inventory.views.environment import BY_RULE, DOUBT
from keyaudit.inventory.views.sql import Sources, tag
from keyaudit.model.reasons import Reason
from keyaudit.model.times import MAX_TIME

_OWN_TAG = tag("stored")


def counted(groups: str, count: str, oldest: str) -> str:
    """The columns `count` and `oldest` of the relation that `group` makes, under the name `groups`."""
    return f"""
        {groups}.certain AS {count}_min, CASE WHEN {groups}.unlisted IS NULL THEN {groups}.possible END AS {count}_max,
        CASE WHEN {_oldest_doubt(groups)} IS NULL AND NOT {groups}.dateless THEN {groups}.oldest END AS {oldest}"""


def count_reasons(groups: str, count: str, oldest: str) -> dict[str, str]:
    """Why one of those columns is unknown."""
    return {count: f"coalesce({groups}.unlisted, {groups}.doubt)", oldest: _oldest_doubt(groups)}


def _oldest_doubt(groups: str) -> str:
    # A version without a date was made before the service kept dates, so that the oldest then is one that has none.
    return f"""coalesce({groups}.unlisted, {groups}.undated,
        CASE WHEN {groups}.oldest IS NULL OR {groups}.oldest_in_doubt < {groups}.oldest THEN {groups}.doubt END)"""


_SUPERSEDED = ("groups", "superseded_enabled", "oldest_superseded_on")

ENVIRONMENT = f"CASE WHEN stored.unknown['tags'] IS NULL THEN coalesce({_OWN_TAG}, vault.environment) END"

COLUMNS = f"""
    {ENVIRONMENT} AS environment,
    {counted(*_SUPERSEDED)}"""
"""What is left of superseded versions, and the environment."""

REASONS = {
    "environment": f"""coalesce(stored.unknown['tags'], CASE WHEN {_OWN_TAG} IS NULL
        THEN CASE WHEN vault.id IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE vault.doubt END END)""",
    **count_reasons(*_SUPERSEDED),
}
"""Why one of these columns is unknown."""


def relations(sources: Sources, table: str, subject: str) -> str:
    """The relations `stored`, `groups` and `vault` that these columns rest on. `subject`: what the versions are versions of."""
    return f"""{sources[table]} AS stored
        JOIN ({group(sources[table], subject, "enabled AND NOT is_current", "is_current")}) AS groups
            ON groups.subject = stored.{subject}
        LEFT JOIN (
            SELECT id, environment,
                coalesce(unknown['tags'], CASE WHEN environment IS NULL THEN {DOUBT.format("known")} END) AS doubt
            FROM (
                SELECT id, unknown, CASE WHEN unknown['tags'] IS NULL
                    THEN coalesce({tag("vault")}, {BY_RULE.format("vault")}) END AS environment
                FROM {sources["vault"]} AS vault
            ) AS known
        ) AS vault ON vault.id = stored.vault_id"""


def group(source: str, subject: str, counted: str, column: str) -> str:
    """Of each thing the versions of which `counted` is true: how many, and the oldest of them.

    `counted` is a condition on `enabled` and on `column`, whose list of values or value may be unknown.
    """
    # Aggregated over a few columns and joined back: a window would carry every column of every version through its sort.
    #   it      whether the version surely counts; NULL: perhaps
    #   doubt   why a version only perhaps counts
    versions = f"""
        SELECT {subject}, it, created_on,
            CASE WHEN it IS NULL THEN coalesce(unknown['enabled'], unknown['{column}']) END AS doubt,
            CASE WHEN created_on IS NULL THEN unknown['created_on'] END AS undated,
            CASE WHEN versions_listed THEN NULL ELSE coalesce(unknown['versions_listed'], '{Reason.TRUNCATED}') END AS unlisted
        FROM (SELECT {subject}, created_on, versions_listed, unknown, {counted} AS it FROM {source})"""
    return f"""
        SELECT {subject} AS subject,
            count(*) FILTER (it) AS certain,
            count(*) FILTER (it IS NOT FALSE) AS possible,
            min(unlisted) AS unlisted,
            min(doubt) AS doubt,
            min(created_on) FILTER (it) AS oldest,
            coalesce(bool_or(it AND created_on IS NULL AND undated IS NULL), false) AS dateless,
            min(undated) FILTER (it) AS undated,
            min(coalesce(created_on, {-MAX_TIME})) FILTER (it IS NULL) AS oldest_in_doubt
        FROM ({versions}) GROUP BY {subject}"""


def certificate_of(subject: str) -> str:
    """The certificate that a managed key or secret backs: the service gives it the same name."""
    collection = subject.removesuffix("_id")
    return f"CASE WHEN stored.managed THEN replace(stored.{subject}, '/{collection}s/', '/certificates/') END"


def bounded(time: str) -> str:
    """A time computed in HUGEINT as BIGINT: beyond the bound, all dates are alike."""
    return f"(CASE WHEN {time} > {MAX_TIME} THEN {MAX_TIME} WHEN {time} < -{MAX_TIME} THEN -{MAX_TIME} ELSE {time} END)::BIGINT"
