"""The service principals that Entra signs for, with their certificates, each asked for where the list did not show it.

Graph's documentation is of two minds on whether a list shows certificates, or only a single object does:
https://learn.microsoft.com/graph/api/serviceprincipal-list and https://learn.microsoft.com/graph/api/resources/keycredential
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import UNSET

from keyaudit.cloud.connection import Connection
from keyaudit.collect.calls import Calls
from keyaudit.collect.concurrency import for_each
from keyaudit.collect.entra.credentials import KeyItem, read_items
from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.relations import Related
from keyaudit.collect.entra.saml import public_certificate, signing_rows
from keyaudit.collect.rows import Wire
from keyaudit.collect.x509 import X509
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import Coverage, Refusal, Scope
from keyaudit.model.reasons import Reason

_AT_ONCE = 8


class PublicKeys(Related, rename="camel"):
    """A service principal by itself, with its public keys."""

    key_credentials: Wire = UNSET


@dataclass(frozen=True, slots=True)
class Signer:
    """A service principal that Entra signs for. `keys` are all of its keys, those that sign among them."""

    holder: Holder
    signing: Sequence[KeyItem]
    keys: Sequence[KeyItem]
    enabled: Wire
    sso_mode: Wire
    preferred: Wire


class Signers:
    """Writes the signing certificates of service principals, those at once that the list shows whole."""

    def __init__(self, connection: Connection, unit: Unit, scope: Scope) -> None:
        self._gateway, self._unit = connection.gateway, unit
        self._calls = Calls(scope, "service_principal.get", per_object=True)
        self._unseen: list[Signer] = []

    def write(self, signer: Signer) -> None:
        """The rows of `signer`, now or when it has been asked for by itself."""
        found = [public_certificate(item, signer.keys) for item in signer.signing]
        if None in found:
            self._unseen.append(signer)
        else:
            self._rows(signer, [each for each in found if each is not None])

    async def coverage(self, listed: Coverage) -> Coverage:
        """Read what the list, whose coverage is `listed`, did not show, and write the rows that are left."""
        await for_each(self._unseen, self._one, limit=_AT_ONCE)
        return self._calls.coverage(listed)

    async def _one(self, signer: Signer) -> None:
        shown = await self._gateway.get("service_principal.get", PublicKeys, id=signer.holder.object_id)
        if not isinstance(shown, Refusal) and shown.id.lower() != signer.holder.object_id.lower():
            shown = Refusal(Reason.BAD_BODY, "an answer about another service principal", 200)
        if isinstance(shown, Refusal):
            self._calls.refused(shown)
            self._rows(signer, [public_certificate(item, signer.keys) or shown for item in signer.signing])
            return
        self._calls.answered()
        keys, _ = read_items(shown.key_credentials, KeyItem)
        by_id = {item.key_id: item for item in keys}
        hidden = Refusal(Reason.UNRECOGNISED)
        found = [public_certificate(by_id.get(item.key_id, item), keys) or hidden for item in signer.signing]
        self._rows(signer, found)

    def _rows(self, signer: Signer, found: Sequence[X509 | Refusal]) -> None:
        rows = signing_rows(
            signer.holder,
            list(zip(signer.signing, found, strict=True)),
            enabled=signer.enabled,
            sso_mode=signer.sso_mode,
            preferred=signer.preferred,
        )
        for row in rows:
            self._unit.row("signing_certificate", row)
