"""The steps for vaults that store a key, and for services that encrypt with it."""

from collections.abc import Iterator

from msgspec.structs import replace

from keyaudit.model.tables.vaults.key import OUTSIDE
from keyaudit.model.values.text import one_line
from keyaudit.model.values.times import DAY, iso_date
from keyaudit.questions.blast_radius import grants
from keyaudit.questions.blast_radius.activity import UNKNOWN
from keyaudit.questions.blast_radius.answer import BlastRadius, Edge, Kind, Relation
from keyaudit.questions.blast_radius.work import decided, ends
from keyaudit.report.lines import listed
from keyaudit.report.steps import Phase, Step, option_word, word


def kept(found: BlastRadius, edge: Edge) -> Iterator[Step]:
    """The steps for a version of a key or certificate in a vault or Managed HSM."""
    facts = edge.facts
    vault, thing = facts.get("vault_name", ""), facts["thing_id"].rpartition("/")[2]
    shown = one_line(f"{vault}/{thing}")
    users = [use for use in found.edges if use.relation is Relation.USED_BY and use.source == edge.target]
    if users:
        yield from grants.cut_off(found, edge, shown, users)
    option = "--hsm-name" if "/managedhsms/" in facts["vault_id"] else "--vault-name"
    place, text = f"{option_word(option, vault)} {option_word('--name', thing)}", ""
    make = f"az keyvault key rotate {place}"
    if facts.get("custody") == OUTSIDE:
        make = f"az keyvault key create {place} --external-key-id EXTERNAL_KEY_ID"
        text = "First make the new key in your own HSM; EXTERNAL_KEY_ID is its id at the EKM proxy."
    disable = f"az keyvault {facts['noun']} set-attributes {option_word('--id', edge.target)} --enabled false"
    if facts["noun"] == "certificate":
        make = f"az keyvault certificate create {place} --policy '@policy.json'"
        text = (
            "policy.json is the member policy that az keyvault certificate show prints. In it, set reuseKey and exportable to "
            "false; otherwise the new version has the old key."
        )
        version = option_word("--version", facts.get("version", ""))
        disable = f"az keyvault certificate set-attributes {place} {version} --enabled false"
    stops = "everything that still uses it; data that it wrapped is unreadable until it is enabled again"
    breaks = "holders of the public key need the new one; a service that follows the key picks it up by itself"
    copy = "A copy of the private key outside the vault still works: services have to stop trusting it."
    if facts["noun"] == "secret":
        make = f"az keyvault secret set {place} --file new-secret.txt"
        text = "First have its owner make a new value where it comes from, beside the old one where that has two."
        breaks = "consumers that cached the old value, once that is revoked"
        stops = "everything that still reads it"
        copy = "A copy of the value still works: the service that accepts it has to stop doing so."
    yield Step(
        phase=Phase.REPLACE,
        makes=True,
        title=f"Make a new version of {shown}, {'with a new value' if facts['noun'] == 'secret' else 'on a new key'}",
        text=text,
        breaks=breaks,
        commands=(make,),
    )
    work = found.worked(edge.target)
    served = _served(found, edge)
    why = decided(found, work, grants.at_work(found, edge, users))
    if served:
        why = f"No command is printed, because it is in use: {listed(served)} encrypts with it."
    version = one_line(found.nodes[edge.target].name)
    off = Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Disable {version}",
        text=f"The vault then refuses to use it; to go back, run the command with --enabled true. {why} {copy}",
        breaks=stops,
        commands=(disable,) if ends(found, work) and not served else (),
    )
    if off.commands and not work.may_end:
        which = (
            "Do this first if somebody is abusing it in the vault now. If nothing shows that, avoid the outage: make the new"
            " version, move its users, and disable this one then, as below."
        )
        left = [each.usual_on for each in work.used if each.outside and each.usual_on and each.usual_on + DAY < each.last_on]
        if left:
            which = f"Do this first: every use since {iso_date(max(left))} is outside the baseline."
        which += f" To see that it worked: az keyvault {facts['noun']} list-versions {place} lists it with enabled false."
        yield replace(off, phase=Phase.BLOCK, settles=None, title=f"Disable {version} now", text=f"{off.text} {which}")
    yield off


