"""Where a finding about a plan is: the resource of the plan, and its place in the configuration."""

from msgspec import Struct


class PlannedAt(Struct, frozen=True, kw_only=True):
    """A resource of a plan."""

    address: str
    """Its address: `module.keys.azurerm_key_vault_key.signing`."""
    changes: bool
    """Whether the plan changes it."""
    file: str = ""
    """The file that has it, from the current folder; empty if it was not found."""
    line: int = 0
    after_apply: tuple[str, ...] = ()
    """Those of its attributes that are known after apply, and that its policies may read."""

    @property
    def place(self) -> str:
        """For people: "azurerm_key_vault_key.signing, keys.tf:12"."""
        return f"{self.address}, {self.file}:{self.line}" if self.file else self.address
