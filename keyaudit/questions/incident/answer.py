"""The incident page of a stolen key: what it is, who trusts it, who used it, what they did next, and what cannot be known."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from keyaudit.model.errors import Exit
from keyaudit.model.results.run import Verdict
from keyaudit.model.tables.usage import MAIL_LOG, SHOWN_BY
from keyaudit.model.tokens import Tokens
from keyaudit.model.usage import Blind, Unseen, Window
from keyaudit.questions.blast_radius.answer import BlastRadius

LOGS = frozenset((*SHOWN_BY.values(), "AADManagedIdentitySignInLogs", "AzureDiagnostics"))
"""Names of logs, as `Unseen` uses them."""


class Confidence(StrEnum):
    """The basis of a sentence."""

    OBSERVED = "observed"
    """A log record, or an object that Azure returned, shows it."""
    INFERRED = "inferred"
    """It follows from several of these, but there could be another explanation."""
    NOT_KNOWABLE = "not knowable"
    """The evidence was not recorded, not supplied, or is recorded nowhere."""


class KeyFacts(Struct, frozen=True, kw_only=True):
    """A key version from the inventory. None: unknown where `unknown` names the field, otherwise absent."""

    id: str
    version: str | None
    kind: str | None
    custody: str | None
    enabled: bool | None
    exportable: bool | None
    created_on: int | None
    expires_on: int | None
    unknown: dict[str, str]


class Actor(Struct, frozen=True, kw_only=True):
    """An application or principal that a log names."""

    app_id: str | None
    principal_id: str | None
    name: str
    """Its name in the inventory; empty if the inventory does not have it."""

    @property
    def shown(self) -> str:
        """Its name, or its id if it has none."""
        return self.name or self.app_id or self.principal_id or "nobody that the log names"


KEY_USES = ("sign", "decrypt", "unwrap")
"""Uses of a key that its holder could make for anybody."""


class Link(StrEnum):
    """How an act belongs to the key."""

    KEY = "key"
    """It is a use of the key itself, or an act of an actor that used it."""
    CREDENTIAL = "credential"
    """Its actor signed in with a credential that such an actor added."""
    CAUSE = "cause"
    """Its actor added a credential with which such an actor signed in, or it is that addition."""
    NETWORK = "network"
    """It came from a network that such an actor used, and that the baseline does not know."""
    CLIENT = "client"
    """It was done with a program that such an actor used, and that the baseline does not know."""


LIKELY = (Link.NETWORK, Link.CLIENT)
"""The links by which another actor may have come, so that the actors are not all known."""


class Act(Struct, frozen=True, kw_only=True):
    """Uses by one actor of one operation on one class of targets, with one credential and one caller."""

    actor: Actor
    operation: str
    target_kind: str
    target: str
    """The class of targets, as in a baseline."""
    caller: str | None
    credential: str | None
    networks: Sequence[str]
    clients: Sequence[str]
    objects: Sequence[str]
    """The first few targets."""
    objects_count: int
    first_on: int
    last_on: int
    count: int
    refused: int
    outside: Sequence[str] | None
    """Why it is outside the baseline; empty: it is inside. None: unknown, because there is no baseline."""
    link: Link
    because: str
    """Why this actor is followed, in words; empty for an actor that used the key itself."""
    records: Sequence[str]
    """The records' own ids, the first hundred."""

    mentioned: Sequence[str] = ()
    """The ids of other actors in `because`."""

    @property
    def ids(self) -> set[str]:
        """The ids of the actor, of its caller, and of those that are mentioned."""
        return {each for each in (self.actor.app_id, self.actor.principal_id, self.caller, *self.mentioned) if each}


class SignsFor(Struct, frozen=True, kw_only=True):
    """An application for which Entra signs SAML tokens."""

    name: str
    active: bool | None
    """Whether the key is that of its active certificate now; None: unknown."""


class SamlSignIns(SignsFor, frozen=True, kw_only=True):
    """The interactive sign-ins of users by SAML to one application, for which Entra signed with its active certificate."""

    app_id: str
    count: int = 0
    users: int = 0
    refused: int = 0
    first_on: int | None = None
    last_on: int | None = None
    records: Sequence[str] = ()
    """The records' own ids, the first hundred."""


class Count(Struct, frozen=True, kw_only=True):
    """A number with bounds; no maximum means unbounded."""

    least: int
    most: int | None


