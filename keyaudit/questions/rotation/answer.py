"""A rotation: which version of a key, certificate or secret each consumer uses, and how far the rotation has come."""

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct, structs

from keyaudit.model.errors import Exit
from keyaudit.model.reasons import Reason
from keyaudit.model.results.run import Run, Verdict
from keyaudit.model.usage import Window


class State(StrEnum):
    """Where one consumer is."""

    NOT_MOVED = "not-moved"
    WILL_MOVE = "will-move"
    UNKNOWN = "unknown"
    """No field and no log shows which version it uses."""
    MOVED = "moved"


class Follows(StrEnum):
    """How a consumer takes a new version."""

    BY_ITSELF = "by-itself"
    BY_HAND = "by-hand"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """Kinds of consumers, in the order in which a rotation reaches them: first those that have to accept the new version."""

    RELYING_PARTY = "relying-party"
    AUTHORITY = "certificate-authority"
    IDENTITY = "application"
    COPY = "copy"
    """A certificate of another vault on the same key."""
    SIGNER = "signer"
    SERVICE = "service"
    USER = "user"
    """Somebody that the logs name."""


class Proof(StrEnum):
    """The kinds of evidence."""

    SERVICE = "service"
    """The version that the service itself reports as used."""
    SETTING = "setting"
    """The version that the service is configured with."""
    DIRECTORY = "directory"
    """The keys that an object of Entra ID or a vault holds."""
    REPORT = "credential-report"
    """Entra's report of the last use of each credential."""
    LOGS = "logs"
    FILE = "file"
    """The configuration of a relying party, as it was supplied."""


class Why(StrEnum):
    """Why a consumer is in its state."""

    REPORTS_NEW = "reports-new"
    REPORTS_OLD = "reports-old"
    NAMES_OLD = "names-old"
    NAMES_NEW = "names-new"
    NAMES_NEW_ONLY = "names-new-only"
    """Its setting names the new version, and nothing says that it is used already."""
    ACTIVE_NEW = "active-new"
    """A disk encryption set: its disks may still be on an earlier version."""
    MOVING = "moving"
    """A disk encryption set: it says that some disks are still on an earlier version."""
    REPORTS_OTHER = "reports-other"
    """It reports a certificate that is none of the versions."""
    REPORTS_NOTHING = "reports-nothing"
    UNREAD = "unread"
    HOLDS_OLD = "holds-old"
    HOLDS_NEW = "holds-new"
    HOLDS_BOTH = "holds-both"
    USED_OLD = "used-old"
    USED_BOTH = "used-both"
    USED_NEW = "used-new"
    USED_UNNAMED = "used-unnamed"
    """The log does not say which version."""
    USED_BEFORE = "used-before"
    """Its last use was before the new version was made, or longer ago than the logs have to be complete for."""
    IDLE = "idle"
    """Complete logs show no use of the old one by it."""


class Version(Struct, frozen=True, kw_only=True):
    """One version, or one credential. None: unknown where `reason` is set, otherwise not recorded."""

    id: str
    name: str
    created_on: int | None = None
    enabled: bool | None = None
    reason: Reason | None = None


class Consumer(Struct, frozen=True, kw_only=True):
    """Something that uses, holds or accepts a version. `name` and `id` are the tenant's text."""

    kind: Kind
    id: str
    name: str
    what: str = ""
    """The kind of service or object, in our own words."""
    state: State
    follows: Follows
    why: Why
    proof: Proof
    seen_on: int | None
    """When the evidence was read, or the last use that it shows; None if it has no date."""
    held: str = ""
    """The version or credential that the evidence is about."""
    until: int | None = None
    """By when it moves by itself."""
    reason: Reason | None = None
    """Why the evidence could not be read."""
    key_id: str = ""
    """For a service, the key that it is configured with; for an application, the key id of its old credential."""
    owners: Sequence[str] = ()
    """Who has to act, as tags, Entra ID or [owners] rules name them."""
    owned_by: str = ""
    """Where these names are from."""
    broken: str = ""
    """For a service, its own word for why it cannot read the key or secret; empty if it can, or does not say."""
    holder: str = ""
    """For an application, the word of the Azure CLI for the object with the credential: app or sp; empty where it has none, as
    for a managed identity or the blueprint of agents."""


class Move(Struct, frozen=True, kw_only=True):
    """How a consumer's state changed since an earlier snapshot."""

    consumer: Consumer
    """As it is now; as it was, if it is gone."""
    before: State | None
    """None: it was not there, or the rotation to the same version had not begun."""
    after: State | None
    """None: it is gone."""


class Logged(Struct, frozen=True, kw_only=True):
    """What one required log covers."""

    log: str
    covered: Window | None
    """The days on which it is complete until now; None if there are none."""
    enough: bool
    """Whether these are long enough, counted from when the new version was made, and their records name what was used."""


class Unread(Struct, frozen=True, kw_only=True):
    """What may use it and was not read."""

    what: str
    reason: Reason


