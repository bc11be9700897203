"""The blast radius of a key: a graph of the objects that trust it and of what its holder can access. Edges can be unknown."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, field

from keyaudit.model.errors import Exit
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Run, Verdict
from keyaudit.model.stolen_keys import Stolen
from keyaudit.questions.access.answer import Way
from keyaudit.questions.blast_radius.activity import UNKNOWN, Work


class Kind(StrEnum):
    """Kinds of nodes."""

    SUBJECT = "subject"
    """The subject of the question."""
    KEY = "key"
    CERTIFICATE = "certificate"
    SECRET = "secret"  # noqa: S105 - a word
    PRINCIPAL = "principal"
    """Who can use a key of a vault, or read a secret."""
    IDENTITY = "application"
    """An application together with its service principal here, or a managed identity."""
    AGENT = "agent-identity"
    """An agent identity, which signs in with the credentials of its blueprint."""
    RELYING_PARTY = "relying-party"
    DOMAIN = "federated-domain"
    PROVIDER = "identity-provider"
    ISSUER = "issuer-key"
    AUTHORITY = "certificate-authority"
    SERVICE = "service"
    """A service that encrypts with a key of a vault, uses a secret, or accepts its value."""
    PERMISSION = "permission"
    ROLE = "directory-role"
    AZURE_ROLE = "azure-role"
    """A role whose scope is wider than one vault."""
    VAULT = "vault"
    USERS = "users"
    TENANT = "tenant"
    TENANTS = "other-tenants"
    UNSEEN = "unknown"
    """Stands for any number of objects that were not read."""


class Relation(StrEnum):
    """What an edge means, from its source to its target."""

    KEPT_IN = "kept-in"
    SIGNS_IN_AS = "signs-in-as"
    SIGNS_TOKENS_FOR = "signs-tokens-for"
    PUBLISHED_AS = "published-as"
    ISSUES_FOR = "issues-certificates-for"
    ENCRYPTS = "encrypts"
    ADMITS = "admits-to"
    """The target accepts the value of the secret."""
    GIVEN_TO = "given-to"
    """The target is set to use the secret."""
    USED_BY = "used-by"
    HOLDS = "holds"
    REACHES = "reaches"
    OPENS = "opens"
    """The holder of a permission on a vault can use that key, or download it."""
    SPEAKS_FOR = "speaks-for"
    CONTROLS = "controls"


TRUSTS = (
    Relation.KEPT_IN,
    Relation.SIGNS_IN_AS,
    Relation.SIGNS_TOKENS_FOR,
    Relation.PUBLISHED_AS,
    Relation.ISSUES_FOR,
    Relation.ENCRYPTS,
    Relation.ADMITS,
)
"""The relations whose target accepts or uses the source."""


class Node(Struct, frozen=True, kw_only=True):
    """A thing in the graph. `name` and `id` are the tenant's text."""

    id: str
    kind: Kind
    name: str
    note: str = ""
    """A further description, in our own words."""


class Edge(Struct, frozen=True, kw_only=True):
    """A step of a path. `doubt` says why it is uncertain. An edge to an unseen node stands for any number of edges."""

    source: str
    target: str
    relation: Relation
    how: str = ""
    """What gives this relation, in our own words."""
    names: str = ""
    """The name or id of the same in the tenant."""
    way: Way | None = None
    """The grant that it comes from."""
    doubt: Reason | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    """Ids that a plan needs."""


class BlastRadius(Struct, frozen=True, kw_only=True):
    """The graph of one subject. Edges are in the order of a walk from the subject."""

    run: Run
    verdict: Verdict
    target: str
    """A name or id with which the subject can be queried again."""
    subject: Node
    digests: Sequence[str]
    """SHA-256 of its public keys, in upper-case hex."""
    nodes: Mapping[str, Node]
    edges: Sequence[Edge]
    verify: bool
    """The question was only whether anything still accepts the subject; what its holder can access was not computed."""
    gone: bool = False
    """The subject is only in the earlier snapshot."""
    stolen: Stolen | None = None
    """What is publicly known of its theft."""
    kept_in: str = ""
    """The folder of the snapshot; empty if none is kept."""
    work: Mapping[str, Work] = field(default_factory=dict)
    """Who and what is in use, by the ids of key versions and applications, and by `credential` and `in_vault`."""
    logged: bool = False
    """Whether logs were supplied for `work`."""
    stated: bool = False
    """Somebody states that it was stolen. It is in use then, so each step has its command, and says what that stops."""
    serving: frozenset[str] = frozenset()
    """The addresses of vaults with keys that services encrypt with, as identities that the inventory does not name."""

    def worked(self, name: str) -> Work:
        """The evidence about one of these, in any case; unknown if there is none."""
        return self.work.get(name.lower(), UNKNOWN)

    def trusting(self) -> list[Edge]:
        """The edges from the subject to what accepts it, unknown ones too."""
        return [edge for edge in self.edges if edge.source == self.subject.id and edge.relation in TRUSTS]

    @property
    def held(self) -> set[Exit]:
        """The exit codes that the graph itself causes: for unknown edges, and with --verify for objects that accept the
        subject.
        """
        # An object excluded by configuration may accept it too.
        settled = {Reason.NOT_SUPPLIED, Reason.NOT_IN_CLOUD} | (set() if self.verify else {Reason.EXCLUDED_BY_CONFIG})
        unknown = {
            edge.doubt
            for edge in self.edges
            # Only the owner of a secret can say what accepts it; until then that is unknown.
            if edge.doubt is not None and (edge.doubt not in settled or edge.relation is Relation.ADMITS)
        }
        accepted = {Exit.FINDINGS} if self.verify and any(edge.doubt is None for edge in self.accepting()) else set()
        return accepted | ({Exit.INCOMPLETE} if unknown else set())

    def accepting(self) -> list[Edge]:
        """The edges of `trusting` that lead to an existing object, certain or not."""
        return [edge for edge in self.trusting() if self.nodes[edge.target].kind is not Kind.UNSEEN]
