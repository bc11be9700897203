"""The steps for vaults that store a key, and for services that encrypt with it."""

from collections.abc import Iterator

from keyaudit.model.blast_radius import BlastRadius, Edge, Kind, Relation
from keyaudit.model.tables.key import OUTSIDE
from keyaudit.model.text import one_line
from keyaudit.report.blast_radius import grants
from keyaudit.report.blast_radius.steps import Phase, Step, option_word
from keyaudit.report.blast_radius.work import decided
from keyaudit.report.lines import listed


def kept(found: BlastRadius, edge: Edge) -> Iterator[Step]:
    """The steps for a version of a key or certificate in a vault or Managed HSM."""
    facts = edge.facts
    vault, thing = facts.get("vault_name", ""), facts["thing_id"].rpartition("/")[2]
    shown = one_line(f"{vault}/{thing}")
    users = [use for use in found.edges if use.relation is Relation.USED_BY and use.source == edge.target]
    if users:
        yield grants.cut_off(found, edge, shown, users)
    option = "--hsm-name" if "/managedhsms/" in facts["vault_id"] else "--vault-name"
    place, text = f"{option_word(option, vault)} {option_word('--name', thing)}", ""
    make = f"az keyvault key rotate {place}"
    if facts.get("custody") == OUTSIDE:
        make = f"az keyvault key create {place} --external-key-id EXTERNAL_KEY_ID"
        text = "First make the new key in your own HSM; EXTERNAL_KEY_ID is its id at the EKM proxy."
    disable = f"az keyvault key set-attributes {option_word('--id', edge.target)} --enabled false"
    if facts["noun"] == "certificate":
        make = f"az keyvault certificate create {place} --policy '@policy.json'"
        text = (
            "policy.json is the member policy that az keyvault certificate show prints. In it, set reuseKey and exportable to "
            "false; otherwise the new version has the old key."
        )
        version = option_word("--version", facts.get("version", ""))
        disable = f"az keyvault certificate set-attributes {place} {version} --enabled false"
    yield Step(
        phase=Phase.REPLACE,
        makes=True,
        title=f"Make a new version of {shown}, on a new key",
        text=text,
        breaks="holders of the public key need the new one; a service that follows the key picks it up by itself",
        commands=(make,),
    )
    work = found.worked(edge.target)
    served = _served(found, edge)
    why = f"No command is printed, because it is in use: {listed(served)} encrypts with it." if served else decided(found, work)
    yield Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Disable {one_line(found.nodes[edge.target].name)}",
        text=f"The vault then refuses to use it; to go back, enable it again. {why} A copy of the private key outside the vault"
        " still works: services have to stop trusting it.",
        breaks="everything that still uses it; data that it wrapped is unreadable until it is enabled again",
        commands=(disable,) if work.may_end and not served else (),
    )


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
