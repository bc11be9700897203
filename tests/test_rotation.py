"""`keyaudit rotation` over a simulated tenant in which every state that four consumers and one rotation can come to is there.

The answer depends on the state alone, so after every step of every interleaving it is one of those that are checked here.
"""

import asyncio
import itertools
from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from keyaudit import ask
from keyaudit.collect.evidence import Evidence
from keyaudit.collect.supplied_rows import with_evidence
from keyaudit.inventory.expectations import unmet
from keyaudit.inventory.logs import Use
from keyaudit.inventory.snapshot import Snapshot
from keyaudit.model.coverage import State as Read
from keyaudit.model.errors import Exit
from keyaudit.model.gating.expectations import Expectations
from keyaudit.model.reasons import Reason
from keyaudit.questions.rotation.answer import Kind, Proof, Rotation, Stage, State, Why
from keyaudit.questions.rotation.plan import plan
from keyaudit.report.steps import Phase
from keyaudit.simulator.estate import Key, Resource, Vault
from tests.collect.estate import AS_OF, DAY, ESTATE, SUBSCRIPTION, version
from tests.collect.rig import take
from tests.logs import store
from tests.matrices import turning
from tests.rotated import read_once

MADE = 60
"""How many days ago the new versions were made."""
LATELY = 5
OLD, NEW = version(400), version(MADE)
WRAP = ("wrapKey", "unwrapKey")
CALLERS = tuple(f"{number}a000000-0000-4000-8000-00000000000a" for number in range(4))
STATES = tuple(itertools.product(itertools.product((False, True), repeat=4), (False, True), (False, True)))
"""Which of the four consumers have moved; whether the old version is used; whether it is retired."""


def named(kind: str, moved: Sequence[bool], *flags: bool) -> str:
    """The name of the key in that state."""
    return f"{kind}-" + "".join("ny"[each] for each in (*moved, *flags))


def rotated(name: str, *, retired: bool, ops: tuple[str, ...]) -> Key:
    old = replace(OLD, enabled=not retired, key_ops=ops)
    return Key(name=name, versions=(old, replace(NEW, key_ops=ops)), current=NEW.version)


def vault(name: str, keys: Sequence[Key]) -> Vault:
    return Vault(name=name, subscription=SUBSCRIPTION, resource_group="rg-main", keys=tuple(keys))


WRAPPING = vault("kv-wrap", [rotated(named("w", *state[:1], *state[1:]), retired=state[2], ops=WRAP) for state in STATES])
SIGNING = vault(
    "kv-sign",
    [
        *(
            rotated(named("s", moved, retired), retired=retired, ops=("sign", "verify"))
            for moved, used, retired in STATES
            if used
        ),
        Key(name="single", versions=(NEW,), current=NEW.version),
    ],
)
GAPS = vault("kv-gaps", [rotated("k", retired=False, ops=("sign", "verify"))])


def url(vault: Vault, name: str, version: str = "") -> str:
    return f"https://{vault.name}.vault.azure.net/keys/{name}/{version}".rstrip("/")


def consumers(name: str, moved: Sequence[bool]) -> Iterator[Resource]:
    """Four services that encrypt with a key, each of a kind that shows its version in another field.

    The fields are those of the management SDKs: Storage's currentVersionedKeyIdentifier, Container Registry's
    versionedKeyIdentifier, the key of a SQL server's encryption protector, and that of an AKS cluster's key management service.
    """
    used = [url(WRAPPING, name, (OLD, NEW)[each].version) for each in moved]
    follows = {"keyvaulturi": "https://kv-wrap.vault.azure.net", "keyname": name, "keyversion": ""}
    settings: dict[str, dict[str, object]] = {
        "Microsoft.Storage/storageAccounts": {
            "encryption": {
                "keySource": "Microsoft.Keyvault",
                "keyvaultproperties": {**follows, "currentVersionedKeyIdentifier": used[0]},
            }
        },
        "Microsoft.ContainerRegistry/registries": {
            "encryption": {
                "status": "enabled",
                "keyVaultProperties": {"keyIdentifier": url(WRAPPING, name), "versionedKeyIdentifier": used[1]},
            }
        },
        "Microsoft.Sql/servers": {"keyId": used[2]},
        "Microsoft.ContainerService/managedClusters": {
            "securityProfile": {"azureKeyVaultKms": {"enabled": True, "keyId": used[3]}}
        },
    }
    for type_, properties in settings.items():
        yield Resource(
            type=type_,
            name=f"{type_.rpartition('/')[2].lower()[:4]}-{name}",
            subscription=SUBSCRIPTION,
            resource_group="rg-main",
            properties=properties,
            follows_rotation=False if "Sql" in type_ else None,
        )


