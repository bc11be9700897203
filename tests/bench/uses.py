"""Writes a log store of many uses over a year, made inside DuckDB; run as a process of its own."""

import shutil
import sys
from pathlib import Path

from keyaudit.inventory.disk import files
from keyaudit.inventory.load import loading
from keyaudit.inventory.logs.manifest import COLUMNS, FORMAT, THROTTLED, USES, WRITTEN, LogManifest
from keyaudit.inventory.logs.token import HOURS, TOKENS
from keyaudit.inventory.logs.use import FileRead
from keyaudit.inventory.manifest import File, TableFiles, sealed
from keyaudit.logs.storing.days import write_days
from keyaudit.logs.storing.parts import Spooled
from keyaudit.model.values.times import DAY, parse_date

FIRST = parse_date("2025-01-01")
DAYS = 365
_WIDTH = 600
"""The bytes of a use as JSON."""

# 5,000 people and 20 applications read mail; 200 keys of three versions each and 200 secrets in 20 vaults are used by 60 others
# that also sign in. Nobody keeps to a network: the most distinct groups that so many uses can have.
_UUID = "printf('%08x-0000-4000-8000-000000000000', {})"
_COLUMNS = {
    "id": "printf('%032x', i)",
    "resource_id": "'/tenants/t'",
    "uses": "1",
    "used_on": f"{FIRST} + i * {DAYS * DAY} // {{rows}}",
    "operation": "CASE WHEN h % 10 < 7 THEN 'read-mail' ELSE ['sign', 'read-secret', 'sign-in'][(h % 10 - 6)::INTEGER] END",
    "succeeded": "true",
    "actor_app_id": _UUID.format("CASE WHEN h % 10 < 7 THEN g % 20 ELSE 20 + g % 60 END"),
    "client_app_id": f"CASE WHEN h % 10 < 7 THEN {_UUID.format('g % 20 + 100')} END",
    "principal_id": _UUID.format("k % 5000"),
    "credential_key_id": f"CASE WHEN h % 10 = 9 THEN {_UUID.format('g % 60 + 200')} END",
    "target_kind": "CASE WHEN h % 10 < 7 THEN 'mailbox' ELSE ['key', 'secret', 'application'][(h % 10 - 6)::INTEGER] END",
    "target_id": "CASE h % 10 WHEN 7 THEN printf('https://v%d.vault.azure.net/keys/k%d/%032x', g % 20, g % 200, k % 3)"
    " WHEN 8 THEN printf('https://v%d.vault.azure.net/secrets/s%d/%032x', g % 20, g % 200, k % 3)"
    " WHEN 9 THEN '00000002-0000-0ff1-ce00-000000000000' ELSE 'person' || k % 5000 || '@contoso.example' END",
    "network": "printf('10.%d.%d.%d', k % 20, g % 50, h % 250)",
    "client": "printf('azsdk-python-keyvault-keys/4.%d.0 Python/3.%d.2 (Linux-5.15)', k % 11, k % 13)",
    "source": "CASE WHEN h % 10 < 7 THEN 'OfficeActivity' WHEN h % 10 < 9 THEN 'AZKVAuditLogs'"
    " ELSE 'AADServicePrincipalSignInLogs' END",
    "unknown": "MAP {{}}",
}


def main(folder: Path, rows: int) -> None:
    """Write them to `folder`."""
    files.folder(folder)
    for name in (*COLUMNS, "spool"):
        files.folder(folder / name)
    aside, written = folder / "spool" / "uses.parquet", folder / WRITTEN / "00000.parquet"
    names = [*(name for name in COLUMNS[USES] if name not in ("scope_id", "source_url", "source_version"))]
    columns = ", ".join(f"({_COLUMNS.get(name, 'NULL').format(rows=rows)})::{COLUMNS[USES][name]} AS {name}" for name in names)
    file = FileRead(file="log", size=1, sha256="0" * 64, form="JSON lines", complete=True, sources={})
    with loading(folder / "spool" / "tmp") as connection:
        connection.execute(
            f"COPY (SELECT {columns}, 0 AS file, 0 AS part, 1::BIGINT AS records FROM (SELECT i, hash(i) AS h,"
            f" hash(i * 7 + 1) AS g, hash(i * 13 + 5) AS k FROM range({rows}) AS made(i)))"
            f" TO '{aside}' (FORMAT parquet, COMPRESSION lz4)"
        )
        new = Spooled([aside], rows * _WIDTH, [file], "t")
        made = write_days(connection, folder, new, None)
        days = sorted((source, day, count) for (source, day), count in made.uses.items())
        connection.execute("CREATE TABLE written (source VARCHAR, resource_id VARCHAR, day BIGINT)")
        lists = [[source for source, _, _ in days], [day for _, day, _ in days]]
        connection.execute("INSERT INTO written SELECT unnest(?), '', unnest(?)", lists)
        connection.execute(f"COPY (FROM written ORDER BY ALL) TO '{written}' (FORMAT parquet, COMPRESSION zstd)")
    shutil.rmtree(folder / "spool")
    manifest = LogManifest(
        digest="",
        format=FORMAT,
        tenant_id="t",
        files=(file,),
        days={name: [(day, count) for source, day, count in days if source == name] for name in sorted({d[0] for d in days})},
        parts=tuple(made.parts),
        reduced=tuple(made.reduced),
        tables={
            THROTTLED: TableFiles(files=(), rows=0, columns=COLUMNS[THROTTLED]),
            WRITTEN: _files(written, WRITTEN, len(days)),
            **{name: TableFiles(files=(), rows=0, columns=COLUMNS[name]) for name in (HOURS, TOKENS)},
        },
        key=None,
        columns=COLUMNS,
    )
    files.replace(folder / "manifest.json", sealed(manifest))


def _files(path: Path, table: str, rows: int) -> TableFiles:
    size, sha256 = files.digest(path)
    file = File(path=f"{table}/{path.name}", size=size, sha256=sha256)
    return TableFiles(files=(file,), rows=rows, columns=COLUMNS[table])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