def _served(found: BlastRadius, edge: Edge) -> list[str]:
    """The services that encrypt with that version, or may."""
    key_id = edge.facts["thing_id"].replace("/certificates/", "/keys/").lower()
    version = edge.facts.get("version", "").lower()
    return [
        one_line(found.nodes[each.target].name)
        for each in found.edges
        if each.relation is Relation.ENCRYPTS
        and (found.nodes[each.target].kind is Kind.UNSEEN or each.facts["key_id"].lower() == key_id)
        and (each.doubt is not None or each.names.lower() in (version, "unknown"))
    ]


def of_secret(found: BlastRadius) -> Iterator[Step]:
    """The steps for the services that use a secret, and for what accepts it, where nothing names that."""
    used = [edge for edge in found.edges if edge.relation is Relation.GIVEN_TO]
    names = sorted({one_line(found.nodes[edge.target].name) for edge in used if found.nodes[edge.target].kind is Kind.SERVICE})
    unread = " Others may use it: not all was read." if any(edge.doubt for edge in used) else ""
    told = f"Set to use it: {listed(names)}." if names else "No service that was read is set to use it."
    yield Step(
        phase=Phase.REPLACE,
        title=f"Move everything that uses {one_line(found.subject.name)} to the new version",
        text=f"{told}{unread} Programs read it by themselves: the log of the vault names them, and the command lists both.",
        breaks="nothing, while the old value works",
        commands=(f"keyaudit rotation {word(found.target)}",),
    )
    if any(edge.relation is Relation.ADMITS and found.nodes[edge.target].kind is Kind.UNSEEN for edge in found.edges):
        yield Step(
            phase=Phase.REVOKE,
            title=f"Have the owner of {one_line(found.subject.name)} revoke the old value where it is accepted",
            text=(
                "keyaudit does not know where that is, so no command is printed. If the value is being abused now, do this"
                " first. A tag with the key id of an application's credential, or the tags ProviderAddress and CredentialId of"
                " an account's key, let keyaudit name it the next time."
            ),
            breaks="everything that still uses the old value",
        )


def account(found: BlastRadius, edge: Edge) -> Iterator[Step]:
    """The step for an account whose key the secret holds."""
    name, slot = one_line(found.nodes[edge.target].name), edge.names
    place = " ".join(
        option_word(option, edge.facts[fact])
        for option, fact in (("--account-name", "name"), ("--resource-group", "group"), ("--subscription", "subscription"))
    )
    # https://learn.microsoft.com/cli/azure/storage/account/keys#az-storage-account-keys-renew
    renew = f"az storage account keys renew {place} {option_word('--key', slot)}"
    known = edge.facts["kind"] == "microsoft.storage/storageaccounts" and slot in ("key1", "key2")
    yield Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Regenerate credential {one_line(slot or 'that it holds')} of {name}",
        text="Its tag says so: compare it with the account first. The old value ends at once and cannot be restored, with every"
        f" shared access signature that was made with it. {decided(found, UNKNOWN)}",
        breaks="everything that still uses the old value",
        commands=(renew,) if known and ends(found, UNKNOWN) else (),
    )


def service(found: BlastRadius, edge: Edge) -> Iterator[Step]:
    """The steps for a service that encrypts with the key."""
    name, key_id = one_line(found.nodes[edge.target].name), one_line(edge.facts["key_id"])
    vault_uri, _, thing = edge.facts["key_id"].partition("/keys/")
    of_storage = (
        f"az storage account update {option_word('--ids', edge.target)} --encryption-key-source Microsoft.Keyvault"
        f" {option_word('--encryption-key-vault', vault_uri)} {option_word('--encryption-key-name', thing)}"
        " --encryption-key-version ''"
    )
    yield Step(
        phase=Phase.REPLACE,
        settles=edge,
        title=f"Move {name} to a new version of the key",
        text=(
            f"Set its encryption to {key_id} without a version. It wraps its keys again: check that it uses the new version"
            " before the old one is disabled."
        ),
        breaks=f"nothing, while the old version stays enabled; disabled too early, the data of {name} cannot be read",
        commands=(of_storage,) if edge.facts["kind"] == "storage" else (),
    )
