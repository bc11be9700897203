"""`keyaudit access`: every principal that can use the key and how, no other principal, and what is unknown."""

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from keyaudit.inventory.snapshot import open_snapshot
from keyaudit.model.coverage import State
from keyaudit.model.errors import Exit
from keyaudit.simulator.estates.contoso.access import CROWN_KEY, CROWN_VAULT, ORDER_SIGNING
from tests.cli.conftest import Keyaudit

CROWN = f"{CROWN_VAULT}/{CROWN_KEY}"

WAYS = {
    "Mei Tanaka": "sign by access-policy through Order Signing",
    "Jonas Lind": "sign by access-policy through Order Signing > Order Signing On-call",
    "Pat Okafor": "sign by access-policy through Order Signing > Order Signing On-call",
    "id-orders-api-prod": "sign by access-policy",
    "Amira Haddad": "grant by User Access Administrator at management-group",
    "Break Glass 01": "grant, set-policy by Owner at subscription",
    "github-deploy-orders": "set-policy by Contributor at resource-group",
    "Lukas Brandt": "set-policy by custom Contoso Vault Operator at subscription",
}
"""Every principal that can sign with the key, or grant itself that, and how."""


def _ways(ran: Any, *, standing: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for way in ran.json["ways"]:
        if way["standing"] is not standing:
            continue
        said = f"{', '.join(way['allows'])} by "
        said += (
            "access-policy"
            if way["role"] is None
            else f"{'custom ' if way['custom'] else ''}{way['role']} at {way['scope_kind']}"
        )
        through = " > ".join(group["name"] for group in way["through"])
        assert way["principal"]["name"] not in found
        found[way["principal"]["name"]] = said + (f" through {through}" if through else "")
    return found


def test_the_crown_key_is_reached_by_exactly_these(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("access", CROWN, "--from", contoso, "-o", "json")
    assert ran.code == Exit.CLEAN, ran.err
    assert _ways(ran, standing=True) == WAYS
    assert _ways(ran, standing=False) == {"Piotr Nowak": "set-policy by Contributor at subscription"}
    # The data role of Tomas Novak is one that the vault ignores.
    assert ran.json["open_nothing"] == 1
    # A role on the vault beside it, in another subscription or management group, one that only looks; one who is gone.
    for name in ("Tomas Novak", "Sofia Rossi", "Daniel Okoye", "Ines Moreau", "Sara Lindqvist"):
        assert name not in ran.out


def test_every_format_names_the_same_principals(keyaudit: Keyaudit, contoso: Path) -> None:
    said = {output: keyaudit("access", CROWN, "--from", contoso, "-o", output) for output in ("text", "table", "json", "csv")}
    for output, ran in said.items():
        assert ran.code == Exit.CLEAN
        for name in (*WAYS, "Piotr Nowak"):
            assert name in ran.out, output
        assert "Tomas Novak" not in ran.out, output
    rows = list(csv.DictReader(io.StringIO(said["csv"].out, newline="")))
    assert {row["principal"] for row in rows if row["standing"] == "true"} == set(WAYS)
    assert {row["through"] for row in rows if row["principal"] == "Jonas Lind"} == {"Order Signing|Order Signing On-call"}


def test_a_vault_that_goes_by_roles_shows_who_may_do_what_but_sign(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("access", "kv-identity-prod/workforce-token-signing", "--from", contoso, "-o", "json")
    allows: dict[str, set[str]] = defaultdict(set)
    for way in ran.json["ways"]:
        if way["standing"]:
            allows[way["principal"]["name"]].update(way["allows"])
    signers = {"Daniel Okoye", "Sara Lindqvist", "id-identity-token-service-prod", "app-supplier-portal-prod"}
    assert {name for name, found in allows.items() if "sign" in found} == signers
    # All key actions but signing: its notDataActions say so.
    assert allows["Ines Moreau"] == {"decrypt", "wrap", "backup", "release", "import", "manage", "purge"}
    other = keyaudit("access", "kv-identity-prod/partner-token-signing", "--from", contoso, "-o", "json")
    # The role on one key does not reach the one beside it.
    assert "app-supplier-portal-prod" not in other.out
    whole = keyaudit("access", "kv-identity-prod", "--from", contoso, "-o", "json")
    [limited] = [way for way in whole.json["ways"] if way["principal"]["name"] == "app-supplier-portal-prod"]
    assert limited["limited_to"] == "keys/workforce-token-signing"


def test_a_key_goes_by_its_name_its_address_and_its_resource_id(keyaudit: Keyaudit, contoso: Path) -> None:
    whole = keyaudit("access", CROWN, "--from", contoso, "-o", "json").json
    for asked in (
        CROWN.upper(),
        f"https://{CROWN_VAULT}.vault.azure.net/keys/{CROWN_KEY}/0123456789abcdef0123456789abcdef",
        f"{whole['ways'][0]['vault_id']}/keys/{CROWN_KEY}",
    ):
        ran = keyaudit("access", asked, "--from", contoso, "-o", "json")
        assert ran.code == Exit.CLEAN, ran.err
        assert ran.json == whole, asked


def test_a_key_of_one_vault_alone_goes_by_its_own_name(keyaudit: Keyaudit, contoso: Path) -> None:
    whole = keyaudit("access", "kv-orders-prod/keys/returns-label-signing", "--from", contoso, "-o", "json")
    assert keyaudit("access", "returns-label-signing", "--from", contoso, "-o", "json").json == whole.json
    several = keyaudit("access", "consumer-token-signing", "--from", contoso)
    assert several.code == Exit.USAGE
    assert "names 2 things: key https://kv-identity-prod" in several.err


@pytest.mark.exhaustive
def test_a_principal_goes_by_its_id_its_sign_in_name_and_its_name(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("access", "mei.tanaka@contoso.example", "--from", contoso, "-o", "json")
    assert [(way["vault"], way["allows"]) for way in ran.json["ways"]] == [(CROWN_VAULT, ["sign"])]
    for asked in (ran.json["subject"]["id"], "Mei Tanaka", "MEI TANAKA"):
        assert keyaudit("access", asked, "--from", contoso, "-o", "json").json == ran.json
    app = keyaudit("access", "github-deploy-orders", "--from", contoso, "-o", "json")
    shown = keyaudit("access", "service principal github-deploy-orders", "--from", contoso, "-o", "json")
    assert shown.json == app.json
    by_client = app.json["ways"][0]["principal"]["sign_in"]
    assert keyaudit("access", by_client, "--from", contoso, "-o", "json").json == app.json


def test_a_group_has_what_was_given_to_it_and_to_groups_around_it(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("access", "Order Signing On-call", "--from", contoso, "-o", "json")
    [way] = ran.json["ways"]
    assert (way["vault"], [group["name"] for group in way["through"]]) == (CROWN_VAULT, [ORDER_SIGNING])


def test_who_holds_nothing_is_told_so(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("access", "Microsoft Azure CLI", "--from", contoso)
    assert ran.code == Exit.CLEAN, ran.err
    assert "No vault can be used." in ran.out


def test_a_managed_hsm_goes_by_its_own_roles(keyaudit: Keyaudit, contoso: Path) -> None:
    ran = keyaudit("access", "hsm-contoso-trust/issuing-ca-signing", "--from", contoso, "-o", "json")
    assert ran.code == Exit.CLEAN, ran.err
    signers = {way["principal"]["name"] for way in ran.json["ways"] if "sign" in way["allows"]}
    assert signers == {"Issuing CA service"}
    assert {way["kind"] for way in ran.json["ways"]} == {"hsm-role"}


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        ("kv-ordres-prod", "did you mean kv-orders-prod"),
        (f"{CROWN}x", f"did you mean {CROWN}"),
        ("Mei Tanakka", "did you mean Mei Tanaka?"),
        ("qqqq", "name a vault, VAULT/NAME"),
    ],
)
def test_a_typo_gets_the_nearest_name(keyaudit: Keyaudit, contoso: Path, asked: str, remedy: str) -> None:
    ran = keyaudit("access", asked, "--from", contoso)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert remedy in ran.err


def test_a_group_that_cannot_be_read_is_named_and_the_answer_is_incomplete(keyaudit: Keyaudit, blind_spots: Path) -> None:
    ran = keyaudit("access", CROWN, "--from", blind_spots, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    hidden = {"Mei Tanaka", "Jonas Lind", "Pat Okafor"}
    assert set(_ways(ran, standing=True)) == set(WAYS) - hidden
    [unknown] = ran.json["not_all_known"]
    assert (unknown["principal"]["name"], unknown["reason"]) == (ORDER_SIGNING, "permission")
    text = keyaudit("access", CROWN, "--from", blind_spots).out
    assert "At least 5 principals can use it now" in text
    assert "There may be more: Order Signing" in text
    assert "GroupMember.Read.All" in text


def test_its_counts_have_no_upper_bound(blind_spots: Path, contoso: Path) -> None:
    query = "SELECT DISTINCT principals_signing_min, principals_signing_max FROM key WHERE key_id LIKE ?"
    for folder, bounds in ((contoso, (4, 4)), (blind_spots, (1, None))):
        taken = open_snapshot(folder)
        with taken.connect(taken.run.as_of, names=["key"]) as connection:
            assert connection.execute(query, [f"%//{CROWN_VAULT}.%/{CROWN_KEY}"]).fetchall() == [bounds]
    assert all(
        record.state is State.ASSESSED for record in open_snapshot(contoso).coverage if record.operation.startswith("group.")
    )
