"""`keyaudit access`, where something was not read: what the answer rests on makes it incomplete, and nothing else does."""

import asyncio
import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from keyaudit.model.errors import Exit
from keyaudit.questions.access.evidence import BESIDE, BESIDE_ELIGIBLE
from keyaudit.simulator.estate import Estate
from keyaudit.simulator.faults import Fault
from keyaudit.simulator.roles import CRYPTO_USER
from tests.cli.conftest import Keyaudit
from tests.collect.access import ACCESS, ALICE, ASSIGNMENTS, BOB, INNER, OUTER, ROBOT, assigned
from tests.collect.access import FIRST_SCOPE as VAULT
from tests.collect.privileged import POWERFUL, PRIVILEGED, USER
from tests.collect.refusals import refused
from tests.collect.rig import take

PARTNERS = "60000000-0000-4000-8000-000000000009"
ESTATE = replace(
    PRIVILEGED,
    subscriptions=ACCESS.subscriptions,
    vaults=ACCESS.vaults,
    service_principals=(*ACCESS.service_principals, *PRIVILEGED.service_principals),
    users=(*ACCESS.users, replace(ALICE, id=USER, name="admin", upn="admin@b.example")),
    groups=ACCESS.groups,
    roles=ACCESS.roles,
    role_assignments=(*ASSIGNMENTS, assigned(30, VAULT, CRYPTO_USER, POWERFUL.id, "ServicePrincipal")),
    eligibilities=ACCESS.eligibilities,
)
"""A tenant in which vaults are reached in every way, and applications and a user hold what is no way to one."""

Taken = Callable[..., Path]

OF_AGENTS = ("agent.list", "blueprint.inheritable_of")
"""Operations that nobody asks for in a tenant without agents, as this one is."""


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """Gives the folder of a snapshot of that tenant, read under faults, each once."""
    made: dict[str, Path] = {}

    def under(*faults: Fault, estate: Estate = ESTATE, called: str) -> Path:
        if called not in made:
            folder = tmp_path_factory.mktemp("taken") / "snapshot"
            asyncio.run(take(folder, *faults, estate=estate))
            made[called] = folder
        return made[called]

    return under


def whole(taken: Taken) -> Path:
    return taken(called="whole")


def without(taken: Taken, operation: str) -> Path:
    return taken(refused(operation, "permission"), called=operation)


HELD = [
    ("app-role", "Mail.ReadWrite", "Microsoft Graph"),
    ("app-role", "RoleManagement.ReadWrite.Directory", "Microsoft Graph"),
    ("delegated", "Mail.Read", "Microsoft Graph"),
    ("delegated", "User.Read", "Microsoft Graph"),
    ("delegated", "User.Read", "Microsoft Graph"),
    ("directory-role", "Global Administrator", ""),
]
"""What the application holds beside vaults."""


def test_every_format_lists_what_is_held_beside_vaults(keyaudit: Keyaudit, taken: Taken) -> None:
    asked = ("access", POWERFUL.name, "--from", whole(taken))
    ran = keyaudit(*asked, "-o", "json")
    assert ran.code == Exit.CLEAN, ran.err
    assert [(way["kind"], way["role"], way["api"] or "") for way in ran.json["others"]] == HELD
    rows = list(csv.DictReader(io.StringIO(keyaudit(*asked, "-o", "csv").out, newline="")))
    beside = [row for row in rows if row["record"] == "beside-vaults"]
    assert [(row["kind"], row["role"], row["api"]) for row in beside] == HELD
    assert {(row["principal_id"], row["principal"], row["vault"]) for row in beside} == {(POWERFUL.id, POWERFUL.name, "")}
    assert [(row["record"], row["vault"]) for row in rows if row not in beside] == [("way", "kv-First")]
    for output in ("text", "table"):
        lines = keyaudit(*asked, "-o", output).out.splitlines()
        for kind, role, api in HELD:
            spoken = {"app-role": "application permission", "delegated": "delegated permission"}.get(
                kind, kind.replace("-", " ")
            )
            said = f"{spoken} {role} on {api or 'all of the tenant'}"
            assert sum(said in line for line in lines) == HELD.count((kind, role, api)), said


def test_nothing_of_it_is_listed_of_a_vault_or_of_somebody_else(keyaudit: Keyaudit, taken: Taken) -> None:
    for asked, output in (("kv-First", "csv"), ("alice", "text")):
        ran = keyaudit("access", asked, "--from", whole(taken), "-o", output)
        assert ran.code == Exit.CLEAN, ran.err
        assert "Global Administrator" not in ran.out
        assert "beside-vaults" not in ran.out


NAMING = ("service_principal.list", "directory_role.definitions")


@pytest.mark.parametrize(
    "operation",
    [
        BESIDE[0],
        *(
            pytest.param(name, marks=pytest.mark.exhaustive)
            for name in (*BESIDE[1:], *NAMING, "group.direct_members")
            if name not in OF_AGENTS
        ),
    ],
)
def test_what_a_principal_holds_rests_on_every_list_of_it(keyaudit: Keyaudit, taken: Taken, operation: str) -> None:
    ran = keyaudit("access", POWERFUL.id, "--from", without(taken, operation), "-o", "json")
    assert ran.code == Exit.INCOMPLETE, ran.err
    assert operation in {each for gap in ran.json["gaps"] for each in gap["operations"]}


