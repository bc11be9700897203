"""The steps of a rotation in order: make, move, check, retire, prove. Commands are printed and never run."""

from collections.abc import Iterator, Sequence

from msgspec import structs

from keyaudit.inventory.usage.complete_days import LONG_ENOUGH
from keyaudit.model.consumers import WRAPPED
from keyaudit.model.errors import Exit
from keyaudit.model.tables.vaults.secret_use import KEEPING
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY
from keyaudit.questions.rotation.answer import Consumer, Follows, Kind, Rotation, State, Version, Why
from keyaudit.questions.rotation.words import WRAPS, consumer, owner
from keyaudit.report.steps import Phase, Step, option_word, word

_NEW = " '@new.pem'"


def plan(found: Rotation) -> list[Step]:
    """Every step that is left, in order. Nothing is retired before it is shown to be idle."""
    if found.proven or found.nothing:
        return []
    steps: list[Step] = []
    if not found.begun and found.unsure is None:
        steps.append(_make(found))
    waiting = [each for each in found.consumers if not found.begun or each.state is not State.MOVED]
    steps += _enable(found)
    steps += [structs.replace(step, owner=owner(each)) for each in waiting for step in _move(each)]
    steps.append(_check(found))
    steps += _retire(found)
    return steps


def _make(found: Rotation) -> Step:
    if not found.vault:
        own = [each for each in found.consumers if each.kind is Kind.IDENTITY and each.holder]
        return Step(
            phase=Phase.MAKE,
            title="Add a new credential beside the old one",
            text="--append leaves the old one in place. Best is none that can be copied: a managed identity, or workload "
            "identity federation.",
            back="programs keep the old credential until they are given the new one",
            commands=tuple(f"{_credential(each, 'reset')} --append{_certificate(each, _NEW)}" for each in own),
        )
    place = f"{option_word('--hsm-name' if found.hsm else '--vault-name', found.vault)} {option_word('--name', _thing(found))}"
    text, command = "", f"az keyvault key rotate {place}"
    if found.noun == "certificate":
        command = f"az keyvault certificate create {place} --policy '@policy.json'"
        text = (
            "policy.json is the member policy that az keyvault certificate show prints. In it, set reuseKey to false, or "
            "the new version has the old key. Relying parties that pin the old certificate need the new one before it signs."
        )
    elif found.noun == "secret":
        command = f"az keyvault secret set {place} --file new-secret.txt"
        text = "First make the new value where the secret comes from, so that both values work."
    return Step(
        phase=Phase.MAKE,
        title=f"Make a new version of {one_line(found.noun)} {one_line(found.name)}",
        text=text,
        back="the old version stays enabled, and a consumer can be set to its version",
        commands=(command,),
    )


def _enable(found: Rotation) -> Iterator[Step]:
    """The step that lets an old version be used again: somebody uses it, or needs it for data that is wrapped with it."""
    disabled = [each for each in found.old if each.enabled is False]
    used = {each.held.lower() for each in found.consumers if each.state in (State.NOT_MOVED, State.WILL_MOVE)}
    needed = [each for each in disabled if each.name.lower() in used]
    if found.vault and needed:
        yield Step(
            phase=Phase.MOVE,
            title="Enable the old version again, until everybody has moved",
            text="It is disabled, and still used: data that is wrapped with it cannot be read, and signing is refused.",
            back="run the same command with --enabled false",
            commands=tuple(f"az keyvault {found.noun} set-attributes {_id(each)} --enabled true" for each in needed),
        )


def _id(each: Version) -> str:
    return option_word("--id", each.id)


def _move(each: Consumer) -> Iterator[Step]:
    name = consumer(each)
    if each.kind is Kind.SERVICE:
        yield _service(each, name)
    elif each.kind is Kind.IDENTITY:
        yield Step(
            phase=Phase.MOVE,
            title=f"Give the programs of {name} the new credential",
            text="Register it first, then deploy it. The command lists the credentials that it has now."
            + (" Azure does this for a managed identity." if each.follows is Follows.BY_ITSELF else ""),
            back="the old credential stays registered, so deploy it again",
            commands=(_credential(each, "list"),) if each.holder else (),
        )
    elif each.kind is Kind.USER:
        yield Step(
            phase=Phase.MOVE,
            title=f"Ask the owner of {name} which version it asks for",
            text="The log of the vault names it. If its setting names a version, change it to none, or to the new one.",
            back="set the old version again, which stays enabled",
        )
    else:
        titles = {
            Kind.RELYING_PARTY: f"Add the new certificate to {name}, beside the old one",
            Kind.AUTHORITY: f"Add the new certificate to {name}, beside the old one",
            Kind.COPY: f"Import the new version into {name}, or find out whether it is still needed",
            Kind.SIGNER: f"Activate the new certificate for {name}, after its relying parties have it",
        }
        yield Step(
            phase=Phase.MOVE,
            title=titles[each.kind],
            back="the old certificate stays in place until the end, so activate it again",
        )


def _broken(each: Consumer) -> str:
    return f"First let it read the vault again: it says {one_line(each.broken)}. " if each.broken else ""


