"""A redacted export names nobody, in any format, and tells the same as the plain one."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape
from zipfile import ZipFile, is_zipfile

import duckdb
import pytest

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.tables import TABLES
from keyaudit.policy.load import shipped
from keyaudit.report.formats import FILES, NAMED
from tests.cli.conftest import Keyaudit

csv.field_size_limit(10_000_000)

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HEX = re.compile(r"(?<![0-9a-z])[0-9a-f]{16,}(?![0-9a-z])")
WORDS = re.compile(r"[a-z0-9]+")

# What Azure, or everybody, calls so.
PUBLIC_COLUMNS = {
    "activity_log_categories", "categories", "category_groups", "ekus", "entra_log_categories", "instance_locks", "location",
    "recovery_level", "regions", "signature_hash", "slot", "source_version", "tables", "update_result", "environment",
}  # fmt: skip

PUBLIC_TEXTS = {
    "aadmanagedidentitysigninlogs", "aadnoninteractiveusersigninlogs", "aadriskyserviceprincipals",
    "aadserviceprincipalriskevents", "azureactivity", "azurediagnostics", "configurationstores", "databaseaccounts",
    "dedicatedhsms", "registrationassignments", "registrationdefinitions",
    "diskencryptionsets", "login.microsoftonline.com", "managedclusters", "microsoft.appconfiguration",
    "microsoft.cognitiveservices", "microsoft.containerregistry", "microsoft.containerservice", "microsoft.documentdb",
    "microsoft.eventhub", "microsoft.servicebus", "northeurope",
}  # fmt: skip


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (each for item in value for each in _texts(item))
    elif isinstance(value, Mapping):
        yield from (text for name, each in value.items() for text in (str(name), *_texts(each)))


@pytest.fixture(scope="module")
def originals(contoso: Path) -> set[str]:
    """Every text of the tenant as its snapshot holds it, in lower case, and every segment of its ids."""
    found: set[str] = set()
    taken = open_snapshot(contoso)
    with duckdb.connect(":memory:") as connection:
        for table in TABLES.values():
            columns = [each.name for each in table.stored if not each.values and each.name not in PUBLIC_COLUMNS]
            for row in connection.execute(f"SELECT {', '.join(columns)} FROM {taken.stored(table.name)}").fetchall():
                found.update(text.lower() for value in row for text in _texts(value))
    found.update(part for text in list(found) for part in re.split(r"[/?:]+", text))
    return {text for text in found if len(text) > 3} - PUBLIC_TEXTS


@pytest.fixture(scope="module")
def public() -> str:
    """The words of our own texts."""
    code = Path(__file__).parents[2] / "keyaudit"
    parts = [code / name for name in ("model", "questions", "report")]
    files = [*shipped().rglob("*.yaml"), *(path for part in parts for path in part.rglob("*.py"))]
    return "\n".join(path.read_text() for path in files).lower()


@pytest.fixture(scope="module")
def exported(contoso: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Every format, plain and redacted, by name; the bundle's files by their paths."""
    return {kind: _export(contoso, tmp_path_factory.mktemp(kind), *flags) for kind, flags in KINDS.items()}


KINDS = {"plain": (), "redacted": ("--redact", "names")}


def _export(snapshot: Path, folder: Path, *flags: str) -> dict[str, str]:
    from keyaudit.cli.app import run  # noqa: PLC0415 - the fixture is the module's, and that of a command line is a test's

    names = [*(name for name in FILES if name not in NAMED), "json", "csv", "text", "table", "bundle"]
    assert run(["export", *(f"{name}={folder / name}" for name in names), "--from", str(snapshot), *flags]) == Exit.CLEAN
    return {str(path.relative_to(folder)): _read(path) for path in folder.rglob("*") if path.is_file()}


def _read(path: Path) -> str:
    """All text of a file; of a workbook, that of its cells."""
    if not is_zipfile(path):
        return path.read_text("utf-8")
    with ZipFile(path) as parts:
        sheets = [parts.read(name).decode("utf-8") for name in sorted(parts.namelist()) if name.startswith("xl/worksheets/")]
    return "\n".join(unescape(text) for sheet in sheets for text in re.findall(r"<t[^>]*>([^<]*)</t>", sheet))


def _named(text: str, names: set[str], public: str) -> Iterator[str]:
    """The names that are in the text, one after the other: to look for one takes a reading of all of it."""
    there = set(WORDS.findall(text))
    known = set(WORDS.findall(public))
    for name in names:
        words = WORDS.findall(name)
        possible = words and not known.issuperset(words) and there.issuperset(words)
        if possible and re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", text):
            yield name