@pytest.mark.parametrize("operation", [BESIDE[0], *(pytest.param(name, marks=pytest.mark.exhaustive) for name in BESIDE[1:])])
def test_who_can_use_a_vault_does_not_rest_on_what_is_held_beside_it(keyaudit: Keyaudit, taken: Taken, operation: str) -> None:
    ran = keyaudit("access", "kv-First", "--from", without(taken, operation), "-o", "json")
    assert ran.code == Exit.CLEAN, ran.err
    assert ran.json["ways"] == keyaudit("access", "kv-First", "--from", whole(taken), "-o", "json").json["ways"]
    assert (ran.json["gaps"], ran.json["not_read"]) == ([], [])


@pytest.mark.exhaustive
def test_what_a_principal_could_activate_is_said_not_to_be_read_and_asks_nobody_for_anything(
    keyaudit: Keyaudit, taken: Taken
) -> None:
    [operation] = BESIDE_ELIGIBLE
    folder = without(taken, operation)
    ran = keyaudit("access", POWERFUL.id, "--from", folder, "-o", "json")
    assert ran.code == Exit.CLEAN, ran.err
    assert [(each["operation"], each["reason"]) for each in ran.json["not_read"]] == [(operation, "permission")]
    rows = csv.DictReader(io.StringIO(keyaudit("access", POWERFUL.id, "--from", folder, "-o", "csv").out, newline=""))
    assert [row["coverage_note"] for row in rows if row["record"] == "not-read"] == [f"{operation}:permission"]
    assert keyaudit("access", "kv-First", "--from", folder, "-o", "json").json["not_read"] == []


def test_a_way_through_groups_that_were_not_read_says_so(keyaudit: Keyaudit, taken: Taken) -> None:
    folder = without(taken, "group.direct_members")
    ran = keyaudit("access", "kv-First", "--from", folder, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    known = keyaudit("access", "kv-First", "--from", whole(taken), "-o", "json").json["ways"]
    # Nobody is lost, and only of those in the group may there be groups in between.
    assert {way["principal"]["id"] for way in ran.json["ways"]} == {way["principal"]["id"] for way in known}
    unplaced = {way["principal"]["id"]: way["through_unknown"] for way in ran.json["ways"] if way["through_unknown"]}
    assert unplaced == dict.fromkeys((ALICE.id, BOB.id, ROBOT.id), "permission")
    assert not any(way["through_unknown"] for way in known)
    assert {group["id"] for way in ran.json["ways"] for group in way["through"]} == {OUTER.id}
    text = " ".join(keyaudit("access", "kv-First", "--from", folder).out.split())
    assert text.count("through group Outer and perhaps groups in it") == 3
    rows = csv.DictReader(io.StringIO(keyaudit("access", "kv-First", "--from", folder, "-o", "csv").out, newline=""))
    notes = {row["principal_id"]: row["coverage_note"] for row in rows if row["record"] == "way" and row["coverage_note"]}
    assert notes == dict.fromkeys((ALICE.id, BOB.id, ROBOT.id), "through:permission")


@pytest.mark.exhaustive
def test_a_group_that_only_the_grant_calls_one_is_followed(keyaudit: Keyaudit, taken: Taken) -> None:
    folder = without(taken, "principal.lookup")
    ran = keyaudit("access", "kv-First", "--from", folder, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    through = {way["principal"]["id"]: [group["id"] for group in way["through"]] for way in ran.json["ways"]}
    assert (through[ALICE.id], through[BOB.id]) == ([OUTER.id], [OUTER.id, INNER.id])
    assert OUTER.id not in through
    assert "It is a group." in keyaudit("access", OUTER.id, "--from", folder).out


@pytest.mark.exhaustive
def test_a_group_of_another_tenant_stands_for_people_that_are_not_known(keyaudit: Keyaudit, taken: Taken) -> None:
    partners = assigned(31, VAULT, CRYPTO_USER, PARTNERS, "ForeignGroup")
    folder = taken(estate=replace(ESTATE, role_assignments=(*ESTATE.role_assignments, partners)), called="partners")
    ran = keyaudit("access", "kv-First", "--from", folder, "-o", "json")
    assert ran.code == Exit.INCOMPLETE
    [unknown] = ran.json["not_all_known"]
    assert (unknown["principal"]["id"], unknown["principal"]["kind"], unknown["reason"]) == (
        PARTNERS,
        "foreign-group",
        "not_visible",
    )
    assert [way["kind"] for way in ran.json["ways"] if way["principal"]["id"] == PARTNERS] == ["azure-role"]
    # The vault beside it is as well known as before.
    assert keyaudit("access", "kv-Second", "--from", folder).code == Exit.CLEAN
