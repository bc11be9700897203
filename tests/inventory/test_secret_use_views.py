"""Which secrets belong to an encrypted disk or to a bought certificate: certain, bounded, or unknown with which reason."""

from typing import Any

import pytest

from keyaudit.model.reasons import Reason
from tests.inventory.sample import TENANT, Row, assessed, refused, row, seen, vault, vault_scope

KV = vault_scope("kv")
SECRET = "https://kv.vault.azure.net/secrets/bek"
VAULT_READ = assessed(KV, "secret.list", "secret.versions")
READ = assessed(TENANT, "subscription.list", "vault.query", "secret_use.query")
BAD, PERMISSION = Reason.BAD_VALUE, Reason.PERMISSION


def use(name: str, **values: Any) -> Row:
    """A virtual machine that is encrypted with the secret."""
    fields = {"scope_id": TENANT.id, "kind": "virtual-machine", "consumer_id": name, "secret_id": SECRET, "active": True}
    return row("secret_use", f"{name}/secrets/1", **(fields | values))


ORDER = {"kind": "certificate-order"}


@pytest.mark.parametrize(
    ("uses", "disks", "orders"),
    [
        ([], (0, 0, None), (0, 0, None)),
        ([use("a"), use("b", kind="disk")], (2, 2, None), (0, 0, None)),
        ([use("a", active=False)], (0, 0, None), (0, 0, None)),
        ([use("a", active=BAD)], (0, 1, "bad_value"), (0, 0, None)),
        ([use("a", secret_id=f"{SECRET}-2")], (0, 0, None), (0, 0, None)),
        ([use("a", secret_id=BAD), use("b")], (1, 2, "bad_value"), (0, 0, None)),
        ([use("a", **ORDER)], (0, 0, None), (1, 1, None)),
        ([use("a", active=False, **ORDER)], (0, 0, None), (0, 0, None)),
    ],
)
def test_who_keeps_a_secret_in_a_vault(uses: list[Row], disks: tuple[object, ...], orders: tuple[object, ...]) -> None:
    assert counted(uses) == (disks, orders)


@pytest.mark.parametrize("operation", ["subscription.list", "secret_use.query"])
def test_resources_that_were_not_listed_may_name_it(operation: str) -> None:
    coverage = [each for each in READ if each.operation != operation] + [refused(TENANT, operation, PERMISSION)]
    assert counted([], coverage) == ((0, None, "permission"),) * 2
    assert counted([use("a")], coverage) == ((1, None, "permission"), (0, None, "permission"))


def counted(uses: list[Row], coverage: Any = READ) -> tuple[tuple[object, ...], ...]:
    """The bounds of both counts of the secret, and why they are no numbers."""
    rows = {"secret": [row("secret", f"{SECRET}/1", secret_id=SECRET, vault_id=KV.id)], "secret_use": uses}
    [found] = seen("secret", rows, {TENANT: coverage, KV: VAULT_READ})
    return tuple(
        (found[f"{name}_min"], found[f"{name}_max"], found["unknown"].get(name))
        for name in ("encrypts_disks", "bought_certificates")
    )


CERTIFICATE = SECRET.replace("/secrets/", "/certificates/")
LISTS = {TENANT: READ, KV: assessed(KV, "secret.list", "secret.versions", "certificate.list", "certificate.versions")}


def current(coverage: Any, *, secret: bool = True, certificate: bool = True, **values: Any) -> tuple[object, ...]:
    """The current version, its date and thumbprint as the use of a secret has them, or the reasons."""
    made = [("1", 100, False), ("2", 200, True)]
    place = {"vault_id": KV.id, "scope_id": KV.id}
    rows = {
        "vault": [vault(vault_uri="https://kv.vault.azure.net/")],
        "secret_use": [use("gateway", kind="application-gateway", **values)],
        "secret": [
            row("secret", f"{SECRET}/{name}", secret_id=SECRET, version=name, created_on=on, is_current=newest, **place)
            for name, on, newest in made * secret
        ],
        "certificate": [
            row(
                "certificate",
                f"{CERTIFICATE}/{name}",
                certificate_id=CERTIFICATE,
                thumbprint=name * 40,
                is_current=newest,
                **place,
            )
            for name, _, newest in made * certificate
        ],
    }
    [found] = seen("secret_use", rows, coverage)
    return tuple(found["unknown"].get(name, found[name]) for name in ("current_version", "current_since", "current_thumbprint"))


def test_the_current_version_of_what_a_service_uses() -> None:
    assert current(LISTS) == ("2", 200, "2" * 40)
    # An uploaded file is a secret without a certificate.
    assert current(LISTS, certificate=False) == ("2", 200, None)
    assert current(LISTS, secret=False, certificate=False) == (None, None, None)
    assert current(LISTS, secret_id=BAD) == (BAD, BAD, BAD)


def test_what_was_not_listed_may_have_a_version() -> None:
    without = {TENANT: READ, KV: [*VAULT_READ, refused(KV, "certificate.list", PERMISSION)]}
    assert current(without, certificate=False) == ("2", 200, "permission")
    of_secrets = assessed(KV, "certificate.list", "certificate.versions")
    assert current({TENANT: READ, KV: [*of_secrets, refused(KV, "secret.list", PERMISSION)]}, secret=False) == (
        "permission",
        "permission",
        "2" * 40,
    )
    elsewhere = {"secret_id": "https://elsewhere.vault.azure.net/secrets/bek"}
    assert current(LISTS, secret=False, certificate=False, **elsewhere) == ("not_visible",) * 3
