"""The service principals that Entra signs for, as rows of their certificates."""

from collections.abc import Sequence

from msgspec import Struct

from keyaudit.collect.entra.credentials import KeyItem
from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.key_material import Keys
from keyaudit.collect.entra.saml import public_certificate, signing_rows
from keyaudit.collect.rows import Wire, read


class Signer(Struct, frozen=True):
    """A service principal that Entra signs for. `keys` are all of its keys, including signing keys."""

    holder: Holder
    signing: Sequence[KeyItem]
    keys: Keys
    enabled: Wire
    sso_mode: Wire
    preferred: Wire

    def rows(self) -> list[dict[str, object]]:
        """A row per signing certificate, and one for unreadable ones."""
        return signing_rows(
            self.holder,
            [(item, public_certificate(item, self.keys.items) or self.keys.hidden) for item in self.signing],
            # Entra may sign with a key without a readable usage.
            unread=bool(self.keys.bad) or any(read(item.usage, str) not in ("Sign", "Verify") for item in self.keys.items),
            enabled=self.enabled,
            sso_mode=self.sso_mode,
            preferred=self.preferred,
        )