@pytest.mark.exhaustive
def test_no_format_names_anything(exported: dict[str, dict[str, str]], originals: set[str], public: str) -> None:
    guids = {guid for text in originals for guid in GUID.findall(text)} - set(GUID.findall(public))
    digests = {digits for text in originals for digits in HEX.findall(text)}
    names = {text for text in originals if not GUID.fullmatch(text) and not HEX.fullmatch(text)}
    assert min(map(len, (guids, digests, names))) > 300
    for path, plain in exported["plain"].items():
        if path.startswith("bundle/policies/") or path == "bundle/manifest.json":
            continue
        text = exported["redacted"][path].lower()
        assert not guids.intersection(GUID.findall(text)), path
        assert not digests.intersection(HEX.findall(text)), path
        assert not list(_named(text, names, public)), path
        assert "contoso" not in text, path
        # A list of controls names nothing but the tenant.
        few = len(plain) < 50_000 or path in ("controls", "bundle/controls.csv")
        assert few or len(list(islice(_named(plain.lower(), names, public), 6))) > 5, path
    assert "contoso" not in exported["redacted"]["bundle/manifest.json"].lower()


@pytest.mark.exhaustive
def test_the_verdict_and_all_counts_are_the_same(exported: dict[str, dict[str, str]]) -> None:
    plain, redacted = (json.loads(exported[kind]["json"]) for kind in KINDS)
    assert plain["verdict"] == redacted["verdict"]
    assert plain["run"]["rows"] == redacted["run"]["rows"]
    assert plain["run"]["id"] == redacted["run"]["id"]

    def counts(report: Any) -> Counter[tuple[str, str, str]]:
        return Counter((each["policy"], each["outcome"], each["severity"]) for each in report["findings"])

    assert counts(plain) == counts(redacted)
    for each in ("subject", "id"):
        assert len({one[each] for one in plain["findings"]}) == len({one[each] for one in redacted["findings"]})
    for one, other in zip(plain["findings"], redacted["findings"], strict=True):
        assert {name: type(value) for name, value in one["row"].items()} == {
            name: type(value) for name, value in other["row"].items()
        }
        assert one["row"].get("expires_on") == other["row"].get("expires_on")
        assert one["unknown"] == other["unknown"]


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.exhaustive
def test_redacted_files_join_by_their_pseudonyms(exported: dict[str, dict[str, str]]) -> None:
    def joined(kind: str) -> tuple[int, ...]:
        files = exported[kind]
        table = {path.stem: _rows(files[str(path)]) for path in map(Path, files) if path.parent.name == "inventory"}
        keys = {row["key_id"] for row in table["key"]}
        people = {row["principal_id"]: row["principal_name"] for row in table["grant"]}
        called = {row["object_id"]: row["name"] for row in table["principal"]}
        apps = {row["app_id"]: row["name"] for row in table["application"]}
        findings = json.loads(files["json"])["findings"]
        return (
            sum(row["key_id"] in keys for row in table["key_use"]),
            sum(called.get(id_) == name for id_, name in people.items()),
            sum(apps.get(row["app_id"]) == row["holder_name"] for row in table["credential"]),
            len({row["vault_name"] for row in table["key"]} & {row["name"] for row in table["vault"]}),
            len({row["finding_id"] for row in _rows(files["csv"])} & {each["id"] for each in findings}),
            len({row["thumbprint"] for row in table["credential"]} & {row["thumbprint"] for row in table["certificate"]}),
        )

    assert joined("redacted") == joined("plain")
    assert min(joined("plain")) > 0


@pytest.mark.exhaustive
def test_kinds_stay_readable(exported: dict[str, dict[str, str]]) -> None:
    resources = {row["resource_name"] for row in _rows(exported["redacted"]["csv"])}
    assert any(re.fullmatch(r"vault-[0-9a-f]{12}/keys/key-[0-9a-f]{12}", name) for name in resources)
    assert any(re.fullmatch(r"app registration app-[0-9a-f]{12}", name) for name in resources)
    assert {row["owner_source"] for row in _rows(exported["redacted"]["csv"])} >= {"tag owner", "Entra owners"}


