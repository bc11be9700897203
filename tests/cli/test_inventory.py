"""`keyaudit inventory`: every row and column that was collected, in every format, and what could not be read of it."""

import csv
import io
import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.errors import Exit
from keyaudit.model.tables import TABLES, filled
from tests.cli.conftest import Keyaudit
from tests.estates import snapshot

FEW = ("key", "log_sink")
COLLECTED = filled(())
"""The tables of a snapshot to which no evidence was supplied."""


def _csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_summary_counts_every_table_and_says_how_much_of_each_surface_was_read(keyaudit: Keyaudit, contoso: Path) -> None:
    counts = open_snapshot(contoso).run.rows
    ran = keyaudit("inventory", "--from", contoso, "-o", "json")
    assert ran.code == _expected(ran.json["tables"])
    assert {table["name"]: table["rows"] for table in ran.json["tables"]} == counts
    assert set(counts) == set(COLLECTED)
    assert all(not (surface["partial"] or surface["not_assessed"]) for surface in ran.json["surfaces"])
    text = keyaudit("inventory", "--from", contoso).out
    assert text.startswith("SIMULATED TENANT")
    for table in COLLECTED:
        assert any(line.split()[:2] == [table, f"{counts[table]:,}"] for line in text.splitlines()), table
    rows = _csv(keyaudit("inventory", "--from", contoso, "-o", "csv").out)
    assert {row["table"]: int(row["rows"]) for row in rows} == counts
    assert "simulated" in rows[0]["run_tenant_name"]


def test_custody_answers_which_keys_are_in_no_hsm_and_who_owns_them(keyaudit: Keyaudit, contoso: Path) -> None:
    every = keyaudit("inventory", "key", "--from", contoso, "-o", "json").json["rows"]
    wanted = {row["id"] for row in every if row["custody"] == "software" or "custody" in row["unknown"]}
    ran = keyaudit("inventory", "key", "--custody", "software", "--from", contoso, "-o", "json")
    assert {row["id"] for row in ran.json["rows"]} == wanted
    assert 0 < len(wanted) < len(every)
    assert all("owners" in row for row in ran.json["rows"])
    both = keyaudit("inventory", "key", "--custody", "software", "--custody", "vault-hsm", "--from", contoso)
    assert "key versions with custody software or vault-hsm" in both.out
    for arguments, says in (
        (("key", "--custody", "hsm"), "no custody 'hsm' in key; it is one of managed-hsm, vault-hsm"),
        (("vault", "--custody", "software"), "needs a table with custody; add one of these to the command: key"),
        (("--custody", "software"), "needs a table with custody"),
    ):
        refused = keyaudit("inventory", *arguments, "--from", contoso)
        assert refused.code == Exit.USAGE
        assert says in refused.err


@pytest.mark.parametrize(
    "table", [*FEW, *(pytest.param(name, marks=pytest.mark.exhaustive) for name in COLLECTED if name not in FEW)]
)
def test_every_table_lists_every_row_with_every_column_in_the_order_of_ids(
    keyaudit: Keyaudit, contoso: Path, table: str
) -> None:
    ran = keyaudit("inventory", table, "--from", contoso, "-o", "json")
    assert ran.code == _expected([ran.json["table"]]), ran.err
    rows = ran.json["rows"]
    assert len(rows) == open_snapshot(contoso).run.rows[table]
    ids = [row["id"] for row in rows]
    assert ids == sorted(ids)
    assert all(set(row) == {*TABLES[table].by_name, "unknown", "owners", "owner_source", "owner_unknown"} for row in rows)
    lines = _csv(keyaudit("inventory", table, "--from", contoso, "-o", "csv").out)
    assert [line["id"] for line in lines] == [row["id"] for row in rows]
    assert {line["record"] for line in lines} <= {"row"}
    text, flat = (keyaudit("inventory", table, "--from", contoso, "-o", name) for name in ("text", "table"))
    assert text.code == flat.code == ran.code
    assert max(map(len, text.out.splitlines())) <= 80
    assert "which -o json and -o csv have" in " ".join(text.out.split()) or "No " in text.out


def _expected(tables: list[dict[str, Any]]) -> Exit:
    """All of the tenant can be read; what is unknown in it then is so because nobody can know."""
    reasons = {each["reason"] for table in tables for each in table["unknown"]}
    return Exit.CLEAN if reasons <= {"not_supplied", "not_in_cloud"} else Exit.INCOMPLETE


def test_a_table_goes_by_its_plural_too_and_an_unknown_one_by_a_remedy(keyaudit: Keyaudit, contoso: Path) -> None:
    assert keyaudit("inventory", "Keys", "--from", contoso).code == Exit.CLEAN
    assert keyaudit("inventory", "service-principals", "--from", contoso).code == Exit.CLEAN
    assert "did you mean vault?" in keyaudit("inventory", "valt", "--from", contoso).err
    assert "the tables are tenant" in keyaudit("inventory", "zzz", "--from", contoso).err


