"""A text names the same resource for every command: an id or its beginning, an address, a shown name, a bare name."""

from collections.abc import Iterator
from typing import Any

import pytest

from keyaudit import ask
from keyaudit.inventory.naming import Named, Names, Noun
from keyaudit.model.errors import UsageError
from keyaudit.model.tables import TABLES
from tests.policy.inventory import inventory

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg/providers/Microsoft.KeyVault"
PROD, TEST = f"{SUBSCRIPTION}/vaults/kv-prod", f"{SUBSCRIPTION}/vaults/kv-test"
APP, OBJECT = "aaaaaaaa-1111-4000-8000-000000000001", "bbbbbbbb-2222-4000-8000-000000000002"
CREDENTIAL, PERSON = "cccccccc-3333-4000-8000-000000000003", "dddddddd-4444-4000-8000-000000000004"
THUMBPRINT = "E" * 64


def held(kind: str, vault: str, name: str) -> dict[str, Any]:
    shown = vault.rpartition("/")[2]
    id_ = f"https://{shown}.vault.azure.net/{kind}s/{name}"
    return {"id": f"{id_}/1", f"{kind}_id": id_, "name": name, "vault_id": vault, "vault_name": shown}


ROWS: dict[str, list[dict[str, Any]]] = {
    "vault": [{"id": each, "name": each.rpartition("/")[2], "kind": "vault"} for each in (PROD, TEST)],
    "key": [
        held("key", PROD, "Tls"),
        held("key", PROD, "codesign"),
        held("key", TEST, "codesign"),
        held("key", PROD, "abcdef"),
    ],
    "certificate": [held("certificate", PROD, "Tls")],
    "secret": [held("secret", PROD, "Tls"), held("secret", PROD, "payment")],
    "application": [{"id": f"/tenants/t/applications/{OBJECT}", "app_id": APP, "name": "Billing"}],
    "service_principal": [{"id": f"/tenants/t/servicePrincipals/{OBJECT}", "app_id": APP, "name": "Billing"}],
    "principal": [{"id": f"/t/{PERSON}", "object_id": PERSON, "name": "Mei Tanaka", "user_principal_name": "mei@a.example"}],
    "credential": [{"id": f"/tenants/t/applications/{OBJECT}/credentials/{CREDENTIAL}", "key_id": CREDENTIAL, "app_id": APP}],
    "signing_certificate": [
        {"id": "/d/a.example", "kind": "federated-domain", "holder_name": "a.example", "thumbprint_sha256": THUMBPRINT},
        {"id": "/s/billing", "kind": "saml-application", "holder_name": "Billing", "thumbprint_sha256": "F" * 64},
    ],
}


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    with inventory(**ROWS) as connection:
        yield Names(connection, {table: table for table in TABLES})


EVERY = tuple(Noun)


@pytest.mark.parametrize(
    ("asked", "noun", "id_"),
    [
        ("KV-PROD", Noun.VAULT, PROD),
        (PROD, Noun.VAULT, PROD),
        ("https://kv-prod.vault.azure.net/", Noun.VAULT, PROD),
        ("kv-prod/codesign", Noun.KEY, "https://kv-prod.vault.azure.net/keys/codesign"),
        ("kv-test/keys/codesign", Noun.KEY, "https://kv-test.vault.azure.net/keys/codesign"),
        (f"{PROD}/keys/codesign", Noun.KEY, "https://kv-prod.vault.azure.net/keys/codesign"),
        # A certificate includes the key and the secret of its name, unless one of them is named.
        ("kv-prod/tls", Noun.CERTIFICATE, "https://kv-prod.vault.azure.net/certificates/Tls"),
        ("tls", Noun.CERTIFICATE, "https://kv-prod.vault.azure.net/certificates/Tls"),
        ("kv-prod/keys/tls", Noun.KEY, "https://kv-prod.vault.azure.net/keys/Tls"),
        ("payment", Noun.SECRET, "https://kv-prod.vault.azure.net/secrets/payment"),
        # A bare name is not taken for the beginning of an id.
        ("abcdef", Noun.KEY, "https://kv-prod.vault.azure.net/keys/abcdef"),
        (CREDENTIAL, Noun.CREDENTIAL, ROWS["credential"][0]["id"]),
        (CREDENTIAL[:6], Noun.CREDENTIAL, ROWS["credential"][0]["id"]),
        ("a.example", Noun.SIGNING_CERTIFICATE, THUMBPRINT),
        ("federated domain a.example", Noun.SIGNING_CERTIFICATE, THUMBPRINT),
        ("mei@a.example", Noun.PRINCIPAL, PERSON),
        (PERSON[:8], Noun.PRINCIPAL, PERSON),
    ],
)
def test_every_form_of_a_name(names: Names, asked: str, noun: Noun, id_: str) -> None:
    meant = names.resolve(asked, EVERY)
    assert meant is not None
    assert (meant.noun, meant.id) == (noun, id_)
    assert names.resolve(f" {asked.upper()} ", EVERY) == meant


