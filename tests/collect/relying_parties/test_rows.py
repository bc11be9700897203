"""Rows of files: each has its own id, for any file name."""

import json
import os
from pathlib import Path
from typing import Any, cast

from keyaudit.collect.relying_parties.files import in_place
from keyaudit.collect.relying_parties.rows import write_relying_parties
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Scope, ScopeKind

SETTINGS = json.dumps({"AzureAd": {"TenantId": "common"}}).encode()


class Written:
    """Rows in the order in which they were written."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def row(self, _: str, values: dict[str, Any]) -> None:
        self.rows.append(values)


def test_names_that_are_no_utf_8_or_differ_by_case_alone_make_rows_of_their_own(tmp_path: Path) -> None:
    for name in (b"a\xfe", b"a\xff", b"B", b"b"):
        folder = tmp_path / os.fsdecode(name)
        folder.mkdir()
        (folder / "appsettings.json").write_bytes(SETTINGS)
    written = Written()
    write_relying_parties(
        cast("Unit", written), Scope("/tenants/x", "x", ScopeKind.TENANT), in_place(tmp_path, "here", with_keys=False)
    )
    assert len({row["id"] for row in written.rows}) == len(written.rows) == 4
