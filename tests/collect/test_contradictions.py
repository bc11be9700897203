"""Answers about one version that differ: what they say alike stands, and only the rest is unknown."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.collect.copies import contradicted
from keyaudit.collect.key_vault.key_rows import KeyBundle, put_attributes
from keyaudit.collect.key_vault.names import named
from keyaudit.collect.key_vault.secrets import SecretItem, put_secret
from keyaudit.collect.key_vault.versioned import version_row
from keyaudit.collect.rows import Row
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.vaults.key import KEY
from keyaudit.model.tables.vaults.secret import SECRET
from keyaudit.simulator.faults import Fault
from tests.collect.estate import AS_OF, DAY, version
from tests.collect.objects import OBJECTS, VAULT
from tests.collect.recorded import bodies, wire
from tests.collect.refusals import refused
from tests.collect.rig import Collected, collect
from tests.collect.test_key_rows import URI
from tests.collect.test_key_rows import VAULT as RECORDED
from tests.collect.test_managed_hsm import HSM
from tests.collect.test_managed_hsm import URL as HSM_KEYS

READS = ("keys", "certificates", "secrets", "deleted", "HSMs")

ESTATE = replace(OBJECTS, hsms=(HSM,))
OUT = object()


@pytest.fixture(scope="module")
def clean() -> Collected:
    return asyncio.run(collect(estate=ESTATE))


def lie(operation: str, number: int, path: str, value: object, *, where: str, call: Any = "every") -> Fault:
    """The operation says something else of the version made so many days before; `OUT`: it leaves the member out."""

    def edit(body: dict[str, Any]) -> dict[str, Any]:
        for item in body.get("value", [body]):
            if _made(item) == AS_OF - number * DAY:
                _put(item, path, value)
        return body

    return Fault(operation, call, where=where, edit=edit)


def _made(item: dict[str, Any]) -> object:
    return (item.get("attributes") or item["properties"]["attributes"])["created"]


def _put(item: dict[str, Any], path: str, value: object) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        item = item[parent]
    if value is OUT:
        del item[last]
    else:
        item[last] = value


def changed(found: Collected, clean: Collected) -> Mapping[str, set[str]]:
    """The columns that became inconsistent, by id. Everything else is as without a fault."""
    told: dict[str, set[str]] = {}
    for table, rows in clean.rows.items():
        assert found.rows[table].keys() == rows.keys()
        for id_, row in rows.items():
            now = found.rows[table][id_]
            new = {name for name, why in now["unknown"].items() if why == "inconsistent"} if now.get("unknown") else set()
            rest = (row.keys() | now.keys()) - new - {"unknown"}
            assert {name: now.get(name) for name in rest} == {name: row.get(name) for name in rest}, id_
            if new:
                told[id_] = new
    assert found.gaps() == clean.gaps()
    return told


def of(collection: str, name: str, number: int, host: str = VAULT) -> str:
    return f"{host}/{collection}/{name}/{version(number).version}"


LIES: list[tuple[list[Fault], Mapping[str, set[str]]]] = [
    (
        [
            lie("key.get", 10, "attributes.enabled", value=False, where="/keys/Rotated/"),
            lie("key.versions", 30, "attributes.exp", AS_OF + 9 * DAY, where="/keys/curved/"),
            lie("secret.versions", 30, "attributes.exp", OUT, where="kv-first.vault.azure.net/secrets/Password/"),
            lie("certificate.get", 10, "attributes.enabled", value=False, where="/certificates/Rolled/"),
            lie("hsm.key.get", 20, "attributes.exp", AS_OF + 900 * DAY, where="/keys/Signing/"),
        ],
        {
            of("keys", "rotated", 10): {"enabled"},
            of("keys", "curved", 30): {"expires_on"},
            of("secrets", "password", 30): {"expires_on"},
            of("certificates", "rolled", 10): {"enabled"},
            f"{HSM_KEYS}/signing/{version(20).version}": {"expires_on"},
        },
    ),
    (
        [
            lie("key.get", 200, "tags", {"env": "test"}, where="/keys/Rotated/"),
            # Custody rests on the platform.
            lie("key.get", 30, "attributes.hsmPlatform", "1", where="/keys/curved/"),
            lie("secret.list", 30, "attributes.enabled", value=False, where="kv-first.vault.azure.net/secrets"),
            lie("certificate.versions", 200, "x5t", "AAECAwQFBgcICQoLDA0ODxAREhM", where="/certificates/Rolled/"),
            lie("hsm.key.versions", 60, "attributes.enabled", value=False, where="/keys/wrapping/"),
        ],
        {
            of("keys", "rotated", 200): {"tags"},
            of("keys", "curved", 30): {"hsm_platform", "custody"},
            of("secrets", "password", 30): {"enabled"},
            of("certificates", "rolled", 200): {"thumbprint"},
            f"{HSM_KEYS}/wrapping/{version(60).version}": {"enabled"},
        },
    ),
    (
        # A key that is said to be a certificate's is asked for its rotation policy all the same.
        [
            lie("key.get", 30, "managed", value=True, where="/keys/curved/"),
            lie("key.list", 10, "attributes.exp", AS_OF + 999 * DAY, where="kv-first"),
            lie("certificate.list", 10, "attributes.enabled", value=False, where="kv-first"),
        ],
        {
            of("keys", "curved", 30): {"managed"},
            of("keys", "rotated", 10): {"expires_on"},
            of("certificates", "rolled", 10): {"enabled"},
        },
    ),
]


@pytest.mark.parametrize(("lies", "unknown"), LIES)
async def test_answers_that_differ_leave_that_member_of_that_version_unknown(
    clean: Collected, lies: list[Fault], unknown: Mapping[str, set[str]]
) -> None:
    assert changed(await collect(*lies, estate=ESTATE), clean) == unknown


async def test_a_version_that_changes_between_two_reads_is_as_it_was_read_last(clean: Collected) -> None:
    # The lists still show what was before the change, when they are read first.
    found = await collect(
        lie("key.list", 10, "attributes", _before(10, enabled=False), where="kv-first", call=1),
        lie("key.versions", 10, "attributes", _before(10, enabled=False), where="/keys/Rotated/", call=1),
        lie(
            "secret.versions", 30, "attributes.enabled", value=False, where="kv-first.vault.azure.net/secrets/Password/", call=1
        ),
        lie("certificate.versions", 10, "attributes.enabled", value=False, where="/certificates/Rolled/", call=1),
        lie("certificate.get", 200, "attributes.enabled", value=False, where="/certificates/Rolled/0", call=range(1, 3)),
        estate=ESTATE,
    )
    assert changed(found, clean) == {}


def _before(number: int, **fields: object) -> dict[str, object]:
    """The attributes of a key version before its last change."""
    made = AS_OF - number * DAY
    return {"created": made, "updated": made - 1, "recoveryLevel": "CustomizedRecoverable", **fields}


async def test_a_secret_made_at_another_time_in_each_list_has_no_current_version(clean: Collected) -> None:
    found = await collect(
        lie("secret.versions", 50, "attributes.created", AS_OF - DAY, where="kv-first.vault.azure.net/secrets/backing/"),
        estate=ESTATE,
    )
    assert found.unknown("secret", of("secrets", "backing", 50)) == {"created_on": "inconsistent", "is_current": "unrecognised"}
    assert {id_ for id_, row in found.rows["secret"].items() if row != clean.rows["secret"][id_]} == {
        of("secrets", "backing", 50)
    }


async def test_what_arm_says_of_a_version_is_compared_too() -> None:
    firewall = replace(refused("key.list", "firewall"), where="kv-first")
    before = await collect(firewall, estate=ESTATE)
    found = await collect(
        firewall,
        lie("arm.key.versions", 200, "properties.attributes.enabled", value=False, where="/keys/Rotated"),
        estate=ESTATE,
    )
    assert changed(found, before) == {of("keys", "rotated", 200): {"enabled"}}


@pytest.mark.parametrize("path", ["attributes.exp", "attributes.nbf"])
async def test_dates_of_a_certificate_are_held_against_the_certificate_itself(clean: Collected, path: str) -> None:
    later = AS_OF + 3 * DAY if path.endswith("nbf") else AS_OF + 3_000 * DAY
    lies = [
        lie(operation, 200, path, later, where="/certificates/Rolled/")
        for operation in ("certificate.get", "certificate.versions")
    ]
    column = "activates_on" if path.endswith("nbf") else "expires_on"
    assert changed(await collect(*lies, estate=ESTATE), clean) == {of("certificates", "rolled", 200): {column}}


def test_recorded_answers_about_one_object_do_not_contradict_each_other() -> None:
    """A secret that was set and then listed, and keys of a Managed HSM that were created and then read."""
    listed = {item["id"]: item for page in bodies("keyvault-secrets-list", path="/secrets?") for item in page["value"]}
    told = {body["id"].rpartition("/")[0]: body for body in bodies("keyvault-secrets-list", method="PUT")}
    assert listed.keys() & told.keys()
    for id_ in listed.keys() & told.keys():
        assert contradicted(secret(listed[id_]), secret(told[id_])) == set()
    created = {body["key"]["kid"]: body for body in bodies("mhsm-keys", method="POST") if "key" in body}
    shown = {body["key"]["kid"]: body for body in bodies("mhsm-keys") if "key" in body}
    assert len(created.keys() & shown.keys()) == 2
    for kid in created.keys() & shown.keys():
        assert contradicted(key(created[kid], promised=False), key(shown[kid], promised=True)) == set()


def test_a_list_that_leaves_out_what_only_a_get_has_says_nothing_of_it() -> None:
    [body] = bodies("keyvault-key-create-rotationpolicy", method="POST", path="6ec82cd6/create")
    listed = {
        **body,
        "attributes": {name: body["attributes"][name] for name in ("enabled", "created", "updated", "recoveryLevel")},
    }
    assert contradicted(key(listed, promised=False), key(body, promised=True)) == set()
    ends = {**body, "attributes": {**body["attributes"], "exp": 1_800_000_000}}
    assert contradicted(key(listed, promised=False), key(ends, promised=True)) == {"expires_on"}


def secret(body: object) -> Row:
    item = wire(body, SecretItem)
    found = Row(SECRET, id="s", resource_id="s", scope_id="s", url="u", version="1")
    put_secret(found, item)
    return found


def key(body: Any, *, promised: bool) -> Row:
    bundle = wire(body, KeyBundle)
    found = version_row(KEY, RECORDED, URI, named(f"{URI}keys/k/v", URI, "keys"), resource_id="k", url="u", version="1")
    put_attributes(found, bundle.attributes, promised=promised, reason=Reason.BAD_BODY)
    found.put_all(tags=bundle.tags, managed=bundle.managed)
    return found
