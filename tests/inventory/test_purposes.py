"""The number of applications and environments that a vault serves, by the tags of its contents: certain, or a lower bound."""

from typing import Any

import pytest

from keyaudit.model.coverage import Coverage, Scope, ScopeKind
from keyaudit.model.reasons import Reason
from tests.inventory.sample import Found, Row, assessed, key, refused, row, seen, vault, vault_scope

KV = vault_scope("kv")
HSM = Scope(KV.id.replace("/vaults/kv", "/managedhsms/hsm"), "hsm", ScopeKind.MANAGED_HSM)
PERMISSION, BAD = Reason.PERMISSION, Reason.BAD_VALUE
LISTS = ("key.list", "key.versions", "certificate.list", "certificate.versions", "secret.list", "secret.versions")
READ = assessed(KV, *LISTS)
NO_SECRETS = [*assessed(KV, *LISTS[:4]), refused(KV, "secret.list", PERMISSION), *assessed(KV, "secret.versions")]


def of(table: str, number: int, **values: Any) -> Row:
    defaults: Row = {f"{table}_id": f"https://kv/{table}s/{number}", "vault_id": KV.id, "enabled": True, "version": "1"}
    return row(table, f"https://kv/{table}s/{number}/1", **(defaults | values))


def app(name: str, table: str = "key", **values: Any) -> dict[str, list[Row]]:
    return {table: [of(table, 1, **({"tags": {"app": name}} | values))]}


def view(rows: dict[str, list[Row]], coverage: list[Coverage], scope: Scope = KV) -> Found:
    [found] = seen("vault", {"vault": [vault()], **rows}, {scope: coverage})
    return found


def counted(found: Found, column: str) -> tuple[object, object, object]:
    return found[f"{column}_min"], found[f"{column}_max"], found["unknown"].get(column)


def keys(*tags: dict[str, str] | Reason | None, **values: Any) -> dict[str, list[Row]]:
    return {"key": [of("key", number, tags=each, **values) for number, each in enumerate(tags)]}


APPS: list[tuple[dict[str, list[Row]], list[Coverage], tuple[object, object, object]]] = [
    ({}, READ, (0, 0, None)),
    (keys({"app": "a"}, {"app": "A"}, {"owner": "b"}, None), READ, (1, 1, None)),
    (app("a") | app("b", "certificate") | app("c", "secret"), READ, (3, 3, None)),
    # What is off serves nobody.
    (keys({"app": "a"}, {"app": "b"}, enabled=False), READ, (0, 0, None)),
    (keys({"app": "a"}, PERMISSION), READ, (1, 2, "permission")),
    (keys({"app": "a"}, enabled=BAD), READ, (0, 1, "bad_value")),
    (keys(PERMISSION, enabled=False), READ, (0, 0, None)),
    (keys({"app": "a"}, {"app": "b"}), NO_SECRETS, (2, None, "permission")),
    ({}, [], (0, None, "interrupted")),
]


@pytest.mark.parametrize(("rows", "coverage", "expected"), APPS)
def test_applications(rows: dict[str, list[Row]], coverage: list[Coverage], expected: tuple[object, object, object]) -> None:
    assert counted(view(rows, coverage), "apps_in_it") == expected


PROD, TEST = {"env": "Prod"}, {"environment": "test"}
ENVIRONMENTS: list[tuple[object, dict[str, list[Row]], tuple[object, object, object]]] = [
    (None, {}, (0, 0, None)),
    (None, keys(PROD), (1, 1, None)),
    (PROD, {}, (1, 1, None)),
    (PROD, keys({"env": "prod"}, None), (1, 1, None)),
    # One that names another than its vault does is in two.
    (PROD, keys(TEST), (2, 2, None)),
    (None, keys(PROD, TEST), (2, 2, None)),
    (PERMISSION, keys(PROD), (1, 2, "permission")),
    (PERMISSION, {}, (0, 1, "permission")),
    (PROD, keys(BAD), (1, 2, "bad_value")),
]


@pytest.mark.parametrize(("tags", "rows", "expected"), ENVIRONMENTS)
def test_environments(tags: object, rows: dict[str, list[Row]], expected: tuple[object, object, object]) -> None:
    assert counted(view({"vault": [vault(tags=tags)], **rows}, READ), "environments_in_it") == expected


def test_of_an_hsm_its_keys_are_all_there_is() -> None:
    own = {"security_domain": "Active", "initial_admins": [], "regions": []}
    pool = row("vault", HSM.id, kind="managed-hsm", **own)
    held = [key("1", vault_id=HSM.id, tags={"app": "a"})]
    found = view({"vault": [pool], "key": held}, assessed(HSM, "hsm.key.list", "hsm.key.versions"), HSM)
    assert counted(found, "apps_in_it") == (1, 1, None)
