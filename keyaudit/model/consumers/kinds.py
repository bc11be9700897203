"""The type of a declaration: one way in which a service names a key or secret of a vault."""

from collections.abc import Sequence

from msgspec import Struct

QUERY = "consumer.query"
"""The operation that returns resources of every declared type."""
KEY, SECRET = "key", "secret"
"""What is named: a key, or a secret. A certificate is named by the secret of its name."""


class Status(Struct, frozen=True, kw_only=True):
    """The service's own word for whether it can read what it names."""

    member: str
    works: Sequence[str]
    broken: Sequence[str]
    """The words with which it cannot: it keeps what it has until it restarts."""
    always: bool = False
    """Every answer has it."""


class Says(Struct, frozen=True, kw_only=True):
    """The service's own word for whether it uses something of a vault. With one for a vault it does so, even if it does not
    name it; with another one it does not, even if it names something.
    """

    member: str
    vault: Sequence[str]
    other: Sequence[str]


class Children(Struct, frozen=True, kw_only=True):
    """A list of settings below a resource, which Resource Graph does not have: one request for each resource."""

    operation: str
    noun: str
    path: str
    """Its path below the resource."""
    version: str
    """Its api-version."""
    discloses: bool = False
    """Whether its items have values that are not read."""


class Consumer(Struct, frozen=True, kw_only=True):
    """One way in which resources of a type name what they use. Members are paths of names, without regard to case."""

    kind: str
    type: str
    """The resource type, as Azure spells it."""
    source: str
    """The documentation of its members."""
    names: str = SECRET
    children: Children | None = None
    """The list with the settings; None: they are in the resource's own properties."""
    at: str = ""
    """The path of a setting in the properties; [] stands for each item of a list. Empty: the properties themselves."""
    always: bool = False
    """Every answer has an object at this path that names something in a vault, unless the service's own word says otherwise. So
    null cannot be read, and an object without a name names something unknown.
    """
    within: str = ""
    """The member that is there only where something of a vault is used, whether it names it or not."""
    says: Says | None = None
    url: str = ""
    """The member with the address in the vault. A setting that is a text is the address itself."""
    resource: str = ""
    """Instead of an address: the member with an id in Azure Resource Manager, of the vault or of the secret in it."""
    vault: str = ""
    """Instead of an address: the member with the vault's name or address."""
    name: str = ""
    """With `resource` or `vault`: the member with the name of the key or secret."""
    version: str = ""
    """With these: the member with the version that it is pinned to."""
    follows: str = ""
    """The member that says that it follows the newest version although it names one."""
    reports: str = ""
    """The member with the version in use: proof."""
    reports_always: bool = False
    """Every answer about a setting that follows the newest version has it."""
    thumbprint: str = ""
    """The member with the SHA-1 of the certificate in use: proof."""
    certificate: str = ""
    """The member with the certificate in use, in base64: proof."""
    exact: bool = False
    """A version in the setting is the version in use."""
    status: Status | None = None
    interval: int | None = None
    """How long it takes at most to follow a new version, where that is documented."""

    @property
    def operation(self) -> str:
        """The operation that returns the settings."""
        return self.children.operation if self.children else QUERY
