"""The service principals that Entra signs for, as rows of their certificates."""

from collections.abc import Sequence

from msgspec import Struct

from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.keys.credentials import KeyItem
from keyaudit.collect.entra.keys.key_material import Keys
from keyaudit.collect.entra.keys.saml import public_certificate, signing_rows
from keyaudit.collect.wire import Wire, read
from keyaudit.collect.x509 import X509
from keyaudit.model.coverage import Refusal


class Signer(Struct, frozen=True):
    """A service principal that Entra signs for. `keys` are all of its keys, including signing keys."""

    holder: Holder
    signing: Sequence[KeyItem]
    keys: Keys
    enabled: Wire
    sso_mode: Wire
    preferred: Wire

    def rows(self) -> list[dict[str, object]]:
        """A row per key that Entra signs with, or may sign with, and one for unreadable ones."""
        return signing_rows(
            self.holder,
            self._shown(self.signing),
            # Entra may sign with a key without a recognisable usage.
            possible=self._shown([item for item in self.keys.items if read(item.usage, str) not in ("Sign", "Verify")]),
            unread=bool(self.keys.bad),
            enabled=self.enabled,
            sso_mode=self.sso_mode,
            preferred=self.preferred,
        )

    def _shown(self, items: Sequence[KeyItem]) -> Sequence[tuple[KeyItem, X509 | Refusal]]:
        return [(item, public_certificate(item, self.keys.items) or self.keys.hidden) for item in items]