def _service(each: Consumer, name: str) -> Step:
    noun = "key" if each.key_id else "secret or certificate"
    if each.follows is Follows.BY_ITSELF and each.state is State.NOT_MOVED:
        return Step(
            phase=Phase.MOVE,
            title=f"Find out why {name} is still on the old version",
            text=f"{_broken(each)}It follows the rotation by itself. If it has not a day after the rotation, set its {noun} "
            "again, without a version.",
            back="set the old version, which stays enabled",
        )
    if each.follows is Follows.BY_ITSELF:
        return Step(
            phase=Phase.MOVE,
            title=f"Wait until {name} has taken the new version",
            text=f"{_broken(each)}It follows the rotation by itself. If it does not, set its {noun} again, without a version.",
            back="set the old version, which stays enabled",
        )
    if each.what in KEEPING:
        return Step(
            phase=Phase.MOVE,
            title=f"Rotate the secret of {name} with that service, and not in the vault",
            text="The service keeps this secret there itself, and does not say which version it uses.",
            back="the old version stays enabled",
        )
    if not each.key_id:
        return Step(
            phase=Phase.MOVE,
            title=f"Set {name} to the new version, or without a version so that it follows",
            text=f"{_broken(each)}A setting that names a version never takes a new one by itself.",
            back="set the old version again, which stays enabled",
        )
    if each.what in WRAPPED:
        return Step(
            phase=Phase.MOVE,
            title=f"Set disk encryption of {name} again, with the new version of the key",
            text="Azure Disk Encryption names a version of the key, and takes a new one only when it is set again. The old "
            "version has to stay enabled until then, and for backups that were made before.",
            back="the old version stays enabled",
        )
    vault_uri, _, thing = each.key_id.partition("/keys/")
    of_storage = (
        f"az storage account update {option_word('--ids', each.id)} --encryption-key-source Microsoft.Keyvault"
        f" {option_word('--encryption-key-vault', vault_uri)} {option_word('--encryption-key-name', thing)}"
        " --encryption-key-version ''"
    )
    return Step(
        phase=Phase.MOVE,
        title=f"Set the encryption key of {name} to the new version, or without a version so that it follows",
        text=f"{_broken(each)}It wraps its data keys again. The old version has to stay enabled until it has.",
        back="set the old version again",
        commands=(of_storage,) if each.what == "storage" else (),
    )


def _check(found: Rotation) -> Step:
    return Step(
        phase=Phase.CHECK,
        title="Read again with the logs, and check that everybody has moved",
        text=f"Exit code 0 says so. The logs have to be complete for {LONG_ENOUGH // DAY} days after the new version was made.",
        commands=(f"keyaudit rotation {word(found.target)} --import logs=DIR",),
    )


def _retire(found: Rotation) -> Iterator[Step]:
    if found.wraps:
        yield Step(phase=Phase.RETIRE, title="Keep the old versions enabled", text=WRAPS)
        return
    shown = found.begun and found.verdict.exit is Exit.CLEAN
    wait = "No command is printed, because it is not shown that all have moved and the old one is idle. " if not shown else ""
    commands, back = _retiring(found)
    yield Step(
        phase=Phase.RETIRE,
        title="Disable the old versions" if found.vault else "Remove the old credentials",
        text=f"{wait}Everything that still uses the old one stops working.",
        back=back,
        commands=commands if shown else (),
    )
    verify = [word(each.id.rpartition("/")[2]) for each in found.old]
    proofs = [f"keyaudit incident {each} --verify --since DIR" for each in verify]
    yield Step(
        phase=Phase.PROVE,
        title="Read again, and check that nobody tried to use the old one"
        if found.vault
        else "Check that nothing accepts the old one",
        text="A refused use is in the logs, too." if found.vault else "DIR is a snapshot from before the removal.",
        commands=(f"keyaudit rotation {word(found.target)} --import logs=DIR",) if found.vault else tuple(proofs),
    )


def _retiring(found: Rotation) -> tuple[Sequence[str], str]:
    """The commands that retire old versions, and how to go back."""
    if not found.vault:
        deletions = []
        for each in found.consumers:
            if each.kind is Kind.IDENTITY and each.key_id and each.holder and each.why is Why.IDLE:
                deletions.append(f"{_credential(each, 'list')}{_certificate(each)}")
                key = option_word("--key-id", each.key_id)
                deletions.append(f"{_credential(each, 'delete')} {key}{_certificate(each)}")
        return tuple(deletions), "a removed credential cannot be restored: add another one, and deploy it"
    enabled = [each for each in found.old if each.enabled is not False]
    return (
        tuple(f"az keyvault {found.noun} set-attributes {_id(each)} --enabled false" for each in enabled),
        "run the same command with --enabled true",
    )


def _credential(each: Consumer, what: str) -> str:
    return f"az ad {each.holder} credential {what} {option_word('--id', each.id)}"


def _certificate(each: Consumer, file: str = "") -> str:
    """The option for a certificate, with a quoted file."""
    return f" --cert{file}" if each.held.startswith("certificate") else ""


def _thing(found: Rotation) -> str:
    return found.target.rstrip("/").rpartition("/")[2]
