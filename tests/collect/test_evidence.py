"""Files that PowerShell wrote: read as they are, and anything else refused with its place and what to do."""

import codecs
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.collect.evidence import NONE, Evidence, UnifiedAudit, supplied, unified_audit
from keyaudit.model.errors import UnsafeError, UsageError
from tests.collect.estate import ESTATE, TENANT_ID
from tests.collect.refusals import refused
from tests.collect.rig import collect

READS = ("tenant", "federation")

ORGANIZATION = (
    "EURPR05A001.PROD.OUTLOOK.COM/Microsoft Exchange Hosted Organizations/B.example - "
    "EURPR05A001.PROD.OUTLOOK.COM/ConfigurationUnits/b.example/Configuration"
)
AUDIT = {
    "PSComputerName": "outlook.office365.com",
    "RunspaceId": "11111111-1111-4111-8111-111111111111",
    "UnifiedAuditLogIngestionEnabled": True,
    "AdminAuditLogAgeLimit": {"Value": "90.00:00:00"},
    "OrganizationId": ORGANIZATION,
    "WhenChanged": "/Date(1700000000000)/",
}
CONFIG = {"AuditDisabled": False, "Name": "b.example", "OrganizationId": {"OrganizationalUnit": {"Name": ORGANIZATION}}}
COLUMNS = ("unified_audit_enabled", "mailbox_audit_default", "unified_audit_evidence")


def written(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "ual.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@pytest.mark.parametrize(
    ("document", "ingestion", "mailboxes"),
    [
        ([AUDIT, CONFIG], True, True),
        ([CONFIG, AUDIT], True, True),
        (AUDIT, True, None),
        (CONFIG, None, True),
        (AUDIT | CONFIG, True, True),
        ({"value": [AUDIT, CONFIG], "Count": 2}, True, True),
        ({"UnifiedAuditLogIngestionEnabled": False}, False, None),
        ({"AuditDisabled": True}, None, False),
    ],
)
def test_each_form_that_powershell_writes(
    tmp_path: Path, document: object, ingestion: bool | None, mailboxes: bool | None
) -> None:
    found = unified_audit(written(tmp_path, document))
    assert (found.ingestion, found.mailboxes) == (ingestion, mailboxes)
    assert found.organizations == ({"b.example"} if "OrganizationId" in json.dumps(document) else set())
    assert found.digest == hashlib.sha256((tmp_path / "ual.json").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("bom", "encoding"),
    [(b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")],
)
def test_each_encoding_that_powershell_writes(tmp_path: Path, bom: bytes, encoding: str) -> None:
    text = json.dumps([AUDIT | {"Name": "Grüße"}, CONFIG], ensure_ascii=False, indent=4).replace("\n", "\r\n")
    assert unified_audit(written(tmp_path, bom + text.encode(encoding))).ingestion is True


TWICE = b'{"UnifiedAuditLogIngestionEnabled": false, "UnifiedAuditLogIngestionEnabled": true}'
WRONG: list[tuple[object, str]] = [
    (b"", "not JSON"),
    (b'{"AuditDisabled": fals', ":1:19: not JSON"),
    (b'{}\n{"AuditDisabled": false}', ":2:1: not JSON: Extra data"),
    (TWICE, "a duplicate member"),
    (b'{"AuditDisabled": NaN}', "NaN is no JSON"),
    (b"\xff\xfe\xff", "not utf-16-le text"),
    (b"\xc3\x28", "not utf-8 text"),
    (b"[" * 100_000, "nested too deeply"),
    (b'{"AuditDisabled": ' + b"9" * 10_000 + b"}", "not JSON as PowerShell writes it"),
    ([], "has neither"),
    ([{"Name": "x"}], "has neither"),
    ("text", "neither an object nor a short list"),
    ([AUDIT, "text"], "neither an object nor a short list"),
    ([CONFIG] + [{}] * 20, "neither an object nor a short list"),
    ([AUDIT, AUDIT], "has UnifiedAuditLogIngestionEnabled twice"),
    ({"UnifiedAuditLogIngestionEnabled": "True"}, "UnifiedAuditLogIngestionEnabled is not true or false"),
    ({"AuditDisabled": None}, "AuditDisabled is not true or false"),
    ({"AuditDisabled": 0}, "AuditDisabled is not true or false"),
    (b" " * (4 * 1024 * 1024 + 1), "over 4,194,304 bytes"),
]


@pytest.mark.parametrize(("content", "what"), WRONG, ids=[what for _, what in WRONG])
def test_anything_else_is_refused_with_place_and_remedy(tmp_path: Path, content: object, what: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(UsageError) as caught:
        unified_audit(path)
    told = str(caught.value)
    assert told.startswith(f"--import ual: {path}")
    assert what in told
    assert "export" in caught.value.remedy
    assert "\n" not in told


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "none", Path("a\0b")):
        with pytest.raises(UsageError, match="--import ual: "):
            unified_audit(path)


@pytest.mark.parametrize("text", ["ual", "ual=", "=x", "other=x", "x"])
def test_an_import_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write ual=FILE"):
        supplied([text])


def test_a_kind_is_imported_once(tmp_path: Path) -> None:
    path = written(tmp_path, AUDIT)
    assert supplied([]) == NONE
    assert set(supplied([f"UAL={path}"]).digests) == {"unified-audit"}
    with pytest.raises(UsageError, match="given twice"):
        supplied([f"ual={path}", f"ual={path}"])


def given(**values: Any) -> Evidence:
    defaults: dict[str, Any] = {"digest": "ab" * 32, "ingestion": False, "mailboxes": None, "organizations": frozenset()}
    return Evidence(unified_audit=UnifiedAudit(**(defaults | values)))


async def test_without_a_file_the_columns_are_unknown_and_nothing_gates() -> None:
    found = await collect(evidence=NONE)
    assert found.gaps() == {}
    assert found.unknown("tenant", TENANT_ID) == dict.fromkeys(COLUMNS, "not_supplied")


async def test_what_the_file_says_stands_in_the_tenants_row() -> None:
    found = await collect(evidence=given(organizations=frozenset({"b.example"})))
    row = found.rows["tenant"][TENANT_ID]
    assert not row["unified_audit_enabled"]
    assert row["unified_audit_evidence"] == "ab" * 32
    # The other object was not in the file.
    assert found.unknown("tenant", TENANT_ID) == {"mailbox_audit_default": "not_supplied"}


@pytest.mark.parametrize("organization", ["contoso.onmicrosoft.com", "example", "evil\x1b[31m"])
async def test_a_file_of_another_organization_ends_the_run(organization: str) -> None:
    with pytest.raises(UnsafeError, match="not a domain of the audited tenant") as caught:
        await collect(evidence=given(organizations=frozenset({"b.example", organization})))
    assert "\x1b" not in str(caught.value)


async def test_a_file_is_not_believed_where_nobody_can_say_whose_it_is() -> None:
    found = await collect(refused("domain.list", "permission"), evidence=given(organizations=frozenset({"b.example"})))
    assert {name: found.unknown("tenant", TENANT_ID)[name] for name in COLUMNS} == dict.fromkeys(COLUMNS, "permission")
    # One that names no organization is the user's word alone, with or without domains.
    found = await collect(refused("domain.list", "permission"), estate=replace(ESTATE), evidence=given())
    assert "unified_audit_enabled" not in found.unknown("tenant", TENANT_ID)
