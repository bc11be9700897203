"""The steps for applications that sign in with a key."""

from collections.abc import Iterator

from keyaudit.model.directory.first_party import FIRST_PARTY
from keyaudit.model.reasons import Reason
from keyaudit.model.values.text import one_line
from keyaudit.questions.blast_radius.activity import UNKNOWN, Source, Work, credential
from keyaudit.questions.blast_radius.answer import BlastRadius, Edge, Relation
from keyaudit.questions.blast_radius.work import decided, ends, suspected
from keyaudit.report.steps import Phase, Step, option_word, word


def identity(found: BlastRadius, edge: Edge) -> Iterator[Step]:
    """The steps for an application that has the key as a credential, or on its service principal."""
    name = one_line(found.nodes[edge.target].name)
    if _is_managed(edge):
        yield from _managed(name, edge)
        return
    of = "app" if edge.facts["holder_kind"] == "application" else "sp"
    if edge.target in FIRST_PARTY:
        yield _of_microsoft(found, name, of, edge)
        return
    title = f"Stop {name} from signing in, if the key is being abused now"
    yield stopped(found, edge.target, _id(edge), title=title, name=name, doubt=edge.doubt)
    if edge.facts.get("kind") == "federated":
        yield _unfederated(found, name, of, edge)
    else:
        yield from _exchanged(found, name, of, edge)


def stopped(found: BlastRadius, app: str, id_: str, *, title: str, name: str, doubt: Reason | None = None) -> Step:
    """The step that stops an application from signing in; without a command if it may be at work, unless a theft is stated.

    `doubt`: why it may not have the stolen key.
    """
    work = found.worked(app)
    printed = ends(found, work, doubt) or work.only_outside
    users = " The imported logs do not show users who sign in through it." if printed and found.logged else ""
    # https://learn.microsoft.com/entra/identity/enterprise-apps/disable-user-sign-in-portal: no token is issued for it then.
    after = (
        f"{_which(found, app, work)} To see that it worked: az ad sp show {id_} --query accountEnabled prints false."
        f" To go back: az ad sp update {id_} --set accountEnabled=true."
    )
    return Step(
        phase=Phase.BLOCK,
        stops=app.lower(),
        title=title,
        text=f"{suspected(found, work, name, doubt)}{users}{after if printed else ''}",
        breaks=(
            f"everything that signs in as {name}; existing access tokens stay valid until they expire"
            " (60 to 90 minutes by default)"
        ),
        commands=(f"az ad sp update {id_} --set accountEnabled=false",) if printed else (),
    )


def _which(found: BlastRadius, app: str, work: Work) -> str:
    """Whether to stop an application first, or to replace its credential without an outage, if a theft is stated."""
    if not found.stated or work.may_end:
        return ""
    if any(edge.relation is Relation.CONTROLS and edge.source == app.lower() for edge in found.edges):
        return " Do this first: it can, or may be able to, take over the tenant, which costs more than its outage."
    if any(each.outside for each in work.used):
        return " Do this first, unless its owner explains the uses outside the baseline."
    return (
        " Do this first if it is being abused now. If nothing shows that, avoid the outage: add and deploy the new credential,"
        " and remove the stolen one as soon as it is deployed, as below."
    )


def _of_microsoft(found: BlastRadius, name: str, of: str, edge: Edge) -> Step:
    """The step for a credential on a principal of Microsoft: it goes, and the service stays."""
    key_id = edge.facts.get("key_id", "")
    work = _work(found, edge)
    flag = " --cert" if edge.facts.get("kind") == "certificate" else ""
    delete = f"az ad {of} credential delete {_id(edge)} {option_word('--key-id', key_id)}{flag}"
    return Step(
        phase=Phase.BLOCK,
        settles=edge,
        title=f"Remove the {edge.how} {one_line(edge.names)} from {name}",
        text=(
            f"{name} is Microsoft's and signs in without it, so the service stays as it is. Servers of your own may sign in"
            " with it, such as Exchange, SharePoint or NPS in a hybrid setup: look for its thumbprint there first."
            f" {decided(found, work, 'them', edge.doubt)} {_KEPT_OUTPUT}"
        ),
        breaks="servers of your own that sign in with it",
        commands=(
            f"az ad {of} credential list {_id(edge)}{flag}",
            *((delete,) if key_id and ends(found, work, edge.doubt) else ()),
        ),
    )


_KEPT_OUTPUT = (
    "Keep the output of the first command. A certificate can be added again from its public part; a client secret cannot be"
    " restored, only replaced."
)


def again(found: BlastRadius, edge: Edge) -> Step:
    """The step that enables the application again, after all others."""
    return Step(
        phase=Phase.REVOKE,
        title=f"Let {one_line(found.nodes[edge.target].name)} sign in again, if it was stopped",
        breaks="nothing",
        commands=(f"az ad sp update {_id(edge)} --set accountEnabled=true",),
    )


def can_be_stopped(edge: Edge) -> bool:
    """Whether the plan has a step that stops it from signing in: it is neither a managed identity nor Microsoft's."""
    return not _is_managed(edge) and edge.target not in FIRST_PARTY