TENANT = replace(
    ESTATE,
    vaults=(WRAPPING, SIGNING, GAPS),
    resources=tuple(each for moved, *flags in STATES for each in consumers(named("w", moved, *flags), moved)),
)


def place(vault: Vault) -> str:
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-main/providers/Microsoft.KeyVault/vaults/{vault.name}"


def use(vault: Vault, name: str, version: str, days: int, app: str, operation: str = "sign") -> Use:
    """A use so many days ago, as the log of the vault has it."""
    return Use(
        source="AZKVAuditLogs",
        used_on=AS_OF - AS_OF % DAY - days * DAY + DAY // 2,
        operation=operation,
        target_kind="key",
        target_id=url(vault, name, version),
        succeeded=True,
        resource_id=place(vault).lower(),
        actor_app_id=app,
        name=f"{vault.name} {name} {version} {days} {app} {operation}",
    )


def uses() -> Iterator[Use]:
    """Each vault is used every day, so that its log is complete; that of `GAPS` but for ten days."""
    for vault_, days in ((WRAPPING, range(1, 90)), (SIGNING, range(1, 90)), (GAPS, [*range(1, 10), *range(20, 90)])):
        for day in days:
            yield use(vault_, "other", NEW.version, day, "5a000000-0000-4000-8000-00000000000a")
    for moved, used, retired in STATES:
        # Everybody used the old version before there was a new one.
        yield use(WRAPPING, named("w", moved, used, retired), OLD.version, MADE + 10, CALLERS[0], "unwrap")
        if used:
            yield use(WRAPPING, named("w", moved, used, retired), OLD.version, LATELY, CALLERS[0], "unwrap")
        else:
            for app, each in zip(CALLERS, moved, strict=True):
                name = named("s", moved, retired)
                yield use(SIGNING, name, OLD.version, MADE + 10, app)
                yield use(SIGNING, name, (OLD, NEW)[each].version, LATELY, app)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("rotation")
    made = asyncio.run(take(folder / "read", estate=TENANT))
    logs = store(folder / "logs", uses(), tenant=TENANT.tenant_id)
    return with_evidence(made, folder / "with-logs", Evidence(logs=logs))


@pytest.fixture(scope="module", autouse=True)
def _read_once(taken: Snapshot) -> Iterator[None]:
    with read_once(taken):
        yield


def rotation(taken: Snapshot, asked: str) -> Rotation:
    return ask.rotation(taken, asked, as_of=AS_OF)


@pytest.mark.parametrize("state", turning(STATES, lambda state: state[0]), ids=lambda state: named("w", state[0], *state[1:]))
def test_the_answer_is_right_in_every_state_of_four_services_that_wrap_with_a_key(
    taken: Snapshot, state: tuple[tuple[bool, ...], bool, bool]
) -> None:
    moved, used, retired = state
    name = named("w", moved, used, retired)
    found = rotation(taken, f"kv-wrap/{name}")
    services = {each.name: each for each in found.consumers if each.kind is Kind.SERVICE}
    # Its own four, and none of the 252 others.
    assert {each: found_.state for each, found_ in services.items()} == {
        f"{kind}-{name}": State.MOVED if each else State.NOT_MOVED
        for kind, each in zip(("stor", "regi", "serv", "mana"), moved, strict=True)
    }
    callers = [each for each in found.consumers if each.kind is Kind.USER]
    assert [(each.id, each.state, each.why) for each in callers] == [(CALLERS[0], State.NOT_MOVED, Why.USED_OLD)] * used
    assert found.verdict.exit is (Exit.CLEAN if all(moved) and not used else Exit.FINDINGS)
    assert found.idle is not used
    assert found.retired is retired
    assert found.reached(Stage.PROVEN) is (all(moved) and not used and retired)
    # Data may be wrapped with it: nothing is disabled, and a disabled version that somebody uses is enabled again.
    commands = [command for step in plan(found) for command in step.commands]
    assert not [command for command in commands if "--enabled false" in command or " delete" in command]
    assert any("--enabled true" in command for command in commands) is (retired and (used or not all(moved)))


