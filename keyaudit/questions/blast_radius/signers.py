"""The steps for relying parties, domains, published keys and certificate authorities that accept a key's signatures."""

from collections.abc import Iterator

from keyaudit.model.values.text import one_line
from keyaudit.questions.blast_radius.answer import BlastRadius, Edge, Kind
from keyaudit.report.steps import Phase, Step, option_word, powershell_word

_ADFS = "Update-AdfsCertificate -CertificateType Token-Signing -Urgent"


def signer(found: BlastRadius, edge: Edge) -> Iterator[Step]:
    """The steps for an application, domain or identity provider whose tokens are signed with the key."""
    node = found.nodes[edge.target]
    name, thumbprint = one_line(node.name), one_line(edge.names)
    if node.kind is Kind.DOMAIN:
        yield from _domain(name, thumbprint, edge)
    elif node.kind is Kind.PROVIDER:
        yield from _provider(name, thumbprint, edge)
    else:
        yield from _relying_party(name, thumbprint, edge)


def _provider(name: str, thumbprint: str, edge: Edge) -> Iterator[Step]:
    yield Step(
        phase=Phase.REPLACE,
        title=f"Have {name} sign with a new key",
        breaks=f"sign-ins of guests from {name}, until Entra has the new certificate",
    )
    yield Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Replace the certificate {thumbprint} of the identity provider {name} with the new one",
        text="External Identities, All identity providers, in the Microsoft Entra admin center.",
        breaks="tokens that are signed with the old key",
    )


def _relying_party(name: str, thumbprint: str, edge: Edge) -> Iterator[Step]:
    id_ = edge.target.rpartition("/")[2]
    in_powershell = powershell_word(id_)
    yield Step(
        phase=Phase.REPLACE,
        title=f"Give {name} a new token-signing certificate, and make it the active one",
        text="Give the other side the new federation metadata between the two commands. If the active certificate has expired,"
        " Entra signs with the new one as soon as it exists: have the other side ready before the first command.",
        breaks=f"sign-ins at {name}, from the switch until the other side trusts the new certificate",
        commands=(
            f"Add-MgServicePrincipalTokenSigningCertificate -ServicePrincipalId {in_powershell} -DisplayName CN=saml",
            f"Update-MgServicePrincipal -ServicePrincipalId {in_powershell} -PreferredTokenSigningKeyThumbprint NEW-THUMBPRINT",
        ),
        language="powershell",
    )
    used = (
        "No command is printed, because it is, or may be, the active certificate, with which Entra signs: make the new one"
        " active first, read again, and run this again."
    )
    delete: tuple[str, ...] = ()
    if edge.facts.get("active") == "false":
        used = (
            "Entra does not sign with it any more. The first command lists key ids: use those of the old certificate, which has"
            " one to sign and one to verify."
        )
        delete = (f"az ad sp credential delete {option_word('--id', id_)} --key-id KEY-ID --cert",)
    yield Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Remove the token-signing certificate {thumbprint} from {name}",
        text=f"{used} Then have the operators of {name} stop trusting it: until they do, they accept tokens that its holder"
        " signs, and Azure cannot show it.",
        breaks="parties that trust only the old certificate",
        commands=(f"az ad sp credential list {option_word('--id', id_)} --cert --output table", *delete),
    )


def _domain(name: str, thumbprint: str, edge: Edge) -> Iterator[Step]:
    config = f"$f = Get-MgDomainFederationConfiguration -DomainId {powershell_word(name)}"
    update = f"Update-MgDomainFederationConfiguration -DomainId {powershell_word(name)} -InternalDomainFederationId $f.Id"
    yield Step(
        phase=Phase.BLOCK,
        title=f"Have Entra ask users of {name} for a second factor itself",
        text="A forged token then no longer counts as a second factor, wherever one is required.",
        breaks=f"a second factor that the identity provider of {name} asked for no longer counts",
        commands=(config, f"{update} -BodyParameter @{{federatedIdpMfaBehavior = 'rejectMfaByFederatedIdp'}}"),
        language="powershell",
    )
    yield Step(
        phase=Phase.REPLACE,
        title=f"Rotate the signing certificate of {name} once",
        text="Run the first command on the AD FS server. Then set the new certificate in Entra.",
        breaks=f"sign-ins of {name}, and at everything that trusts its identity provider, until they have the new certificate",
        commands=(_ADFS, config, f"{update} -BodyParameter @{{signingCertificate = 'NEW-CERTIFICATE'}}"),
        language="powershell",
    )
    both = "@{signingCertificate = 'NEW-CERTIFICATE'; nextSigningCertificate = $null}"
    yield Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Rotate the signing certificate of {name} again, until {thumbprint} is neither its current nor its next one",
        text="Entra accepts both, and one rotation can leave the old certificate in the other place.",
        breaks=f"sign-ins of {name}, once more",
        commands=(_ADFS, config, f"{update} -BodyParameter {both}"),
        language="powershell",
    )
    yield Step(
        phase=Phase.REVOKE,
        title=f"End the sessions of the users of {name}",
        text="Do so for each of them: a session that began with a forged token outlives the certificate.",
        breaks="they sign in again",
        commands=("Revoke-MgUserSignInSession -UserId USER",),
        language="powershell",
    )


def published(found: BlastRadius, edge: Edge) -> Iterator[Step]:
    """The steps for a published key."""
    name, key_set = one_line(found.nodes[edge.target].name), one_line(edge.facts.get("key_set", ""))
    text = {
        "entra": "Only Microsoft can withdraw it: open a support case. Until then, have relying parties refuse this key id.",
        "application": "It is published as long as it is a token-signing certificate of the application: remove it there.",
        "b2c": f"Make a new key in the key set {key_set}, and remove this one once its tokens have expired.",
    }.get(edge.facts.get("kind", ""), "")
    yield Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Remove the key {name} from the published keys",
        text=text,
        breaks="tokens that were signed with it",
    )
    yield Step(
        phase=Phase.REVOKE,
        title=f"Have relying parties fetch the published keys again, once {name} is removed",
        text="A cached or pinned copy of it stays trusted until it is removed.",
        breaks="nothing",
    )


def authority(found: BlastRadius, edge: Edge) -> Iterator[Step]:
    """The steps for a certificate authority whose certificates sign in users or applications."""
    name = one_line(found.nodes[edge.target].name)
    yield Step(
        phase=Phase.REPLACE,
        title=f"Issue new certificates, from another CA, to everybody who signs in with one from {name}",
        breaks="nothing",
    )
    yield Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Remove the authority {one_line(edge.names)} from the store {name}",
        text=(
            "Microsoft Entra admin center, Entra ID, Identity Secure Score, Public key infrastructure; in the older store,"
            " Certificate authorities. An application's trusted authorities are removed in Microsoft Graph."
        ),
        breaks="sign-in with every certificate that it issued",
    )