@pytest.mark.parametrize("asked", [APP, APP[:6], OBJECT, "Billing", "app registration Billing", "service principal billing"])
def test_an_application_is_its_principal_for_access_and_itself_for_its_keys(names: Names, asked: str) -> None:
    assert names.resolve(asked, ask.ACCESS.nouns) == Named(Noun.PRINCIPAL, OBJECT, "Billing")
    assert names.resolve(asked, ask.KEYS.nouns) == Named(Noun.APPLICATION, APP, "Billing")


def test_a_version_stays_with_its_key(names: Names) -> None:
    version = "0" * 32
    meant = names.resolve(f"https://kv-prod.vault.azure.net/keys/codesign/{version}", EVERY)
    assert meant is not None
    assert (meant.own_name, meant.version) == ("codesign", version)


def test_a_name_keeps_its_case_which_a_condition_of_a_role_compares(names: Names) -> None:
    meant = names.resolve("kv-prod/tls", EVERY)
    assert meant is not None
    assert meant.name == "kv-prod/Tls"


def test_several_are_listed_with_ids_that_are_taken(names: Names) -> None:
    with pytest.raises(UsageError, match="'codesign': names 2 things: key https") as error:
        names.resolve("codesign", EVERY)
    ids = [part.strip().removeprefix("key ") for part in error.value.what.partition(": ")[2].split(",")]
    assert [names.resolve(id_, EVERY) is not None for id_ in ids] == [True, True]


def test_a_resource_that_the_command_does_not_take_says_what_it_is(names: Names) -> None:
    with pytest.raises(UsageError, match=f"'mei@a.example': names principal {PERSON}; this command takes keys, certificates"):
        names.resolve("mei@a.example", ask.KEYS.nouns)


@pytest.mark.parametrize("takes", [ask.ACCESS, ask.KEYS, ask.ROTATION])
def test_each_command_about_keys_takes_a_secret(names: Names, takes: ask.Takes) -> None:
    found = names.resolve("kv-prod/payment", takes.nouns)
    assert found is not None
    assert (found.noun, takes.of_findings["secret"]) == (Noun.SECRET, ("secret_id",))


@pytest.mark.parametrize("asked", ["", "/", "kv-prod/", "kv-prod/nothing", "aaaa", "%", "x' OR 1=1 --", "0" * 6, "\x00"])
def test_what_names_nothing_is_none(names: Names, asked: str) -> None:
    assert names.resolve(asked, EVERY) is None


@pytest.mark.parametrize(
    ("asked", "near"),
    [("kv-prod/codesing", "kv-prod/codesign"), ("kv-prd", "kv-prod"), ("billng", "Billing"), ("zzz", "name a vault")],
)
def test_the_nearest_names_are_offered(names: Names, asked: str, near: str) -> None:
    assert near in str(names.unknown(asked, EVERY))
