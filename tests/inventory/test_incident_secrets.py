"""The page of a secret, and of a certificate, whose private key leaves a vault as the secret of its name.

https://learn.microsoft.com/azure/key-vault/certificates/about-certificates: a certificate is addressable as a key and as a
secret of its name, and an exportable private key is in the value of that secret.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit import ask
from keyaudit.inventory.logs import Use
from keyaudit.model.errors import Exit
from keyaudit.questions.blast_radius.answer import Relation
from keyaudit.questions.incident.answer import Incident
from keyaudit.questions.incident.plan import left_open, plan
from tests.inventory.sample import AS_OF, TENANT, Row, assessed, credential, key, row, snapshot, vault, vault_scope
from tests.logs import START, store, use

HOST = "https://kv.vault.azure.net"
OLD, NEW = "a" * 32, "b" * 32
KEY_ID = "cccccccc-3333-4000-8000-000000000003"
GROUP = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st1"


def secret(name: str, version: str = OLD, **values: Any) -> Row:
    defaults: Row = {
        "secret_id": f"{HOST}/secrets/{name}",
        "version": version,
        "vault_id": vault_scope("kv").id,
        "vault_name": "kv",
        "scope_id": vault_scope("kv").id,
        "enabled": True,
    }
    return row("secret", f"{HOST}/secrets/{name}/{version}", **(defaults | values))


def certificate(name: str) -> Row:
    place = {"vault_id": vault_scope("kv").id, "vault_name": "kv", "scope_id": vault_scope("kv").id}
    values = {"certificate_id": f"{HOST}/certificates/{name}", "version": OLD, "enabled": True, "exportable": True}
    return row("certificate", f"{HOST}/certificates/{name}/{OLD}", public_key_sha256="F" * 64, **values, **place)


Asked = Callable[..., Incident]


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    def ask_about(name: str, *secrets: Row, uses: Sequence[Use] = (), verify: bool = False, **more: list[Row]) -> Incident:
        rows = {"vault": [vault()], "secret": list(secrets), **more}
        read = {
            TENANT: assessed(TENANT, "subscription.list", "vault.query"),
            vault_scope("kv"): assessed(vault_scope("kv"), "secret.list", "secret.versions", "key.list"),
        }
        made = snapshot(tmp_path / "snapshot", rows, read)
        logs = store(tmp_path / "logs", uses, tenant=None) if uses else None
        first = START if uses else None
        return ask.incident(made, name, as_of=AS_OF, logs=logs, first=first, reach=verify, verify=verify)

    return ask_about


def edges(found: Incident, relation: Relation) -> list[tuple[str, str]]:
    return [(edge.target, edge.names) for edge in found.radius.accepting() if edge.relation is relation]


def commands(found: Incident) -> list[str]:
    return [command for step in plan(found) for command in step.commands]


@pytest.mark.parametrize("name", ["kv/payment", f"{HOST}/secrets/payment", "payment", f"{HOST}/secrets/payment/{OLD}"])
def test_a_secret_is_a_subject_by_each_of_its_names(asked: Asked, name: str) -> None:
    found = asked(name, secret("payment"), secret("payment", NEW), secret("other"))
    versions = [OLD] if name.endswith(OLD) else [OLD, NEW]
    assert found.radius.subject.note == "secret"
    assert edges(found, Relation.KEPT_IN) == [(f"{HOST}/secrets/payment/{each}", "") for each in versions]
    assert [each.version for each in found.keys] == versions


def test_what_a_secret_opens_is_unknown_until_its_owner_says_so_and_that_is_no_pass(asked: Asked) -> None:
    found = asked("kv/payment", secret("payment", enabled=False), verify=True)
    [edge] = [edge for edge in found.radius.trusting() if edge.relation is Relation.ADMITS]
    assert edge.doubt == "not_supplied"
    assert Exit.INCOMPLETE in found.radius.held


def test_a_secret_opens_what_its_tags_name(asked: Asked) -> None:
    tags = {"ProviderAddress": ACCOUNT, "CredentialId": "key1", "credential": KEY_ID.upper()}
    held = [credential(KEY_ID, usage="Verify"), credential(KEY_ID[:-1] + "4", holder="other")]
    found = asked("kv/payment", secret("payment", tags=tags), credential=held)
    assert edges(found, Relation.ADMITS) == [(ACCOUNT.lower(), "key1")]
    assert edges(found, Relation.SIGNS_IN_AS) == [("a", KEY_ID)]
    titles = [step.title for step in plan(found)]
    assert "Regenerate credential key1 of storageAccounts st1" in titles
    assert not [title for title in titles if title.startswith("Have the owner")]


def test_other_tags_name_nothing(asked: Asked) -> None:
    tags = {"made-by": ACCOUNT, "ProviderAddress": f"see {ACCOUNT}", "credential": f"{KEY_ID} of a"}
    found = asked("kv/payment", secret("payment", tags=tags), credential=[credential(KEY_ID)])
    assert {edge.doubt for edge in found.radius.trusting() if edge.relation is Relation.ADMITS} == {"not_supplied"}
    assert edges(found, Relation.SIGNS_IN_AS) == []
    assert [step for step in plan(found) if step.title.startswith("Have the owner")]


def test_services_that_are_set_to_use_a_secret_are_named_and_moved(asked: Asked) -> None:
    def used(consumer: str, name: str, **values: Any) -> Row:
        id_ = f"/subscriptions/s/resourcegroups/rg/providers/microsoft.web/sites/{consumer}"
        place = {"consumer_id": id_, "secret_id": f"{HOST}/secrets/{name}", "kind": "web-app", "scope_id": TENANT.id}
        return row("secret_use", f"{id_}/{name}", **{"active": True, **place, **values})

    uses = [used("shop", "payment"), used("idle", "payment", active=False), used("other", "other")]
    found = asked("kv/payment", secret("payment"), secret("other"), secret_use=uses)
    given = [edge for edge in found.radius.edges if edge.relation is Relation.GIVEN_TO]
    assert [found.radius.nodes[edge.target].name for edge in given if edge.doubt is None] == ["web-app shop"]
    [move] = [step for step in plan(found) if step.title.startswith("Move everything")]
    assert "Set to use it: web-app shop." in move.text
    assert move.commands == (f"keyaudit rotation {HOST}/secrets/payment",)


def read(day: int, app: str, name: str, version: str = OLD) -> Use:
    target = f"{HOST}/secrets/{name}/{version}" if version else f"{HOST}/secrets/{name}"
    return use(
        day, app, operation="read-secret", target_kind="secret", target_id=target, resource_id=vault_scope("kv").id, name=app
    )


def users(found: Incident) -> set[str | None]:
    assert found.observed is not None
    return {act.actor.app_id for act in found.observed.uses}


def test_who_read_a_secret_is_on_its_page_and_nobody_else(asked: Asked) -> None:
    uses = [read(0, "worker", "payment"), read(1, "thief", "payment", ""), read(1, "other", "payment2"), use(1, "signer")]
    found = asked("kv/payment", secret("payment"), uses=uses)
    assert users(found) == {"worker", "thief"}
    assert found.observed is not None
    assert found.observed.logs == ["AZKVAuditLogs"]
    assert found.observed.mailboxes.most is None


def test_reads_of_the_secret_of_a_certificate_are_uses_of_it_and_of_its_key(asked: Asked) -> None:
    uses = [read(1, "thief", "tls"), read(1, "other", "payment"), use(1, "signer", target_id=f"{HOST}/keys/tls/{OLD}")]
    held = {"certificate": [certificate("tls")], "key": [key(OLD, name="tls"), key(OLD, name="plain")]}
    secrets = (secret("tls"), secret("payment"), secret("plain"))
    found = asked("kv/tls", *secrets, uses=uses, **held)
    assert users(found) == {"thief", "signer"}


@pytest.mark.parametrize("name", [f"{HOST}/secrets/tls", f"{HOST}/keys/tls"])
def test_so_they_are_by_the_other_addresses_of_the_certificate(asked: Asked, name: str) -> None:
    held = {"certificate": [certificate("tls")], "key": [key(OLD, name="tls", managed=True)]}
    found = asked(name, secret("tls"), uses=[read(1, "thief", "tls")], **held)
    assert users(found) == {"thief"}
    assert found.radius.subject.note == ("key" if "/keys/" in name else "certificate")


def test_a_secret_that_shares_its_name_with_a_key_alone_is_another_thing(asked: Asked) -> None:
    held = [key(OLD, name="plain", managed=False)]
    found = asked(f"{HOST}/keys/plain", secret("plain"), key=held, uses=[read(1, "other", "plain"), use(1, "x")])
    assert users(found) == set()


def test_the_plan_replaces_each_secret_that_was_read_with_a_stolen_credential(asked: Asked) -> None:
    held = [credential(KEY_ID, holder="thief", holder_name="etl", usage="Verify")]
    sign_in = use(
        1, "thief", source="AADServicePrincipalSignInLogs", operation="sign-in", target_kind="application", target_id="api",
        credential_key_id=KEY_ID,
    )  # fmt: skip
    refused = replace(read(2, "thief", "closed"), succeeded=False, mark="refused")
    signed = use(2, "thief", target_id=f"{HOST}/keys/codesign/{OLD}")
    others = [read(2, "other", "theirs"), use(2, "other")]
    uses = [sign_in, read(1, "thief", "one"), read(2, "thief", "two"), read(2, "thief", "two", ""), refused, signed, *others]
    web = f"{GROUP}/providers/microsoft.web/sites/shop".lower()
    consumer = {"consumer_id": web, "secret_id": f"{HOST}/secrets/one", "kind": "web-app", "active": True}
    found = asked(KEY_ID, secret("one"), uses=uses, credential=held, secret_use=[row("secret_use", web, **consumer)])
    steps = {step.title: step for step in plan(found)}
    replaced = [title for title in steps if title.startswith(("Replace secret", "Find out what"))]
    assert sorted(replaced) == [
        "Find out what thief did with key kv/codesign",
        "Replace secret kv/one, which thief read",
        "Replace secret kv/two, which thief read",
    ]
    one = steps["Replace secret kv/one, which thief read"]
    assert "Set to use it: web-app shop." in one.text
    assert one.commands == (f"keyaudit incident {HOST}/secrets/one", f"keyaudit rotation {HOST}/secrets/one")
    assert "Read 2 times" in steps["Replace secret kv/two, which thief read"].text
    assert [line for line in left_open(found) if line.startswith("3 other secrets and keys of vaults")]
