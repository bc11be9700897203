"""The service principals that Entra signs for, as rows of their certificates."""

from collections.abc import Sequence
from dataclasses import dataclass

from keyaudit.collect.entra.credentials import KeyItem
from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.key_material import Keys
from keyaudit.collect.entra.saml import public_certificate, signing_rows
from keyaudit.collect.rows import Wire, read


@dataclass(frozen=True, slots=True)
class Signer:
    """A service principal that Entra signs for. `keys` are all of its keys, those that sign among them."""

    holder: Holder
    signing: Sequence[KeyItem]
    keys: Keys
    enabled: Wire
    sso_mode: Wire
    preferred: Wire

    def rows(self) -> list[dict[str, object]]:
        """A row per certificate that it signs with, and one for those that could not be read."""
        return signing_rows(
            self.holder,
            [(item, public_certificate(item, self.keys.items) or self.keys.hidden) for item in self.signing],
            # Of a key that does not say what it is for, nobody knows whether Entra signs with it.
            unread=bool(self.keys.bad) or any(read(item.usage, str) not in ("Sign", "Verify") for item in self.keys.items),
            enabled=self.enabled,
            sso_mode=self.sso_mode,
            preferred=self.preferred,
        )