def test_what_evidence_would_show_is_no_empty_table(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("inventory", "trusted-keys", "--from", contoso)
    assert ran.code == Exit.USAGE
    assert "trusted_key comes from evidence outside Azure (relying-parties)" in ran.err
    assert "supply it with --import relying-parties=PATH" in ran.err


def test_absent_and_unknown_stay_apart_in_every_format(keyaudit: Keyaudit, blind_spots: Path) -> None:
    """Of keys that only the control plane shows, nobody knows the tags; of others it is known that they have none."""
    ran = keyaudit("inventory", "key", "--from", blind_spots, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    unknown = {row["id"] for row in ran.json["rows"] if "rotates_on" in row["unknown"]}
    absent = {row["id"] for row in ran.json["rows"] if row["rotates_on"] is None and row["id"] not in unknown}
    assert unknown
    assert absent
    reasons = {row["id"]: row["unknown"]["rotates_on"] for row in ran.json["rows"] if row["id"] in unknown}
    for line in _csv(keyaudit("inventory", "key", "--from", blind_spots, "-o", "csv").out):
        if line["record"] == "row" and line["id"] in unknown | absent:
            assert line["rotates_on"] == ""
            assert (f"rotates_on:{reasons.get(line['id'])}" in line["coverage_note"].split("|")) is (line["id"] in unknown)
    cells = _cells(keyaudit("inventory", "key", "--from", blind_spots, "-o", "table").out, "rotates_on")
    assert (cells.count("unknown"), cells.count("-")) == (len(unknown), len(absent))


def _cells(table: str, column: str) -> list[str]:
    """One column of the flat table, by where its header stands."""
    lines = table.splitlines()
    [head] = [number for number, line in enumerate(lines) if f"  {column}" in line and "name" in line]
    start = lines[head].index(f"  {column}") + 2
    width = len(lines[head + 1][start:].split()[0])
    return [line[start : start + width].strip() for line in itertools.takewhile(str.strip, lines[head + 2 :])]


def test_what_was_not_read_is_said_in_every_format_and_ends_with_3(keyaudit: Keyaudit, blind_spots: Path) -> None:
    said: dict[str, Any] = {name: keyaudit("inventory", "--from", blind_spots, "-o", name) for name in ("text", "json", "csv")}
    assert {ran.code for ran in said.values()} == {Exit.INCOMPLETE}
    places = {"kv-payments-prod", "kv-hr-prod", "kv-stores-dev", "kv-orders-prod"}
    assert places <= {gap["scope"]["name"] for gap in said["json"].json["gaps"]}
    assert places <= {row["table"] for row in _csv(said["csv"].out) if row["record"] == "not-read"}
    assert all(place in said["text"].out for place in places)
    key = next(line for line in said["text"].out.splitlines() if line.startswith("key "))
    assert re.search(r"at least 1\d\d ", key)
    assert "firewall" in key


def test_a_table_that_was_read_whole_is_complete_though_others_were_not(keyaudit: Keyaudit, blind_spots: Path) -> None:
    ran = keyaudit("inventory", "trusted_authority", "--from", blind_spots)
    assert ran.code == Exit.CLEAN
    assert "kv-hr-prod" not in ran.out


def test_a_table_that_was_read_and_is_empty_is_complete(keyaudit: Keyaudit) -> None:
    ran = keyaudit("inventory", "signing_certificate", "--from", snapshot("sized:1x1"))
    assert ran.code == Exit.CLEAN
    assert "No token-signing certificates." in ran.out


def test_a_live_tenant_is_listed_too(keyaudit: Keyaudit) -> None:
    ran = keyaudit("inventory", "vault", "--demo", "--estate", "sized:2x3")
    assert ran.code == Exit.CLEAN
    assert "2 vaults" in ran.out


def test_what_nobody_was_to_read_is_not_nothing(keyaudit: Keyaudit) -> None:
    ran = keyaudit("inventory", "key", "--demo", "--source", "applications")
    assert ran.code == Exit.NO_ACCESS
    assert "nothing in scope" in " ".join(ran.out.split())


def test_federated_credentials_are_listed_by_grade_with_what_they_trust(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("inventory", "federated-credentials", "--from", contoso)
    assert ran.code == Exit.CLEAN
    text = " ".join(ran.out.split())
    mutable, dead, immutable = (text.index(f" {grade} (") for grade in ("mutable", "dead", "immutable"))
    reviews = text.index(
        "github-deploy-orders: reviews (any pull request) repo:contoso-retail/orders:pull_request"
        " from https://token.actions.githubusercontent.com"
    )
    assert mutable < reviews < dead < immutable
    assert "vm-batch-00 (one workload; the identity does not exist)" in text
    assert "azure-prod (one workload; the issuer is retired on 2027-07-01)" in text
    every = keyaudit("inventory", "credential", "--from", contoso, "-o", "json").json["rows"]
    federated = keyaudit("inventory", "federated credential", "--from", contoso, "-o", "json").json["rows"]
    assert federated == [row for row in every if row["kind"] == "federated"]
    assert f"{len(federated)} federated credentials." in ran.out
    table = keyaudit("inventory", "federated-credentials", "--from", contoso, "-o", "table").out
    assert {row["name"] for row in federated} <= set(table.split())


def test_a_table_says_of_each_row_where_its_key_is_kept_and_who_owns_it(keyaudit: Keyaudit, contoso: Path) -> None:
    asked = ("inventory", "key", "--from", contoso, "--vault", "kv-orders-prod")
    rows = {row["name"]: row for row in keyaudit(*asked, "-o", "json").json["rows"]}
    row = rows["returns-label-signing"]
    assert (row["custody"], row["owners"], row["owner_unknown"]) == ("vault-hsm", ["logistics"], None)
    # At 80 columns, too.
    [line] = [line for line in keyaudit(*asked).out.splitlines() if " returns-label-signing " in line]
    assert line.split()[:4] == ["kv-orders-prod", "returns-label-signing", "vault-hsm", "logistics"]
    head, *lines = csv.reader(io.StringIO(keyaudit(*asked, "-o", "csv").out))
    columns = [head.index(name) for name in ("name", "owners", "owner_source")]
    assert ["returns-label-signing", "logistics", row["owner_source"]] in [[line[at] for at in columns] for line in lines]
