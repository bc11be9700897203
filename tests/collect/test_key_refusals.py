"""Requests for keys refused, or answered wrongly: what ARM shows stands in for them, and the rest is unknown."""

from typing import Any

import pytest
from msgspec.structs import replace

from keyaudit.model.coverage import State
from keyaudit.model.operations import Surface
from keyaudit.simulator.faults import Fault
from tests.collect.estate import ESTATE, FIRST, FIRST_ID, FIRST_KEYS, SECOND_ID, SECOND_KEYS, VERSIONS, version
from tests.collect.refusals import FORBIDDEN, never_wrong, refused
from tests.collect.rig import Collected, collect

READS = ("keys",)
CHILDREN = ("key.versions", "key.get", "key.rotation_policy")


@pytest.mark.parametrize("reason", ["firewall", "private_only", "permission", "auth_failed", "service_error", "throttled"])
async def test_arm_stands_in_for_a_refused_data_plane(whole: Collected, reason: str) -> None:
    fault = replace(refused("key.list", reason), where="kv-first")
    found = await collect(fault)
    never_wrong(whole, found)
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS
    assert found.gaps() == {
        (FIRST_ID, "key.list"): f"not_assessed {reason}",
        **{(FIRST_ID, child): "not_assessed parent_not_assessed" for child in CHILDREN},
    }
    arm = ("arm.key.get", "arm.key.list", "arm.key.version", "arm.key.versions")
    assert all(found.coverage[FIRST_ID, operation].state is State.ASSESSED for operation in arm)
    for id_ in FIRST_KEYS:
        row = found.rows["key"][id_]
        # ARM has the rotation policy of a key that was given one, and none else.
        rotation = {"auto_rotates", "rotates_after", "rotates_before_expiry", "rotation_expiry"} - row.keys()
        unknown = {"hsm_platform", "managed", "release_policy_immutable"} | (set() if id_ in VERSIONS else rotation)
        # That ARM shows no tags proves nothing.
        unknown |= {"tags"} - row.keys()
        assert found.unknown("key", id_) == dict.fromkeys(unknown, "control_plane_only")
        assert row["is_current"] == whole.rows["key"][id_]["is_current"]


async def test_one_rotation_policy_for_all_keys_is_believed_of_its_own_key_alone(whole: Collected) -> None:
    policy = {
        "id": "https://kv-first.vault.azure.net/keys/Rotated/rotationpolicy",
        "lifetimeActions": [{"trigger": {"timeAfterCreate": "P90D"}, "action": {"type": "Rotate"}}],
        "attributes": {"created": 1, "updated": 1},
    }
    found = await collect(Fault("key.rotation_policy", "every", body=policy))
    assert found.gaps() == {
        (FIRST_ID, "key.rotation_policy"): "partial inconsistent",
        (SECOND_ID, "key.rotation_policy"): "not_assessed inconsistent",
    }
    for id_, row in found.rows["key"].items():
        asked = not row["managed"] and "/keys/rotated/" not in id_
        assert found.unknown("key", id_).get("auto_rotates") == ("inconsistent" if asked else None), id_
        # Nothing else of these keys suffers.
        assert not {"kty", "expires_on", "custody"} & found.unknown("key", id_).keys()


@pytest.mark.parametrize("left", [0, 2])
async def test_a_list_of_keys_is_believed_only_if_arm_shows_no_others(whole: Collected, left: int) -> None:
    short = Fault("key.list", "every", where="kv-first", edit=lambda body: body | {"value": body["value"][:left]})
    found = await collect(short)
    never_wrong(whole, found)
    # ARM gives the rows of the others, and what it does not know of them is unknown.
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS
    record = found.coverage[FIRST_ID, "key.list"]
    lacking = (
        "it lacks 1 key that ARM shows: Rotated" if left else "it lacks 3 keys that ARM shows: backing, curved and Rotated"
    )
    assert (record.state, record.reason, record.detail) == (State.PARTIAL, "inconsistent", lacking)
    assert found.coverage[FIRST_ID, "arm.key.list"].state is State.ASSESSED


async def test_a_key_that_arm_still_shows_and_the_vault_has_no_more_is_gone(whole: Collected) -> None:
    def behind(body: dict[str, Any]) -> object:
        [first, *_] = body["value"]
        return body | {"value": [*body["value"], first | {"id": first["id"] + "-old", "name": first["name"] + "-old"}]}

    found = await collect(Fault("arm.key.list", "every", edit=behind))
    assert found.rows["key"] == whole.rows["key"]
    assert found.gaps() == {}
    record = found.coverage[FIRST_ID, "key.list"]
    denied = "ARM shows 1 key that the vault does not list: backing-old"
    assert (record.state, record.detail) == (State.ASSESSED, denied)
    assert whole.coverage[FIRST_ID, "key.list"].detail == ""