class Stage(StrEnum):
    """The steps of a rotation, in order."""

    MADE = "new-version-made"
    MOVED = "consumers-moved"
    IDLE = "old-version-idle"
    RETIRED = "old-version-retired"
    PROVEN = "proven"


class Rotation(Struct, frozen=True, kw_only=True):
    """The rotation of one key, certificate, secret, credential or application."""

    run: Run
    verdict: Verdict
    noun: str
    target: str
    """A name or id with which it can be asked for again."""
    name: str
    new: Version | None
    """The version to move to; None before a rotation, or if it is unknown which one that is."""
    old: Sequence[Version]
    """The versions to move from, the newest first; before a rotation, the only one."""
    unsure: Reason | None
    """Why it is unknown which version is the new one."""
    consumers: Sequence[Consumer]
    logs: Sequence[Logged]
    unread: Sequence[Unread]
    wraps: bool
    """Data may be wrapped with it, so that old versions have to stay; true where that is unknown."""
    earlier: int | None = None
    """The time of the snapshot that it is compared with; None if there is none."""
    moves: Sequence[Move] = ()
    """The consumers whose state changed since then."""
    vault: str = ""
    """The name of its vault or Managed HSM; empty for credentials in Entra ID."""
    hsm: bool = False

    @property
    def begun(self) -> bool:
        """Whether there is a new version to move to, so that consumers can have moved."""
        return self.new is not None and bool(self.old)

    @property
    def nothing(self) -> bool:
        """Whether all was read and there is nothing that could be rotated, as with an application without credentials."""
        return not (self.old or self.new or self.consumers or self.unread or self.vault)

    def since(self, earlier: "Rotation") -> "Rotation":
        """The same with the consumers whose state changed since an earlier snapshot."""
        same = earlier.begun and earlier.new is not None and self.new is not None and earlier.new.name == self.new.name
        was = {(each.kind, each.what, each.id, each.key_id): each for each in earlier.consumers}
        moves = []
        for each in self.consumers if self.begun else ():
            old = was.pop((each.kind, each.what, each.id, each.key_id), None)
            before = old.state if old is not None and same else None
            if before is not each.state:
                moves.append(Move(consumer=each, before=before, after=each.state))
        if same:
            moves += [Move(consumer=each, before=each.state, after=None) for each in was.values()]
        return structs.replace(self, earlier=earlier.run.as_of, moves=moves)

    def counted(self, state: State) -> int:
        """The number of consumers in a state."""
        return sum(each.state is state for each in self.consumers)

    @property
    def idle(self) -> bool | None:
        """Whether the old versions are no longer used; None if that is unknown."""
        shown = (Why.USED_OLD, Why.USED_BOTH)
        if any(each.why in shown for each in self.consumers):
            return False
        return True if all(each.enough for each in self.logs) else None

    @property
    def retired(self) -> bool | None:
        """Whether no old version can be used any more."""
        enabled = {each.enabled for each in self.old}
        return False if True in enabled else None if None in enabled else True

    @property
    def all_moved(self) -> bool:
        """Whether every consumer that was read has moved, and nothing else may use it."""
        return self.begun and not self.unread and self.unsure is None and self.counted(State.MOVED) == len(self.consumers)

    @property
    def proven(self) -> bool:
        """Whether the rotation is over: every consumer has moved, nothing can use an old version, and nothing tried to."""
        return self.all_moved and self.idle is True and self.retired is True

    def reached(self, stage: Stage) -> bool | None:
        """Whether the rotation has come to a stage; None if that is unknown."""
        match stage:
            case Stage.MADE:
                return None if self.unsure is not None else self.begun
            case Stage.MOVED:
                open_ = self.counted(State.UNKNOWN) or self.unread or self.unsure is not None
                late = self.counted(State.NOT_MOVED) or self.counted(State.WILL_MOVE)
                if late or not (self.begun or open_):
                    return False
                # Without a consumer only the logs show that there is none.
                seen = bool(self.consumers) or all(each.enough for each in self.logs)
                return True if seen and not open_ else None
            case Stage.IDLE:
                return self.idle if self.begun else False
            case Stage.RETIRED:
                return self.retired if self.begun else False
            case Stage.PROVEN:
                return self.proven

    @property
    def held(self) -> set[Exit]:
        """The exit codes that the answer itself causes. Before a rotation nobody is late."""
        open_ = self.unsure is not None or bool(self.unread) or not all(each.enough for each in self.logs)
        if not self.begun:
            open_ |= any(each.follows is Follows.UNKNOWN for each in self.consumers)
            return {Exit.INCOMPLETE} if open_ else set()
        open_ |= bool(self.counted(State.UNKNOWN))
        late = self.counted(State.NOT_MOVED) or self.counted(State.WILL_MOVE)
        return ({Exit.FINDINGS} if late else set()) | ({Exit.INCOMPLETE} if open_ else set())