def about_log(unseen: Unseen, log: str) -> bool:
    """Whether a gap may concern that log. A file without a log name may concern any."""
    if unseen.blind is Blind.THROTTLED:
        return log == MAIL_LOG
    name = unseen.subject.rpartition("/")[2].rpartition(" of ")[2]
    return name == log or name not in LOGS


class Signed(Struct, frozen=True, kw_only=True):
    """The sign-ins with the credentials of a key in a vault, compared with its signatures there."""

    covered: bool
    """Whether the vault's log covers the whole life of the key; otherwise nothing else is known."""
    before: int = 0
    """Sign-ins before its first signature, or without any."""
    records: Sequence[str] = ()
    """The records' own ids, the first hundred."""
    first_on: int | None = None
    """The first of them."""
    made_on: int | None = None
    """The first signature; None: the log has none."""
    gap: int | None = None
    """The longest time, in seconds, between the last signature and a sign-in; None: not known, or no such sign-in."""
    gap_record: str | None = None


class Observed(Struct, frozen=True, kw_only=True):
    """The results from the logs."""

    window: Window
    learned_until: int | None
    """None: there is no baseline."""
    uses: Sequence[Act]
    """The principals and applications that used the key."""
    timeline: Sequence[Act]
    """What the actors outside the baseline did (without a baseline, all actors), ordered by their first act."""
    causes: Sequence[Act]
    """The changes, of all days of the logs, that added the credentials in question or changed the federation of its domain."""
    saml: Sequence[SamlSignIns]
    """By application that it signs SAML tokens for."""
    domains: Sequence[str]
    """The federated domains for which it signs tokens."""
    mailboxes: Count
    """Mailboxes that the actors outside the baseline read. `most` has no bound where logs cannot show every actor."""
    unrecorded: bool
    """Whether the key may be used so that no log of this tenant records it: a token that it signed names any application."""
    logs: Sequence[str]
    """The logs that record uses of the key."""
    unseen: Sequence[Unseen]
    absent: Sequence[str]
    """Logs that were not supplied at all."""
    vault_logged: bool | None
    """Whether the log of the key's vault was supplied; None: the key is in no vault."""
    signed: Signed | None = None
    """None: it is no key of a vault by which an application signs in, or a copy of it may be elsewhere."""
    tokens: Tokens | None = None
    """The tokens of the key's applications and of the actors outside the baseline; None: there are none of them."""


class Incident(Struct, frozen=True, kw_only=True):
    """The page."""

    radius: BlastRadius
    keys: Sequence[KeyFacts]
    observed: Observed | None
    """None: no logs were supplied."""
    extractable: bool | None
    """The private key may exist outside a vault: it is exportable, external, or known to be stolen. None: unknown."""
    compared: bool
    """Whether a thumbprint of the key could be compared with the published thefts."""
    kinds: Mapping[str, str] = {}
    """The kinds of the credentials that the acts name, by key id: those that the inventory has."""
    consumers: Mapping[str, Sequence[str]] = {}
    """By the address of a secret that was `touched`, the services that are set to use it."""
    people: frozenset[str] = frozenset()
    """The principals of the acts that the inventory has as users, by id."""

    @property
    def strange(self) -> list[Act]:
        """The acts that are known to be outside the baseline, each once, by their first time."""
        seen = self.observed
        acts = (*seen.uses, *seen.timeline, *seen.causes) if seen else ()
        told = {tuple(act.records): act for act in reversed(acts) if act.outside}
        return sorted(told.values(), key=lambda act: (act.first_on, act.operation, act.target))

    @property
    def touched(self) -> dict[str, list[Act]]:
        """The acts on other secrets and keys of vaults, by their addresses: secrets that were read, and keys that were used.

        They are those of actors outside the baseline; without one, of all that used the key.
        """
        made: dict[str, list[Act]] = {}
        for act in self.observed.timeline if self.observed else ():
            done = act.count > act.refused and act.link not in LIKELY and (act.outside is None or act.outside)
            if done and (act.operation == "read-secret" or (act.target_kind == "key" and act.operation in KEY_USES)):
                made.setdefault(act.target, []).append(act)
        return made

    @property
    def verdict(self) -> Verdict:
        """The verdict of the graph; gaps in the logs make it incomplete."""
        return self.radius.verdict

    @property
    def held(self) -> set[Exit]:
        """The exit codes that the logs cause: incomplete if something is missing."""
        if self.observed is None or self.observed.unseen or self.observed.absent or self.observed.vault_logged is False:
            return {Exit.INCOMPLETE}
        return set()