@pytest.mark.parametrize("retired", [False, True])
@pytest.mark.parametrize("moved", turning(itertools.product((False, True), repeat=4), lambda moved: moved))
def test_the_answer_is_right_in_every_state_of_four_callers_that_sign_with_a_key(
    taken: Snapshot, moved: tuple[bool, ...], retired: bool
) -> None:
    found = rotation(taken, f"kv-sign/{named('s', moved, retired)}")
    assert {each.id: each.state for each in found.consumers} == {
        app: State.MOVED if each else State.NOT_MOVED for app, each in zip(CALLERS, moved, strict=True)
    }
    assert {each.proof for each in found.consumers} == {Proof.LOGS}
    assert found.verdict.exit is (Exit.CLEAN if all(moved) else Exit.FINDINGS)
    assert found.proven is (all(moved) and retired)
    steps = plan(found)
    disables = [command for step in steps for command in step.commands if "--enabled false" in command]
    assert bool(disables) is (all(moved) and not retired)
    # The disabling comes after everything else but the proof, and says how to go back.
    if disables:
        assert [step.phase for step in steps[-2:]] == [Phase.RETIRE, Phase.PROVE]
        assert disables == [
            f"az keyvault key set-attributes --id {url(SIGNING, named('s', moved, retired), OLD.version)} --enabled false"
        ]
        assert "--enabled true" in steps[-2].back


def test_a_gap_in_the_log_of_its_vault_leaves_it_open(taken: Snapshot) -> None:
    found = rotation(taken, "kv-gaps/k")
    assert (found.verdict.exit, found.idle, [each.enough for each in found.logs]) == (Exit.INCOMPLETE, None, [False])
    assert not [command for step in plan(found) for command in step.commands if "--enabled" in command]
    # The gap of one vault leaves the others as they are.
    assert rotation(taken, f"kv-sign/{named('s', (True,) * 4, True)}").proven


@pytest.mark.parametrize("operation", ["service.query", "consumer.query", "storage.scopes", "sql.databases"])
def test_services_that_were_not_read_leave_it_open(taken: Snapshot, operation: str) -> None:
    asked = f"kv-wrap/{named('w', (True,) * 4, False, False)}"
    assert rotation(taken, asked).verdict.exit is Exit.CLEAN
    coverage = [
        replace(each, state=Read.NOT_ASSESSED, reason=Reason.PERMISSION) if each.operation == operation else each
        for each in taken.coverage
    ]
    found = rotation(replace(taken, coverage=coverage), asked)
    assert (found.verdict.exit, found.all_moved, found.reached(Stage.MOVED)) == (Exit.INCOMPLETE, False, None)
    assert [each.reason for each in found.unread] == [Reason.PERMISSION]


@pytest.mark.parametrize("operation", ["service.query", "consumer.query"])
def test_one_that_is_known_to_be_on_the_old_version_outweighs_what_was_not_read(taken: Snapshot, operation: str) -> None:
    asked = f"kv-wrap/{named('w', (True, False, True, True), False, False)}"
    coverage = [
        replace(each, state=Read.PARTIAL, reason=Reason.PERMISSION) if each.operation == operation else each
        for each in taken.coverage
    ]
    found = rotation(replace(taken, coverage=coverage), asked)
    assert found.verdict.exit is Exit.FINDINGS
    assert [each.name for each in found.consumers if each.state is State.NOT_MOVED] == [f"regi-{asked.partition('/')[2]}"]
    assert [each.reason for each in found.unread] == [Reason.PERMISSION]


def test_a_subscription_that_was_expected_and_is_not_visible_leaves_it_open(taken: Snapshot) -> None:
    asked = f"kv-wrap/{named('w', (True,) * 4, False, False)}"
    missing = unmet(taken, Expectations(subscriptions=("Production", "Finance")), None)
    assert ask.rotation(taken, asked, as_of=AS_OF, unmet=missing).verdict.exit is Exit.INCOMPLETE
    seen = unmet(taken, Expectations(subscriptions=("Production",)), None)
    assert ask.rotation(taken, asked, as_of=AS_OF, unmet=seen).verdict.exit is Exit.CLEAN


def test_before_a_rotation_nobody_is_late(taken: Snapshot) -> None:
    found = rotation(taken, "kv-sign/single")
    assert (found.begun, found.verdict.exit, found.reached(Stage.MADE)) == (False, Exit.CLEAN, False)
    assert [step.phase for step in plan(found)] == [Phase.MAKE, Phase.CHECK, Phase.RETIRE, Phase.PROVE]
    assert plan(found)[0].commands == ("az keyvault key rotate --vault-name kv-sign --name single",)


@pytest.mark.parametrize("form", ["kv-sign/{}", "https://kv-sign.vault.azure.net/keys/{}", "{place}/keys/{}"])
def test_a_key_is_named_as_in_other_commands_and_with_any_of_its_versions(taken: Snapshot, form: str) -> None:
    name = named("s", (True,) * 4, False)
    plain = rotation(taken, f"kv-sign/{name}")
    asked = form.format(name, place=place(SIGNING).lower())
    for version_ in ("", f"/{NEW.version}", f"/{OLD.version}"):
        found = rotation(taken, asked + version_)
        assert (found.target, found.consumers) == (plain.target, plain.consumers)