def _is_managed(edge: Edge) -> bool:
    """Whether it signs in a managed identity, whose credential Azure manages."""
    return edge.facts["holder_kind"] == "managed_identity" or edge.facts.get("holder_type") == "ManagedIdentity"


def _exchanged(found: BlastRadius, name: str, of: str, edge: Edge) -> Iterator[Step]:
    """The step for a certificate or secret: add a new one, then remove the old one."""
    if edge.facts.get("blueprint"):
        yield from _of_blueprint(found, name, edge)
        return
    flag = " --cert" if edge.facts.get("kind") == "certificate" else ""
    new = f"{flag} '@new.pem'" if flag else ""
    yield Step(
        phase=Phase.REPLACE,
        title=f"Add a new credential to {name}, and deploy it",
        text=(
            "Best is none that can be stolen: a managed identity, or workload identity federation."
            " --append leaves the old one in place until the program has the new one."
        ),
        breaks="nothing",
        commands=(f"az ad {of} credential reset {_id(edge)} --append{new}",),
    )
    key_id = edge.facts.get("key_id")
    delete = f"az ad {of} credential delete {_id(edge)} {option_word('--key-id', key_id or '')}{flag}"
    work = _work(found, edge)
    yield Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Remove the {edge.how} {one_line(edge.names)} from {name}",
        text=f"{_once(found, work)}{decided(found, work, name, edge.doubt)} {_KEPT_OUTPUT}"
        if key_id
        else "Its key id was not read: the command lists the credentials that there are.",
        breaks=(
            "every program that still signs in with the old one; existing access tokens stay valid until they expire"
            " (60 to 90 minutes by default)"
        ),
        commands=(
            f"az ad {of} credential list {_id(edge)}{flag}",
            *((delete,) if key_id and ends(found, work, edge.doubt) else ()),
        ),
    )


def _once(found: BlastRadius, work: Work) -> str:
    return "First deploy the new credential, or stop the application. " if found.stated and not work.may_end else ""


def _of_blueprint(found: BlastRadius, name: str, edge: Edge) -> Iterator[Step]:
    """The steps for an agent identity blueprint. Adding and removing its credentials are operations of Microsoft Graph alone.

    https://learn.microsoft.com/graph/api/agentidentityblueprint-removepassword
    """
    yield Step(
        phase=Phase.REPLACE,
        title=f"Add a new credential to blueprint {name}, and deploy it to all of its agents",
        text=(
            "Best is a federated credential: a managed identity if the agents run in Azure, or workload identity federation."
            " Adding another takes Microsoft Graph and its permission AgentIdentityBlueprint.AddRemoveCreds.All;"
            " az ad app credential does not apply to a blueprint."
        ),
        breaks="nothing",
    )
    yield Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Remove the {edge.how} {one_line(edge.names)} from blueprint {name}",
        text=f"With Microsoft Graph and the same permission. {decided(found, _work(found, edge))}",
        breaks=(
            "every agent of it that still signs in with the old one; existing access tokens stay valid until they expire"
            " (60 to 90 minutes by default)"
        ),
    )


def _unfederated(found: BlastRadius, name: str, of: str, edge: Edge) -> Step:
    delete = f"az ad app federated-credential delete {_id(edge)} {option_word('--federated-credential-id', edge.names)}"
    work = _work(found, edge)
    return Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Remove the {edge.how} {one_line(edge.names)} from {name}",
        text=(
            "Or set its issuer and subject to ones that are not in doubt. That of a service principal is removed in Microsoft"
            f" Graph. {_once(found, work)}{decided(found, work, name, edge.doubt)} Keep the output of the first command, to add"
            " it again."
        ),
        breaks="sign-in with tokens of that issuer and subject",
        commands=(f"az ad app federated-credential list {_id(edge)}", *((delete,) if ends(found, work, edge.doubt) else ()))
        if of == "app"
        else (),
    )


def _work(found: BlastRadius, edge: Edge) -> Work:
    """The evidence about a credential. A sign-in of its application that no log shows may have been with it."""
    key_id = edge.facts.get("key_id")
    own = found.worked(credential(key_id)) if key_id else UNKNOWN
    unshown = [each for each in found.worked(edge.target).used if each.source is Source.SIGN_INS]
    return Work(used=own.used or unshown, covered=own.covered)


def _managed(name: str, edge: Edge) -> Iterator[Step]:
    yield Step(
        phase=Phase.BLOCK,
        title=f"Remove the roles and permissions of the managed identity {name}",
        text="The command shows them.",
        breaks=f"everything that runs as {name}",
        commands=(f"keyaudit access {word(edge.target)}",),
    )
    yield Step(
        phase=Phase.REVOKE,
        settles=edge,
        title=f"Move its workloads to another identity, then delete {name}",
        text="Only Azure can remove the credential of a managed identity.",
        breaks=f"everything that still runs as {name}",
    )


def _id(edge: Edge) -> str:
    return option_word("--id", edge.facts.get("app_id") or edge.target.rpartition("/")[2])
