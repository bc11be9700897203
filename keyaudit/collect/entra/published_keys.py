"""Rows of the keys that Entra publishes for token validation, and of the key sets of Azure AD B2C."""

from collections.abc import Callable, Sequence
from urllib.parse import quote

from msgspec import UNSET, Raw, Struct, UnsetType

from keyaudit.collect.certificates import certificate_in, put_certificate
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.collect.x509 import X509
from keyaudit.inventory.spool import Unit
from keyaudit.model.coverage import SHOWN_BAD, End, Refusal
from keyaudit.model.directory.hosts import CONSUMERS
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.columns import Table
from keyaudit.model.tables.entra.issuer_key import ISSUER_KEY
from keyaudit.model.tables.entra.shared_key import SHARED_KEY
from keyaudit.model.values import base64url

_TEMPLATE = "{tenantid}"
_KEY_TYPES = {"rsa": "RSA", "ec": "EC"}


class Jwk(Struct):
    """The public members of a JSON Web Key; private ones are never decoded."""

    kid: str
    kty: Wire = UNSET
    use: Wire = UNSET
    status: Wire = UNSET
    nbf: Wire = UNSET
    exp: Wire = UNSET
    n: Wire = UNSET
    x5t: Wire = UNSET
    x5c: Wire = UNSET
    issuer: Wire = UNSET


class Place(Struct, frozen=True, kw_only=True):
    """The origin of keys, and their request. `collection`: the prefix of their ids."""

    kind: str
    tenant_id: str
    collection: str
    scope_id: str
    url: str
    version: str
    app_id: str | None = None
    key_set: str | None = None


def write_keys(unit: Unit, place: Place, items: Sequence[Raw], form: Callable[[Place, Jwk], Row]) -> End:
    """Write a row per key, in that form.

    Of two different keys with the same id, the second is quarantined.
    """
    seen: dict[str, bytes] = {}
    duplicate = 0
    bad: list[str] = []
    for number, raw in enumerate(items, 1):
        item = read(raw, Jwk)
        row = None if isinstance(item, Refusal) else form(place, item)
        id_ = "" if row is None else str(row.values["id"])
        if row is None or seen.get(id_, bytes(raw)) != bytes(raw):
            bad.append(f"number {number:,}")
        elif id_ in seen:
            duplicate += 1
        else:
            seen[id_] = bytes(raw)
            unit.row(row.table, row.finish())
    return End(received=len(items), kept=len(seen), duplicate=duplicate, quarantined=len(bad), bad=tuple(bad[:SHOWN_BAD]))


def issuer_key(place: Place, item: Jwk) -> Row:
    """A key of the tenant, of an application, or of a key set of Azure AD B2C."""
    issuer = _optional(item.issuer) if place.kind != "entra" else item.issuer
    row = _begun(ISSUER_KEY, place, item, issuer)
    row.put_all(kind=place.kind, key_set=place.key_set, app_id=place.app_id)
    # RFC 7517, 4.2: use is optional.
    row.put_all(use=_optional(item.use), status=_optional(item.status))
    found = _certificate(item.x5c)
    put_certificate(row, found)
    if found is None:
        _put_bare_key(row, item)
    row.put_read("thumbprint", _thumbprint(found, item.x5t))
    if place.kind == "b2c":
        # Graph has null for a date that was not set: https://learn.microsoft.com/graph/api/resources/trustframeworkkey
        row.put_all(starts_on=item.nbf, expires_on=item.exp)
    else:
        _put_dates(row, found)
    return row


def shared_key(place: Place, item: Jwk) -> Row:
    """A shared key; `place.kind` is the authority that publishes it."""
    row = _begun(SHARED_KEY, place, item, item.issuer)
    row.put("authority", place.kind)
    found = _certificate(item.x5c)
    row.put_read("thumbprint", _thumbprint(found, item.x5t))
    _put_dates(row, found)
    return row


def _begun(table: Table, place: Place, item: Jwk, issuer: Wire | None) -> Row:
    """A new row with the names of the key and its issuer."""
    id_ = f"/tenants/{place.tenant_id}/{place.collection}/{quote(item.kid, safe='')}{_suffix(place, issuer)}"
    row = Row(table, id=id_, resource_id=id_, scope_id=place.scope_id, url=place.url, version=place.version)
    row.put_all(name=item.kid, key_id=item.kid, token_issuer=issuer, for_consumers=_for_consumers(issuer))
    return row


def _put_dates(row: Row, found: X509 | Refusal | None) -> None:
    """Fill the dates from the certificate, which Entra publishes with each key."""
    found = Refusal(Reason.BAD_VALUE) if found is None else found
    row.put_read("starts_on", found.not_before if isinstance(found, X509) else found)
    row.put_read("expires_on", found.not_after if isinstance(found, X509) else found)


def _optional(raw: Wire) -> Wire | None:
    """An optional member."""
    return None if isinstance(raw, UnsetType) else raw


def _suffix(place: Place, issuer: Wire | None) -> str:
    """The suffix of an id: a key can be published both for the tenant's tokens and for those of others."""
    text = "" if issuer is None or isinstance(issuer, UnsetType) else read(issuer, str)
    own = not isinstance(text, str) or not text or place.tenant_id.lower() in text.lower() or _TEMPLATE in text
    return "" if own else f"/{quote(str(text), safe='')}"


def _for_consumers(issuer: Wire | None) -> bool | Refusal | None:
    if issuer is None or is_null(issuer):
        return None
    text = read(issuer, str)
    return text if isinstance(text, Refusal) else CONSUMERS in text.lower()


def _certificate(chain: Wire) -> X509 | Refusal | None:
    """The first certificate of the chain is the key's own."""
    if isinstance(chain, UnsetType) or is_null(chain):
        return None
    texts = read(chain, list[str])
    return texts if isinstance(texts, Refusal) else certificate_in(texts[0]) if texts else None


def _put_bare_key(row: Row, item: Jwk) -> None:
    """Fill the columns of a key without a certificate."""
    kind = read(item.kty, str)
    row.put_read("key_type", kind if isinstance(kind, Refusal) else _KEY_TYPES.get(kind.lower(), kind))
    if isinstance(kind, Refusal):
        row.refuse(("key_size", "curve"), kind.reason)
    elif row.values["key_type"] == "RSA":
        modulus = _decoded(item.n)
        row.put_read("key_size", modulus if isinstance(modulus, Refusal) else int.from_bytes(modulus).bit_length())


def _thumbprint(found: X509 | Refusal | None, x5t: Wire) -> str | Refusal | None:
    """The thumbprint of the certificate, or the key's x5t if there is no readable certificate."""
    if isinstance(found, X509):
        return found.thumbprint
    if isinstance(x5t, UnsetType) or is_null(x5t):
        return found
    digest = _decoded(x5t)
    if isinstance(digest, Refusal):
        return digest
    return digest.hex().upper() if len(digest) == 20 else Refusal(Reason.BAD_VALUE)


def _decoded(raw: Wire) -> bytes | Refusal:
    """The bytes of a base64url member without padding."""
    text = read(raw, str)
    if isinstance(text, Refusal):
        return text
    try:
        return base64url.decoded(text)
    except ValueError:
        return Refusal(Reason.BAD_VALUE)
