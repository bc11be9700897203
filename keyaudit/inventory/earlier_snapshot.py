"""An earlier snapshot, for a run that reads only objects that may have changed since."""

from collections.abc import Mapping, Sequence
from types import TracebackType

from msgspec import structs

from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.errors import UnsafeError, UsageError
from keyaudit.model.results.run import Run
from keyaudit.model.tables.vaults.key import KEY
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY

REREAD = 7 * DAY
"""The age in seconds from which a certificate of an application is read again, unless the run says otherwise."""
MARGIN = 300
"""Seconds before the earlier run in which a change may be later than the read: clocks differ, and times are whole seconds."""


class Earlier:
    """Keys and certificates of an earlier snapshot, a vault at a time, and those of applications. Use it in `with`.

    `reread`: the age in seconds from which a certificate of an application is read again.
    """

    def __init__(self, snapshot: Snapshot, reread: int = REREAD) -> None:
        self._connection = snapshot.reading()
        self._source, self._certificates = snapshot.stored("key"), snapshot.stored("certificate")
        self._credentials = snapshot.stored("credential")
        self.as_of, self.reread = snapshot.run.as_of, reread
        self._settled = snapshot.run.as_of - MARGIN - abs(snapshot.run.skew or 0)

    def __enter__(self) -> "Earlier":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()

    def settled(self, updated_on: object) -> bool:
        """Whether an object with that last change was read after the change."""
        return isinstance(updated_on, int) and updated_on < self._settled

    def keys(self, vault_id: str) -> Mapping[str, Mapping[str, Mapping[str, object]]]:
        """The stored rows of a vault's keys, by key id and version, with `unknown`."""
        names = [*(column.name for column in KEY.stored), "unknown"]
        query = f"SELECT {', '.join(names)} FROM {self._source} WHERE vault_id = ?"  # noqa: S608 - declared names
        found: dict[str, dict[str, Mapping[str, object]]] = {}
        for values in self._connection.execute(query, [vault_id]).fetchall():
            row = dict(zip(names, values, strict=True))
            found.setdefault(str(row["key_id"]), {})[str(row["version"])] = row
        return found

    def counted(self) -> Mapping[str, int]:
        """The number of keys of each vault that has any, by its id."""
        query = f"SELECT vault_id, count(DISTINCT key_id) FROM {self._source} GROUP BY vault_id"  # noqa: S608 - a declared name
        return {str(vault_id): count for vault_id, count in self._connection.execute(query).fetchall()}

    def certificates(self, vault_id: str, columns: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        """By id, these columns of the versions of a vault's certificates, with `unknown`."""
        names = ["id", *columns, "unknown"]
        query = f"SELECT {', '.join(names)} FROM {self._certificates} WHERE vault_id = ?"  # noqa: S608 - declared names
        rows = (dict(zip(names, values, strict=True)) for values in self._connection.execute(query, [vault_id]).fetchall())
        return {str(row["id"]): row for row in rows}

    def credentials(self, columns: Sequence[str]) -> Mapping[str, Mapping[str, object]]:
        """By id, these columns of the certificates that applications and service principals sign in with, with `unknown`."""
        names = [*columns, "unknown"]
        query = f"SELECT {', '.join(names)} FROM {self._credentials} WHERE kind = 'certificate'"  # noqa: S608 - declared names
        rows = (dict(zip(names, values, strict=True)) for values in self._connection.execute(query).fetchall())
        return {str(row["id"]): row for row in rows}


def continued(run: Run, since: Run) -> Run:
    """The run that reuses rows of another run. Raises UsageError unless both read the same tenant in the same way."""
    if (since.tenant_id, since.environment, since.simulated) != (run.tenant_id, run.environment, run.simulated):
        there, here = (f"tenant {each.tenant_id} ({each.environment})" for each in (since, run))
        raise UnsafeError("--copy-from", f"the snapshot is of {there}, signed in to {here}", "name a snapshot of this tenant")
    if since.tool_version != run.tool_version:
        what = (
            f"the snapshot was made by keyaudit {one_line(since.tool_version)}, which may have read Azure's responses "
            "differently"
        )
        raise UsageError("--copy-from", what, "collect once without --copy-from")
    return structs.replace(run, since=since.run_id)