async def test_keys_that_arm_does_not_show_are_no_contradiction(whole: Collected) -> None:
    found = await collect(Fault("arm.key.list", "every", edit=lambda body: body | {"value": []}))
    assert found.rows["key"] == whole.rows["key"]
    assert found.gaps() == {}


async def test_an_empty_list_of_keys_is_empty_where_arm_shows_none() -> None:
    # Where ARM may not be asked, or has none, an empty list is empty.
    bare = replace(ESTATE, vaults=(replace(FIRST, keys=()),))
    for faults in ((), (refused("arm.key.list", "permission"),)):
        found = await collect(*faults, estate=bare)
        assert found.gaps() == {}
        assert found.calls["arm.key.list"] == 1
        assert (FIRST_ID, "arm.key.list") not in found.coverage


@pytest.mark.parametrize("operation", ["arm.key.list", "arm.key.get", "arm.key.versions", "arm.key.version"])
async def test_a_control_plane_that_refuses_too(whole: Collected, operation: str) -> None:
    firewall = replace(refused("key.list", "firewall"), where="kv-first")
    found = await collect(firewall, refused(operation, "permission"))
    never_wrong(whole, found)
    assert found.gaps()[FIRST_ID, operation] == "not_assessed permission"
    rows = {id_ for id_ in found.rows["key"] if "kv-first" in id_}
    if operation == "arm.key.list":
        assert rows == set()
    elif operation == "arm.key.versions":
        assert rows == {id_ for id_ in FIRST_KEYS if whole.rows["key"][id_]["is_current"]}
        assert all(found.unknown("key", id_)["versions_listed"] == "permission" for id_ in rows)
    else:
        assert rows == FIRST_KEYS
    if operation == "arm.key.get":
        # The newest of a whole list is the current one.
        assert all(found.rows["key"][id_]["is_current"] == whole.rows["key"][id_]["is_current"] for id_ in rows)


@pytest.mark.parametrize(
    ("operation", "member", "value"),
    [
        ("arm.key.get", "id", "/x/keys/other"),
        ("arm.key.version", "id", "/x/keys/other/versions/1"),
    ],
)
async def test_an_answer_about_another_key_is_none(operation: str, member: str, value: str) -> None:
    firewall = replace(refused("key.list", "firewall"), where="kv-first")
    found = await collect(firewall, Fault(operation, "every", edit=lambda body: body | {member: value}))
    assert found.gaps()[FIRST_ID, operation] == "not_assessed inconsistent"
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS
    kid = {"key": {"kid": "https://kv-first.vault.azure.net/keys/other/1", "kty": "RSA"}}
    found = await collect(Fault("key.get", "every", where="kv-first", edit=lambda body: body | kid))
    assert found.gaps()[FIRST_ID, "key.get"] == "not_assessed inconsistent"
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS
    assert all(found.unknown("key", id_)["kty"] == "inconsistent" for id_ in FIRST_KEYS)


@pytest.mark.parametrize(
    ("properties", "reason"),
    [({}, "bad_body"), ({"keyUriWithVersion": "https://evil.example/keys/k/1"}, "bad_value"), (None, "bad_value")],
)
async def test_a_control_plane_answer_that_does_not_name_the_current_version(properties: object, reason: str) -> None:
    vault = replace(FIRST, keys=(FIRST.keys[0],))
    firewall = replace(refused("key.list", "firewall"), where="kv-first")
    spoiled = Fault("arm.key.get", "every", edit=lambda body: body | {"properties": properties})
    # Without a creation time there is no newest version either.
    undated = Fault("arm.key.versions", "every", edit=undate)
    found = await collect(firewall, spoiled, undated, estate=replace(ESTATE, vaults=(vault,)))
    assert set(found.rows["key"]) == VERSIONS
    for id_ in VERSIONS:
        assert found.unknown("key", id_)["is_current"] == reason
        assert found.rows["key"][id_]["kty"] == "RSA"
    found = await collect(firewall, spoiled, estate=replace(ESTATE, vaults=(vault,)))
    assert {id_ for id_ in VERSIONS if found.rows["key"][id_]["is_current"]} == {
        id_ for id_ in VERSIONS if version(10).version in id_
    }


async def test_versions_of_which_arm_tells_nothing_are_rows_all_the_same() -> None:
    def bare(body: dict[str, list[dict[str, object]]]) -> object:
        for item in body["value"]:
            del item["properties"]
        return body

    vault = replace(FIRST, keys=(FIRST.keys[0],))
    firewall = replace(refused("key.list", "firewall"), where="kv-first")
    silent = (Fault("arm.key.versions", "every", edit=bare), refused("arm.key.version", "permission"))
    found = await collect(firewall, *silent, estate=replace(ESTATE, vaults=(vault,)))
    assert set(found.rows["key"]) == VERSIONS
    others = [id_ for id_ in VERSIONS if version(10).version not in id_]
    assert {found.unknown("key", id_)[column] for id_ in others for column in ("enabled", "created_on", "kty")} == {"bad_body"}
    found = await collect(firewall, *silent, refused("arm.key.get", "permission"), estate=replace(ESTATE, vaults=(vault,)))
    assert {found.unknown("key", id_)["is_current"] for id_ in VERSIONS} == {"permission"}


