"""What a key opens: a graph of what trusts it and of what its holder can become and reach, each edge certain or unknown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from keyaudit.model.access import Way
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import Reason
from keyaudit.model.run import Run, Verdict
from keyaudit.model.stolen_keys import Stolen


class Kind(StrEnum):
    """What a node is."""

    SUBJECT = "subject"
    """What was asked about."""
    KEY = "key"
    CERTIFICATE = "certificate"
    PRINCIPAL = "principal"
    """Who can use a key of a vault."""
    IDENTITY = "application"
    """An application and its service principal here, which are one; or a managed identity."""
    AGENT = "agent-identity"
    """It signs in by the credentials of its blueprint."""
    RELYING_PARTY = "relying-party"
    DOMAIN = "federated-domain"
    PROVIDER = "identity-provider"
    ISSUER = "issuer-key"
    AUTHORITY = "certificate-authority"
    SERVICE = "service"
    """A service that encrypts with a key of a vault."""
    PERMISSION = "permission"
    ROLE = "directory-role"
    AZURE_ROLE = "azure-role"
    """Over more than a vault."""
    VAULT = "vault"
    USERS = "users"
    TENANT = "tenant"
    TENANTS = "other-tenants"
    UNSEEN = "unknown"
    """What was not read, and may be anything of its kind."""


class Relation(StrEnum):
    """What an edge means, from its source to its target."""

    KEPT_IN = "kept-in"
    SIGNS_IN_AS = "signs-in-as"
    SIGNS_TOKENS_FOR = "signs-tokens-for"
    PUBLISHED_AS = "published-as"
    ISSUES_FOR = "issues-certificates-for"
    ENCRYPTS = "encrypts"
    USED_BY = "used-by"
    HOLDS = "holds"
    REACHES = "reaches"
    OPENS = "opens"
    """The holder of a right on a vault can use that key, or take it out."""
    SPEAKS_FOR = "speaks-for"
    CONTROLS = "controls"


TRUSTS = (
    Relation.KEPT_IN,
    Relation.SIGNS_IN_AS,
    Relation.SIGNS_TOKENS_FOR,
    Relation.PUBLISHED_AS,
    Relation.ISSUES_FOR,
    Relation.ENCRYPTS,
)
"""The relations whose target accepts, or works with, what their source is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A thing in the graph. `name` and `id` are the tenant's text."""

    id: str
    kind: Kind
    name: str
    note: str = ""
    """What else there is to say of it, in words of our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A step of a path. With `doubt` it is not known to hold, and why; to a node that is unseen, there may be any number."""

    source: str
    target: str
    relation: Relation
    how: str = ""
    """By what it holds, in words of our own."""
    names: str = ""
    """What the tenant calls that, or its id."""
    way: Way | None = None
    """The grant that it rests on."""
    doubt: Reason | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    """Ids that a plan needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlastRadius:
    """The graph of one subject, as far as it was read. Edges are in the order of a walk from the subject."""

    run: Run
    verdict: Verdict
    target: str
    """By what the subject can be asked about again."""
    subject: Node
    digests: Sequence[str]
    """SHA-256 of the public keys that it was found to be, in upper-case hex."""
    nodes: Mapping[str, Node]
    edges: Sequence[Edge]
    verify: bool
    """It was asked whether anything accepts the subject still: what its holder reaches was not looked for."""
    gone: bool = False
    """Only the earlier snapshot has the subject."""
    stolen: Stolen | None = None
    """What is publicly known of its theft."""
    kept_in: str = ""
    """The folder of the snapshot that this is read from; empty where none stays."""

    def trusting(self) -> list[Edge]:
        """The edges from the subject to what accepts it, unknown ones too."""
        return [edge for edge in self.edges if edge.source == self.subject.id and edge.relation in TRUSTS]

    @property
    def held(self) -> set[Exit]:
        """What the graph itself says of the run: something unknown in it, or to verify, something that accepts the subject."""
        # What was left out on purpose may accept it all the same.
        settled = {Reason.NOT_SUPPLIED, Reason.NOT_IN_CLOUD} | (set() if self.verify else {Reason.EXCLUDED_BY_CONFIG})
        unknown = {edge.doubt for edge in self.edges if edge.doubt is not None} - settled
        accepted = {Exit.FINDINGS} if self.verify and any(edge.doubt is None for edge in self.accepting()) else set()
        return accepted | ({Exit.INCOMPLETE} if unknown else set())

    def accepting(self) -> list[Edge]:
        """Those of them that lead to a thing that is there, for certain or not."""
        return [edge for edge in self.trusting() if self.nodes[edge.target].kind is not Kind.UNSEEN]
