"""Common to the views of keys, certificates and secrets: each is a table of versions of objects in a vault."""

from collections.abc import Callable

from keyaudit.inventory.facts.fact import FALSE, Count, Doubt, Fact, Truth, strict
from keyaudit.inventory.facts.groups import Groups, groups
from keyaudit.inventory.facts.relation import One, Relation, Rows, because, one
from keyaudit.inventory.views.environment import in_test, no_tests, of_vault, tagged
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import MAX_TIME

Facts = dict[str, Fact | Count]


def facts(rows: Rows, of_object: Groups, *more: str) -> Facts:
    """The derived columns of versions: superseded ones, environments, and of its vault the permission model and `more`."""
    vault = _vault(rows)
    return {
        "environment": tagged(rows).or_else(vault["environment"]),
        "in_test": FALSE if no_tests(rows.sources) else vault.flag("in_test"),
        **{f"vault_{name}": vault[name] for name in ("access_model", *more)},
        **counted(of_object, "superseded_enabled", "oldest_superseded_on", _superseded),
    }


def environment(rows: Rows) -> Fact:
    """The environment of a version: from its tag first, else that of its vault."""
    return tagged(rows).or_else(_vault(rows)["environment"])


def _vault(rows: Rows) -> One:
    vaults = Rows(rows.sources, "vault", "vault")
    unread = because(Reason.PARENT_NOT_ASSESSED)
    return one(
        vaults, key=rows["vault_id"], missing=unread, facts={"environment": of_vault(vaults), "in_test": in_test(vaults)}
    )


def of_object(rows: Rows, subject: str) -> Groups:
    """The versions of the same object as each of `rows`. `subject`: the column with the id of the object."""
    versions = Rows(rows.sources, rows.table, "version")
    return groups(versions, "groups", by=versions[subject], key=rows[subject], missing_of_row=unlisted(versions), own=True)


def unlisted(versions: Rows) -> Doubt:
    """Why the object of each may have more versions."""
    listed = versions.flag("versions_listed")
    truncated = f"CASE WHEN {listed.value} THEN NULL ELSE coalesce({listed.doubt.sql}, '{Reason.TRUNCATED}') END"
    return Doubt((truncated,), listed.everything)


def counted(of_object: Groups, count: str, oldest: str, which: Callable[[Relation], Truth]) -> Facts:
    """The columns with the number of the versions of an object for which a condition holds, and the date of the oldest of them.

    A version without a date was created before the service recorded dates, so it is the oldest.
    """
    it = which(of_object.rows)
    return {
        count: of_object.count_of(count, it),
        oldest: of_object.least(oldest, of_object.rows["created_on"], it, absent_first=True),
    }


def _superseded(version: Relation) -> Truth:
    return version.flag("enabled") & ~version.flag("is_current")


def certificate_of(rows: Rows, subject: str) -> Fact:
    """The certificate of a managed key or secret, which has the same name."""
    collection = subject.removesuffix("_id")
    same_name = rows[subject].map(lambda id_: f"replace({id_}, '/{collection}s/', '/certificates/')")
    return same_name.where(rows.flag("managed"))


def third_left(rows: Relation, start: Fact, end: Fact) -> Fact:
    """When a third of a lifetime is left."""
    dialect = rows.sources.sql
    return strict(
        lambda start, end: f"CAST({dialect.wide(end)} - {dialect.quotient(f'({dialect.wide(end)} - {start})', 3)} AS BIGINT)",
        start,
        end,
    )


def bounded(number: str, most: int = MAX_TIME) -> str:
    """SQL: a computed time limited to the range that can be stored, or a number to another range."""
    return f"(CASE WHEN {number} > {most} THEN {most} WHEN {number} < -{most} THEN -{most} ELSE {number} END)"
