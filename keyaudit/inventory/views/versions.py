"""Common to the views of keys, certificates and secrets: each is a table of versions of objects in a vault."""

# ruff: noqa: S608 - every name and literal in this SQL is declared in this program or quoted by `quoted`

from collections.abc import Sequence

from msgspec import Struct

from keyaudit.inventory.dialect import DuckDB
from keyaudit.inventory.load import quoted
from keyaudit.inventory.views.environment import BY_RULE, DOUBT
from keyaudit.inventory.views.sql import Sources, tag
from keyaudit.model.reasons import Reason
from keyaudit.model.times import MAX_TIME


class Counted(Struct, frozen=True):
    """The columns with the number of some versions of an object, and with the creation date of the oldest.

    `condition` is SQL on `enabled` and on the column `read`, which may be unknown.
    """

    count: str
    oldest: str
    condition: str
    read: str

    @property
    def columns(self) -> dict[str, str]:
        """Both columns, from the relation `groups`."""
        most = f"CASE WHEN groups.unlisted IS NULL THEN {self._of('possible')} END"
        oldest = f"CASE WHEN {self._oldest_doubt} IS NULL AND NOT {self._of('dateless')} THEN {self._of('oldest')} END"
        return {
            self.count: f"{self._of('certain')} AS {self.count}_min, {most} AS {self.count}_max",
            self.oldest: f"{oldest} AS {self.oldest}",
        }

    @property
    def reasons(self) -> dict[str, str]:
        """SQL: why one of these columns is unknown."""
        return {self.count: f"coalesce(groups.unlisted, {self._of('doubt')})", self.oldest: self._oldest_doubt}

    @property
    def of_version(self) -> str:
        """SQL: whether a version counts, NULL if unknown, and why it is unknown."""
        it, read = self._name("it"), quoted(self.read)
        doubt = f"CASE WHEN {it} IS NULL THEN coalesce(unknown['enabled'], unknown[{read}]) END"
        return f"{self.condition} AS {it}, {doubt} AS {self._name('doubt')}"

    @property
    def of_thing(self) -> str:
        """The aggregates over the versions of an object."""
        it, doubt = self._name("it"), self._name("doubt")
        parts = {
            "certain": f"count(*) FILTER (WHERE {it})",
            "possible": f"count(*) FILTER (WHERE {it} IS NOT FALSE)",
            "doubt": f"min({doubt})",
            "oldest": f"min(created_on) FILTER (WHERE {it})",
            "dateless": f"coalesce(bool_or({it} AND created_on IS NULL AND undated IS NULL), false)",
            "undated": f"min(undated) FILTER (WHERE {it})",
            "oldest_in_doubt": f"min(coalesce(created_on, {-MAX_TIME})) FILTER (WHERE {it} IS NULL)",
        }
        return ", ".join(f"{sql} AS {self._name(part)}" for part, sql in parts.items())

    @property
    def _oldest_doubt(self) -> str:
        # A version without a date was created before the service recorded dates, so it is the oldest.
        oldest = self._of("oldest")
        return f"""coalesce(groups.unlisted, {self._of("undated")},
            CASE WHEN {oldest} IS NULL OR {self._of("oldest_in_doubt")} < {oldest} THEN {self._of("doubt")} END)"""

    def _name(self, part: str) -> str:
        return f"{self.count}_{part}"

    def _of(self, part: str) -> str:
        return f"groups.{self._name(part)}"


_SUPERSEDED = Counted("superseded_enabled", "oldest_superseded_on", "enabled AND NOT is_current", "is_current")


def environment(sql: DuckDB) -> str:
    """SQL: the environment of a version."""
    return f"CASE WHEN stored.unknown['tags'] IS NULL THEN coalesce({tag(sql, 'stored')}, vault.environment) END"


def environment_doubt(sql: DuckDB) -> str:
    """SQL: why that is unknown."""
    return f"""coalesce(stored.unknown['tags'], CASE WHEN {tag(sql, "stored")} IS NULL
        THEN CASE WHEN vault.id IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE vault.doubt END END)"""


def columns(sql: DuckDB) -> dict[str, str]:
    """The derived columns: superseded versions, environment, and the vault's permission model."""
    return {
        "environment": f"{environment(sql)} AS environment",
        "vault_access_model": "vault.access_model AS vault_access_model",
        **_SUPERSEDED.columns,
    }


def reasons(sql: DuckDB) -> dict[str, str]:
    """SQL: why one of these columns is unknown."""
    return {
        "environment": environment_doubt(sql),
        "vault_access_model": f"CASE WHEN vault.id IS NULL THEN '{Reason.PARENT_NOT_ASSESSED}' ELSE vault.model_doubt END",
        **_SUPERSEDED.reasons,
    }


def relations(sources: Sources, table: str, subject: str, *more: Counted) -> dict[str, str]:
    """The relations `groups` and `vault` that these columns depend on. `subject`: the column with the id of the object.

    `more`: further counted columns.
    """
    groups = _groups(sources[table], subject, (_SUPERSEDED, *more))
    return {
        "groups": f"JOIN ({groups}) AS groups ON groups.subject = stored.{subject}",
        "vault": f"""LEFT JOIN (
            SELECT id, environment, access_model,
                CASE WHEN access_model IS NULL THEN unknown['access_model'] END AS model_doubt,
                coalesce(unknown['tags'], CASE WHEN environment IS NULL THEN {DOUBT.format("known")} END) AS doubt
            FROM (
                SELECT id, unknown, access_model, CASE WHEN unknown['tags'] IS NULL
                    THEN coalesce({tag(sources.sql, "vault")}, {BY_RULE.format("vault")}) END AS environment
                FROM {sources["vault"]} AS vault
            ) AS known
        ) AS vault ON vault.id = stored.vault_id""",
    }


def _groups(source: str, subject: str, counts: Sequence[Counted]) -> str:
    """By object, the counts of its versions, and why versions may be missing."""
    # Aggregated over a few columns and joined back, because a window function would sort every column of every version.
    versions = f"""
        SELECT {subject}, created_on, CASE WHEN created_on IS NULL THEN unknown['created_on'] END AS undated,
            CASE WHEN versions_listed THEN NULL ELSE coalesce(unknown['versions_listed'], '{Reason.TRUNCATED}') END AS unlisted,
            {", ".join(count.of_version for count in counts)}
        FROM {source}"""
    return f"""
        SELECT {subject} AS subject, min(unlisted) AS unlisted, {", ".join(count.of_thing for count in counts)}
        FROM ({versions}) GROUP BY {subject}"""


def certificate_of(subject: str) -> str:
    """SQL: the certificate of a managed key or secret, which has the same name."""
    collection = subject.removesuffix("_id")
    return f"CASE WHEN stored.managed THEN replace(stored.{subject}, '/{collection}s/', '/certificates/') END"


def bounded(number: str, most: int = MAX_TIME) -> str:
    """SQL: a computed time limited to the range that can be stored, or a number to another range."""
    return f"(CASE WHEN {number} > {most} THEN {most} WHEN {number} < -{most} THEN -{most} ELSE {number} END)"