def test_a_salt_makes_other_pseudonyms_and_the_same_each_time(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    salt = tmp_path / "salt"
    salt.write_text("0123456789abcdef0123456789abcdef\n")
    command = ("export", "jsonl", "--from", contoso, "--select", "kv-purge-protection-off", "--redact", "names")
    by_tenant, salted, again = (
        keyaudit(*command, *more).out for more in ((), ("--redact-salt", salt), ("--redact-salt", salt))
    )
    assert salted == again != by_tenant
    assert not set(re.findall("vault-[0-9a-f]{12}", salted)) & set(re.findall("vault-[0-9a-f]{12}", by_tenant))


def test_a_gate_names_what_has_to_be_mended_and_exports_without_names(
    keyaudit: Keyaudit, contoso: Path, tmp_path: Path
) -> None:
    chosen = ("--from", contoso, "--select", "kv-key-*", "--select", "app-secret-too-long")
    plain = keyaudit("gate", *chosen)
    out = tmp_path / "out"
    ran = keyaudit("gate", *chosen, "--redact", "names", "--export", f"csv={out}")
    assert (ran.code, ran.out) == (plain.code, plain.out)
    assert "kv-" in ran.out
    exported = out.read_text()
    assert "vault-" in exported
    assert "contoso" not in exported.lower()
    told = keyaudit("report", *chosen, "--redact", "names").out
    assert "vault-" in told
    assert "contoso" not in told.lower()


OWN = """\
[policy.parameters]
kv-key-rotation-overdue = { max_age = "P100D" }
[[policy.classes]]
name = "Fabrikam builds"
reason = "Fabrikam asked"
match = { resource = "*fabrikam*", policies = ["kv-key-rotation-overdue"] }
not_applicable = ["kv-key-rotation-overdue"]
"""
WAIVERS = """\
version: 1
waivers:
  - id: W-fabrikam
    match: {policy: kv-purge-protection-off, resource: "*/vaults/kv-fabrikam"}
    reason: Fabrikam asked
    owner: fabrikam@contoso.example
    approved_by: fabrikam-ciso@contoso.example
    expires: 2027-01-31
"""


CHOSEN = ("*-purge*", "kv-key-rotation-overdue", "kv-public-network-open")


def test_what_the_organisation_wrote_itself_is_not_told(keyaudit: Keyaudit, contoso: Path, tmp_path: Path) -> None:
    (tmp_path / "k.toml").write_text(OWN)
    (tmp_path / "w.yaml").write_text(WAIVERS)
    own = tmp_path / "own"
    own.mkdir()
    text = (shipped() / "key-vault" / "kv-purge-protection-off.yaml").read_text()
    text = text.replace("id: kv-purge-protection-off", "id: fabrikam-purge").replace("title: ", "title: Fabrikam ")
    # Of one cause with a policy that ships.
    text = text.replace("problem: ", "problem: Fabrikam ").replace("\nfix:", "\ncause: {kind: vault-network, object: id}\nfix:")
    (own / "fabrikam-purge.yaml").write_text(text)
    chosen = [*(each for name in CHOSEN for each in ("--select", name)), "--redact", "names"]
    arguments = ("--policies", own, "--config", tmp_path / "k.toml", "--waivers", tmp_path / "w.yaml", *chosen)
    ran = keyaudit("export", f"bundle={tmp_path / 'b'}", f"sarif={tmp_path / 's'}", "--from", contoso, *arguments)
    assert ran.code == Exit.CLEAN, ran.err
    for path in (tmp_path / "s", *(path for path in (tmp_path / "b").rglob("*") if path.is_file())):
        assert "fabrikam" not in path.read_text().lower(), path
        assert "fabrikam" not in path.name
    policies = json.loads((tmp_path / "b" / "policies" / "policies.json").read_bytes())["policies"]
    assert [each["shipped"] for each in policies].count(False) == 1
    assert keyaudit("export", "verify", tmp_path / "b").code == Exit.CLEAN


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--redact-salt", "x"), "--redact-salt: only works with --redact; remove it, or add --redact names"),
        (
            ("--redact", "names", "--redact-salt", "/nowhere"),
            "/nowhere: cannot be read: No such file or directory; make one with",
        ),
        (("--redact", "names", "--redact-salt", "/dev/zero"), "/dev/zero: not a file"),
        (("--redact", "names", "--redact-salt", "short"), "short: holds 5 bytes; a salt needs 16 to 65,536"),
        (("--redact", "all"), "'all' is not"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    keyaudit: Keyaudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("short").write_text("short")
    for command in (("export", "jsonl"), ("report",), ("gate",)):
        ran = keyaudit(*command, "--demo", *arguments)
        assert (ran.code, ran.out) == (Exit.USAGE, "")
        assert said in ran.err
        assert "reading tenant" not in ran.err


def test_what_can_be_guessed_is_said(keyaudit: Keyaudit) -> None:
    told = keyaudit("explain", "redaction").out
    assert "Without --redact-salt the key is\nthe tenant id" in told
    assert max(map(len, told.splitlines())) <= 80