async def test_a_key_of_which_only_arms_list_tells() -> None:
    vault = replace(FIRST, keys=(FIRST.keys[0],))
    denied = [refused(operation, "permission") for operation in ("arm.key.versions", "arm.key.get")]
    firewall = replace(refused("key.list", "firewall"), where="kv-first")
    found = await collect(firewall, *denied, estate=replace(ESTATE, vaults=(vault,)))
    row = found.rows["key"]["https://kv-first.vault.azure.net/keys/rotated"]
    assert row["enabled"] is True
    assert {"version", "is_current", "versions_listed", "kty", "auto_rotates"} <= row["unknown"].keys()


def undate(body: dict[str, list[dict[str, dict[str, dict[str, object]]]]]) -> object:
    """Takes the creation times out of a version list of ARM's."""
    for item in body["value"]:
        del item["properties"]["attributes"]["created"]
    return body


async def test_two_versions_made_in_one_second_leave_the_current_one_unknown() -> None:
    key = replace(
        FIRST.keys[0], versions=(version(10), replace(version(20), created=version(10).created)), current=version(10).version
    )
    estate = replace(ESTATE, vaults=(replace(FIRST, keys=(key,)),))
    found = await collect(refused("key.get", "permission"), estate=estate)
    assert {row["unknown"]["is_current"] for row in found.rows["key"].values()} == {"permission"}


def beyond_arm(found: Collected, vaults: set[str], reason: str) -> None:
    assert found.rows["key"] == {}
    assert {found.gaps()[vault, "key.list"] for vault in vaults} == {f"not_assessed {reason}"}
    assert not any(operation.startswith("arm.") for operation in found.calls)
    assert not any(operation.startswith("arm.") for _, operation in found.coverage)


@pytest.mark.parametrize("uri", ["https://kv-evil.vault.azure.net/", "https://kv-first.vault.azure.net.evil.example/"])
async def test_arm_does_not_stand_in_for_a_vault_that_leads_elsewhere(uri: str) -> None:
    def elsewhere(body: dict[str, list[dict[str, dict[str, str]]]]) -> object:
        for item in body["value"]:
            item["properties"]["vaultUri"] = uri
        return body

    found = await collect(Fault("vault.list", "every", edit=elsewhere), estate=replace(ESTATE, vaults=(ESTATE.vaults[1],)))
    beyond_arm(found, {SECOND_ID}, "bad_vault_uri")


async def test_arm_does_not_stand_in_for_a_vault_of_another_tenant() -> None:
    login = "https://login.microsoftonline.com/99999999-0000-4000-8000-000000000000"
    challenge = f'Bearer authorization="{login}", resource="https://vault.azure.net"'
    # The official client remembers the challenge of a vault, so this one has not been met before.
    estate = replace(ESTATE, vaults=(replace(FIRST, name="kv-challenging"),))
    found = await collect(Fault("challenge", "every", headers={"WWW-Authenticate": challenge}), estate=estate)
    beyond_arm(found, {FIRST_ID.replace("kv-first", "kv-challenging")}, "bad_challenge")


async def test_one_key_refused_leaves_the_others_whole(whole: Collected) -> None:
    fault = replace(refused("key.get", "permission"), where="/keys/Rotated/")
    found = await collect(fault)
    never_wrong(whole, found)
    assert set(found.rows["key"]) == FIRST_KEYS | SECOND_KEYS
    record = found.coverage[FIRST_ID, "key.get"]
    # The request that names the current version, and one for each version listed.
    assert (record.state, record.reason, record.refused, record.kept) == (State.PARTIAL, "permission", 4, 2)
    unknown = {"kty", "key_size", "curve", "parameter_set", "key_ops", "release_policy_immutable", "custody"}
    for id_ in VERSIONS:
        assert found.unknown("key", id_) == dict.fromkeys(unknown, "permission")
        assert found.rows["key"][id_]["is_current"] == (version(10).version in id_)
    assert all(not found.unknown("key", id_) for id_ in FIRST_KEYS - VERSIONS)


async def test_versions_refused_leaves_the_current_one() -> None:
    found = await collect(replace(refused("key.versions", "permission"), where="/keys/Rotated/"))
    [row] = [row for row in found.rows["key"].values() if row["name"] == "Rotated"]
    assert row["is_current"] is True
    assert row["version"] == version(10).version
    assert row["unknown"] == {"versions_listed": "permission"}


