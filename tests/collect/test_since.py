"""A run since an earlier one: the same rows and coverage as a whole run, with fewer requests, and no change goes unseen."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.collect.run import collect_all
from keyaudit.inventory.earlier_snapshot import MARGIN, Earlier
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.simulator.estate import Estate, Key, KeyVersion
from keyaudit.simulator.estate.vault_objects import Certificate, CertificatePolicy, CertificateVersion
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.serve import serve
from tests.collect.estate import AS_OF, DAY, ESTATE, FIRST, ROTATED
from tests.collect.rig import EVIDENCE, Collected, Noted, begun, collect, connected, left, take

READS = ("keys", "certificates", "secrets", "deleted", "applications", "service principals", "role assignments", "principals")


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """What an earlier run read of the estate."""
    return asyncio.run(take(tmp_path_factory.mktemp("before") / "out", estate=ESTATE))


async def since(before: Snapshot, estate: Estate, *faults: Fault) -> Collected:
    with tempfile.TemporaryDirectory() as folder, Earlier(before) as earlier:
        async with serve(estate, faults=faults) as simulator, connected(simulator) as connection:
            with begun(Path(folder) / "out", estate.tenant_id) as spool:
                failures = await collect_all(connection, spool, progress=Noted(), evidence=EVIDENCE, earlier=earlier)
                return left(spool, failures, dict(simulator.calls))


def rotated(change: Callable[[KeyVersion], KeyVersion]) -> Estate:
    """The estate with every version of one key changed."""
    key = replace(ROTATED, versions=tuple(change(version) for version in ROTATED.versions))
    return replace(ESTATE, vaults=(replace(FIRST, keys=(key, *FIRST.keys[1:])), *ESTATE.vaults[1:]))


def alike(one: Collected, other: Collected) -> None:
    assert one.rows == other.rows
    assert one.coverage == other.coverage


async def test_a_tenant_that_did_not_change_gives_the_same_with_fewer_requests(before: Snapshot, whole: Collected) -> None:
    found = await since(before, ESTATE)
    alike(found, whole)
    assert "key.get" not in found.calls
    for operation in ("key.list", "key.versions", "key.rotation_policy", "application.list", "vault.list"):
        assert found.calls[operation] == whole.calls[operation]


CHANGES: dict[str, Callable[[KeyVersion], KeyVersion]] = {
    "operations": lambda version: replace(version, key_ops=("sign",), updated=AS_OF),
    "enabled": lambda version: replace(version, enabled=not version.enabled),
    "end": lambda version: replace(version, exp=AS_OF + DAY),
    "start": lambda version: replace(version, nbf=AS_OF),
    "tags": lambda version: replace(version, tags={"owner": "me"}),
    "created": lambda version: replace(version, created=AS_OF - 999 * DAY),
    "kind": lambda version: replace(version, hsm_platform="2", kty="RSA-HSM", updated=AS_OF - 1),
}
"""By the name of a key, what changes in each of its versions."""


async def test_keys_that_changed_are_read_again(tmp_path: Path) -> None:
    def holding(*keys: Key) -> Estate:
        return replace(ESTATE, vaults=(replace(FIRST, keys=keys), *ESTATE.vaults[1:]))

    keys = [replace(ROTATED, name=name) for name in CHANGES]
    changed = [replace(key, versions=tuple(map(CHANGES[key.name], key.versions))) for key in keys]
    found = await since(await take(tmp_path / "before", estate=holding(*keys)), holding(*changed))
    alike(found, await collect(estate=holding(*changed)))
    assert found.calls["key.get"] == len(CHANGES) * len(ROTATED.versions)


async def test_a_rotation_and_a_deletion_are_seen(before: Snapshot) -> None:
    new = replace(ROTATED.versions[-1], version="f" * 32, created=AS_OF - 60, updated=AS_OF - 60)
    key = replace(ROTATED, versions=(*ROTATED.versions[1:], new), current=new.version)
    estate = replace(ESTATE, vaults=(replace(FIRST, keys=(key,)), *ESTATE.vaults[1:]))
    found = await since(before, estate)
    alike(found, await collect(estate=estate))
    assert found.calls["key.get"] == len(key.versions)


async def test_a_change_that_may_have_come_after_the_earlier_reading_is_looked_at_again(tmp_path: Path) -> None:
    """The earlier run read the key before the change, in the same second or with another clock; its list looks the same."""
    for updated, again in ((AS_OF - MARGIN, True), (AS_OF - MARGIN - 1, False)):
        estate = rotated(lambda version, updated=updated: replace(version, updated=updated))  # type: ignore[misc]
        changed = rotated(lambda version, updated=updated: replace(version, updated=updated, key_ops=("sign",)))  # type: ignore[misc]
        found = await since(await take(tmp_path / str(updated), estate=estate), changed if again else estate)
        alike(found, await collect(estate=changed if again else estate))
        assert ("key.get" in found.calls) is again


async def test_what_the_earlier_run_could_not_read_is_read_now(tmp_path: Path, whole: Collected) -> None:
    denied = Fault("key.get", "every", status=403, body={"error": {"code": "Forbidden", "message": "no"}})
    found = await since(await take(tmp_path / "out", denied, estate=ESTATE), ESTATE)
    alike(found, whole)
    assert found.calls["key.get"] == whole.calls["key.get"]


def exportable(found: Collected) -> dict[str, tuple[object, object]]:
    """Of each version of the certificate `signer` whether its key is exportable, or why that is not known."""
    rows = (row for row in found.rows["certificate"].values() if row["name"] == "signer")
    return {str(row["version"])[0]: (row.get("exportable"), row.get("unknown", {}).get("exportable")) for row in rows}


async def test_a_certificates_earlier_version_stays_exportable_when_the_next_one_is_not(tmp_path: Path) -> None:
    first = CertificateVersion(version="1" * 32, created=AS_OF - 99 * DAY, nbf=AS_OF - 99 * DAY, exp=AS_OF + 99 * DAY)
    old = Certificate(
        name="signer",
        subject="signer",
        versions=(first,),
        current=first.version,
        policy=CertificatePolicy(updated=first.created),
    )
    next_ = replace(first, version="2" * 32, created=AS_OF - DAY)
    new = replace(
        old,
        versions=(replace(first, made_as=old), next_),
        current=next_.version,
        policy=replace(old.policy, exportable=False, updated=next_.created),
    )
    before, after = (
        replace(ESTATE, vaults=(replace(FIRST, certificates=(one,), keys=(), secrets=()), *ESTATE.vaults[1:]))
        for one in (old, new)
    )
    found = await since(await take(tmp_path / "out", estate=before), after)
    assert exportable(found) == {"1": (True, None), "2": (False, None)}
    again = await collect(estate=after)
    assert exportable(again) == {"1": (None, "not_supplied"), "2": (False, None)}


async def test_what_is_refused_now_is_unknown_now(before: Snapshot) -> None:
    body = {"error": {"code": "Forbidden", "message": "no"}}
    denied = (
        Fault("key.versions", "every", status=403, body=body),
        Fault("key.rotation_policy", "every", status=403, body=body),
    )
    for fault in denied:
        found = await since(before, ESTATE, fault)
        fully = await collect(fault)
        alike(found, fully)
        assert set(found.rows["key"]) == set(fully.rows["key"])


def _versions(name: str, count: int = 3, **fields: Any) -> Certificate:
    """A certificate with so many versions, the last one current; `fields` of the first one."""
    made = []
    for number in range(1, count + 1):
        born = AS_OF - (90 - number) * DAY
        version = str(number) * 32
        made.append(CertificateVersion(version=version, created=born, updated=born, nbf=born, exp=AS_OF + number * DAY))
    made[0] = replace(made[0], **fields)
    policy = CertificatePolicy(updated=AS_OF - 200 * DAY)
    return Certificate(name=name, subject=name, versions=tuple(made), current=made[-1].version, policy=policy)


def _holding(*certificates: Certificate) -> Estate:
    return replace(ESTATE, vaults=(replace(FIRST, certificates=certificates, keys=(), secrets=()),))


async def test_only_the_current_version_of_a_certificate_is_read_unless_another_changed(tmp_path: Path) -> None:
    names = ("same", "renewed", "disabled", "replaced")
    before = await take(tmp_path / "out", estate=_holding(*map(_versions, names)))
    after = _holding(
        _versions("same"),
        _versions("renewed", 4),
        _versions("disabled", enabled=False, updated=AS_OF - DAY),
        # Another certificate under the same version, which Key Vault does not allow.
        _versions("replaced", exp=AS_OF + 9 * DAY),
    )
    found = await since(before, after)
    alike(found, await collect(estate=after))
    # The current version of each, and one more of each that changed but for the new one, which is current.
    assert found.calls["certificate.get"] == len(names) + 2
