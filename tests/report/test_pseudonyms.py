"""The same text has the same pseudonym wherever it stands, ids stay ids, and nothing of a text is left in it."""

import re

import pytest

from keyaudit.report.redact.pseudonyms import DIGITS, Pseudonyms

NAMES = Pseudonyms(b"a key of some length")
GUID = "0b00b8da-0027-492b-84cd-c39cf13a660f"
VERSION = "1c185b6a8fa7c75546e919334d768477"
KV = NAMES.name("vault", "kv-prod")
KEY = NAMES.name("key", "codesign")


def test_a_name_shows_its_kind_and_nothing_else() -> None:
    assert re.fullmatch(rf"vault-[0-9a-f]{{{DIGITS}}}", KV)
    assert NAMES.name("vault", "KV-Prod") == KV
    assert NAMES.name("app", "kv-prod").partition("-")[2] == KV.partition("-")[2]
    assert Pseudonyms(b"another").name("vault", "kv-prod") != KV
    assert NAMES.name("vault", "") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"https://kv-prod.vault.azure.net/keys/codesign/{VERSION}", f"https://{KV}.vault.azure.net/keys/{KEY}/{{}}"),
        ("https://KV-PROD.vault.usgovcloudapi.net/", f"https://{KV}.vault.usgovcloudapi.net/"),
        ("https://kv-prod.managedhsm.azure.net/keys/codesign?x=kv-prod#y", f"https://{KV}.managedhsm.azure.net/keys/{KEY}"),
        (
            f"/subscriptions/{GUID}/resourceGroups/kv-prod/providers/Microsoft.KeyVault/vaults/kv-prod",
            f"/subscriptions/{{}}/resourceGroups/resource-{{}}/providers/Microsoft.KeyVault/vaults/{KV}",
        ),
        ("https://graph.microsoft.com/v1.0/applications", "https://graph.microsoft.com/v1.0/applications"),
        ("api://AzureADTokenExchange", "api://AzureADTokenExchange"),
        ("/", "/"),
        ("", ""),
    ],
)
def test_an_address_keeps_its_form(text: str, shown: str) -> None:
    pattern = re.escape(shown).replace(r"\{\}", "[0-9a-z-]+")
    assert re.fullmatch(pattern, NAMES.text("resource", text))


def test_a_name_that_spells_a_word_of_azure_s_is_not_taken_for_it() -> None:
    for name in ("vaults", "keys", "providers", "microsoft.keyvault", "settings", "v1.0"):
        found = NAMES.text(
            "resource", f"/subscriptions/{GUID}/resourcegroups/{name}/providers/microsoft.keyvault/vaults/{name}"
        )
        assert found.count(NAMES.name("x", name).partition("-")[2]) == 2
        assert not re.search(rf"/{re.escape(name)}$", found)


def test_ids_keep_their_form() -> None:
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", NAMES.text("app", GUID))
    assert NAMES.text("app", GUID.upper()) == NAMES.text("x", GUID) != GUID
    for length in (16, 32, 33, 40, 64, 130):
        found = NAMES.text("certificate", ("AB12" * 40)[:length])
        assert re.fullmatch(rf"[0-9A-F]{{{length}}}", found)
        assert NAMES.text("certificate", ("ab12" * 40)[:length]) == found.lower()


def test_a_sign_in_name_is_a_person() -> None:
    assert NAMES.text("owner", "Alice@contoso.example") == NAMES.name("person", "alice@contoso.example")
    assert NAMES.text("owner", "a\ud800b").startswith("owner-")