async def test_a_key_of_which_only_the_list_tells(whole: Collected) -> None:
    everything = [
        replace(refused(operation, "permission"), where="/keys/Rotated/") for operation in ("key.versions", "key.get")
    ]
    found = await collect(*everything)
    never_wrong(whole, found)
    row = found.rows["key"]["https://kv-first.vault.azure.net/keys/rotated"]
    assert row["enabled"] is True
    assert row["expires_on"] is not None
    assert row["tags"] == {"env": "Prod"}
    assert row["auto_rotates"] is True
    assert {"version", "is_current", "versions_listed", "kty", "custody"} <= row["unknown"].keys()


async def test_half_a_list_of_keys_is_completed_from_arm() -> None:
    keys = tuple(replace(FIRST.keys[1], name=f"key-{number:02}") for number in range(40))
    estate = replace(ESTATE, vaults=(replace(FIRST, keys=keys),))
    late = Fault("key.list", 2, status=403, body=FORBIDDEN[Surface.VAULT])
    found = await collect(late, estate=estate)
    record = found.coverage[FIRST_ID, "key.list"]
    assert record.state is State.PARTIAL
    assert 0 < record.kept < len(keys)
    assert found.gaps()[FIRST_ID, "key.get"] == "partial parent_not_assessed"
    assert len(found.rows["key"]) == len(keys)
    assert sum("hsm_platform" in row.get("unknown", {}) for row in found.rows["key"].values()) == len(keys) - record.kept
    assert found.calls["arm.key.get"] == len(keys) - record.kept


@pytest.mark.parametrize("after", [0, 1, 4, 9])
async def test_of_a_vault_that_was_deleted_no_row_is_kept(after: int) -> None:
    gone = replace(FIRST, vanishes_after=after)
    found = await collect(estate=replace(ESTATE, vaults=(gone, ESTATE.vaults[1])))
    assert set(found.rows["key"]) == SECOND_KEYS
    # What was read to its end before the vault went stays as it was found.
    assert set(found.gaps().values()) == {"not_assessed vanished"}
    assert {place for place, _ in found.gaps()} == {FIRST_ID}
    assert {operation for _, operation in found.gaps()} >= {"key.list", "key.versions", "key.get", "key.rotation_policy"}


@pytest.mark.parametrize("denied", [False, True])
@pytest.mark.parametrize("operation", ["key.versions", "arm.key.versions"])
async def test_a_version_list_without_the_current_version_is_not_a_whole_one(operation: str, denied: bool) -> None:
    def shorten(body: dict[str, list[dict[str, object]]]) -> object:
        return body | {"value": []}

    faults = [Fault(operation, "every", edit=shorten)]
    get = "arm.key.get" if operation.startswith("arm.") else "key.get"
    if operation.startswith("arm."):
        faults.append(replace(refused("key.list", "firewall"), where="kv-first"))
    if denied:
        faults.append(refused(get, "permission"))
    vault = replace(FIRST, keys=(FIRST.keys[0],))
    found = await collect(*faults, estate=replace(ESTATE, vaults=(vault,)))
    assert found.gaps()[FIRST_ID, operation].endswith("inconsistent_pages")
    [id_] = found.rows["key"]
    assert found.unknown("key", id_)["versions_listed"] == "inconsistent_pages"


async def test_a_key_that_was_rotated_while_it_was_read_is_read_whole(whole: Collected) -> None:
    def before(body: dict[str, list[dict[str, object]]]) -> object:
        return body | {"value": [item for item in body["value"] if version(10).version not in str(item["kid"])]}

    estate = replace(ESTATE, vaults=(replace(FIRST, keys=(FIRST.keys[0],)),))
    found = await collect(Fault("key.versions", 1, edit=before), estate=estate)
    assert found.gaps() == {}
    assert found.rows["key"] == {id_: row for id_, row in whole.rows["key"].items() if id_ in VERSIONS}
    # The data of the first list stays if the second one is refused.
    denied = Fault("key.versions", range(2, 9), status=403, body=FORBIDDEN[Surface.VAULT])
    found = await collect(Fault("key.versions", 1, edit=before), denied, estate=estate)
    assert found.gaps() == {(FIRST_ID, "key.versions"): "partial permission"}
    assert set(found.rows["key"]) == VERSIONS


async def test_a_boundary_that_was_met_shows_whatever_else_was_refused() -> None:
    found = await collect(
        Fault("key.get", 1, where="kv-first", status=302, headers={"Location": "https://evil.example/"}),
        replace(refused("key.get", "permission"), where="kv-first"),
    )
    assert found.gaps()[FIRST_ID, "key.get"].endswith(" redirected")
