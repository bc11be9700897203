"""SAML signing certificates: the Sign, Verify and password entries of one certificate become one row."""

from collections.abc import Sequence

from msgspec import Struct, UnsetType

from keyaudit.collect.certificates import certificate_of, put_certificate
from keyaudit.collect.entra.holders import Holder
from keyaudit.collect.entra.keys.credentials import KeyItem, PasswordItem, thumbprint
from keyaudit.collect.rows import Row
from keyaudit.collect.wire import Wire, is_null, read
from keyaudit.collect.x509 import X509
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.tables.entra.signing_certificate import SIGNING_CERTIFICATE
from keyaudit.model.values.times import parse_time

_USAGES = ("Sign", "Verify")
_OF_SIGNING = ("active", "starts_on", "expires_on")
"""The columns about the time in which Entra signs with a certificate, if it does."""


class Split(Struct, frozen=True):
    """A service principal's credentials, separated by use."""

    signing: Sequence[KeyItem]
    """Credentials with which Entra signs tokens."""
    keys: Sequence[KeyItem]
    passwords: Sequence[PasswordItem]
    untold: Sequence[PasswordItem]
    """Credentials that may be part of a signing set, because a date, usage or identifier is unreadable."""


def split(keys: Sequence[KeyItem], passwords: Sequence[PasswordItem], *, unread: bool = False) -> Split:
    """Separates the credentials that Entra signs with from those that sign in. `unread`: some keys could not be read.

    Entra signs with a Sign key, in a set or alone, and nobody can sign in with it. The author of a credential chooses its
    identifier, and could copy that of a signing certificate to hide a credential. So a Verify key and a password count as part
    of a set only if the set is exact: one Sign, one Verify, at most one password, with the same dates, and no public
    certificate with another thumbprint.
    """
    groups: dict[str, list[PasswordItem]] = {}
    for item in (*keys, *passwords):
        name = thumbprint(item.custom_key_identifier)
        if isinstance(name, str):
            groups.setdefault(name, []).append(item)
    signing: list[KeyItem] = []
    lacking: list[KeyItem] = []
    without_password: list[KeyItem] = []
    folded, untold = set[int](), dict[int, PasswordItem]()
    for item in keys:
        name = thumbprint(item.custom_key_identifier)
        if read(item.usage, str) != "Sign":
            continue
        if isinstance(name, str) and _is_set(groups[name], name):
            folded.update(id(part) for part in groups[name])
            untold |= {id(part): part for part in groups[name] if part is not item and _dates(part) is None}
            if all(isinstance(part, KeyItem) for part in groups[name]):
                without_password.append(item)
        else:
            lacking.append(item)
        signing.append(item)
        folded.add(id(item))
    for name, parts in groups.items():
        if _may_be_set(parts, name):
            untold |= {id(part): part for part in parts if id(part) not in folded}
            folded.update(id(part) for part in parts)
    rest = [part for part in (*keys, *passwords) if id(part) not in folded]
    left_open = {
        id(part): part
        for part in rest
        if _may_go_with_one(part, lacking, without_password) or (unread and _may_go_with_unread(part))
    }
    untold |= left_open
    folded |= left_open.keys()
    return Split(
        signing,
        [item for item in keys if id(item) not in folded],
        [item for item in passwords if id(item) not in folded],
        list(untold.values()),
    )


def public_certificate(item: KeyItem, keys: Sequence[KeyItem]) -> X509 | Refusal | None:
    """A signing certificate from its own entry or from one of `keys`; None if Graph does not return it.

    Another entry counts only if its certificate has the digest of the identifier.
    """
    mine = certificate_of(item.key)
    if isinstance(mine, X509):
        return mine
    name = thumbprint(item.custom_key_identifier)
    for other in keys:
        found = certificate_of(other.key)
        if isinstance(found, X509) and name in (found.thumbprint, found.thumbprint_sha256):
            return found
    return None if mine is None or isinstance(item.key, UnsetType) else mine


def signing_rows(
    holder: Holder,
    certificates: Sequence[tuple[KeyItem, X509 | Refusal]],
    *,
    possible: Sequence[tuple[KeyItem, X509 | Refusal]] = (),
    enabled: Wire,
    sso_mode: Wire,
    preferred: Wire,
    unread: bool,
) -> list[dict[str, object]]:
    """A row per signing certificate of one service principal, with its X.509 columns.

    `possible`: keys that it may sign with, because their usage is unknown. `unread`: some of its keys could not be decoded. One
    row stands for possible signing keys among them.
    """
    prints = [thumbprint(item.custom_key_identifier) for item, _ in certificates]
    rows = []
    for (item, found), own in zip(certificates, prints, strict=True):
        alone = isinstance(own, str) and prints.count(own) == 1
        row = _begin(holder, own.lower() if alone and isinstance(own, str) else item.key_id, enabled, sso_mode, preferred)
        row.put("name", item.display_name)
        row.put_read("thumbprint", found.thumbprint if isinstance(found, X509) else own)
        row.put_read("active", _active(own, preferred, prints))
        # Entra creates these, and a certificate has both dates.
        for column, date in (("starts_on", item.start_date_time), ("expires_on", item.end_date_time)):
            row.put_read(column, Refusal(Reason.BAD_VALUE) if is_null(date) else date)
        put_certificate(row, found)
        rows.append(row.finish())
    for item, found in possible:
        row = _begin(holder, f"unread-{item.key_id}", enabled, sso_mode, preferred)
        row.put("name", item.display_name)
        row.put_read("thumbprint", found.thumbprint if isinstance(found, X509) else thumbprint(item.custom_key_identifier))
        usage = read(item.usage, str)
        row.refuse(_OF_SIGNING, usage.reason if isinstance(usage, Refusal) else Reason.UNRECOGNISED)
        put_certificate(row, found)
        rows.append(row.finish())
    if unread:
        row = _begin(holder, "unread", enabled, sso_mode, preferred)
        row.put("name", None)
        row.refuse(("kind", "thumbprint", *_OF_SIGNING), Reason.BAD_ITEM)
        put_certificate(row, Refusal(Reason.BAD_ITEM))
        rows.append(row.finish())
    return rows


def _begin(holder: Holder, name: str, enabled: Wire, sso_mode: Wire, preferred: Wire) -> Row:
    resource_id = f"{holder.resource_id}/signingCertificates/{name}"
    row = Row(
        SIGNING_CERTIFICATE,
        id=resource_id,
        resource_id=resource_id,
        scope_id=holder.scope_id,
        url=holder.url,
        version=holder.version,
    )
    holder.put(row)
    kind = _kind(sso_mode, preferred)
    row.put_read("kind", kind)
    row.put("holder_enabled", enabled)
    if isinstance(kind, Refusal):
        row.put_read("sso_mode", kind)
    else:
        row.put("sso_mode", sso_mode)
    row.put("is_next", False)
    row.put("like_current", None)
    row.put("custody", "platform")
    return row


def _kind(sso_mode: Wire, preferred: Wire) -> str | Refusal:
    """Without SAML, a service principal has a custom key for other tokens, or one left over.

    A certificate is preferred for SAML only (Graph's servicePrincipal resource): that contradicts a mode that is not set.
    """
    if is_null(sso_mode):
        chosen = thumbprint(preferred)
        return Refusal(Reason.INCONSISTENT) if isinstance(chosen, str) else chosen or "application"
    mode = read(sso_mode, str)
    if isinstance(mode, Refusal):
        return mode
    if mode not in SIGNING_CERTIFICATE.by_name["sso_mode"].values:
        return Refusal(Reason.UNRECOGNISED)
    return "saml" if mode == "saml" else "application"


def _is_set(parts: Sequence[PasswordItem], name: str) -> bool:
    """Whether these credentials with one identifier are exactly the set of one certificate."""
    keys = [part for part in parts if isinstance(part, KeyItem)]
    usages = sorted(str(read(part.usage, str)) for part in keys)
    # An implausible date does not split the set: it only makes its part uncertain.
    dates = {dates for part in parts if (dates := _dates(part)) is not None}
    whole = usages == ["Sign", "Verify"] and len(parts) - len(keys) <= 1 and len(dates) <= 1
    return whole and not any(_is_another(part, name) for part in keys)


def _may_be_set(parts: Sequence[PasswordItem], name: str) -> bool:
    """Whether they could be a set if a key without a readable usage is the missing entry."""
    keys = [part for part in parts if isinstance(part, KeyItem)]
    usages = [usage for part in keys if (usage := read(part.usage, str)) in _USAGES]
    dates = {dates for part in parts if (dates := _dates(part)) is not None}
    whole = len(keys) == len(_USAGES) and len(parts) - len(keys) <= 1 and len(dates) <= 1
    open_ = len(usages) < len(keys) and len(usages) == len(set(usages))
    return whole and open_ and not any(_is_another(part, name) for part in keys)


def _may_go_with_one(part: PasswordItem, lacking: Sequence[KeyItem], without_password: Sequence[KeyItem]) -> bool:
    """Whether it may be what the set of a Sign key lacks; `without_password`: those whose set lacks a password alone."""
    signs = lacking if isinstance(part, KeyItem) else (*lacking, *without_password)
    return any(_may_go_with(sign, part) for sign in signs)


def _may_go_with_unread(part: PasswordItem) -> bool:
    """Whether it may be part of a set whose Sign key was not read: it has an identifier, or may have one."""
    named = thumbprint(part.custom_key_identifier) is not None
    return named and (not isinstance(part, KeyItem) or read(part.usage, str) != "Sign")


def _may_go_with(sign: KeyItem, part: PasswordItem) -> bool:
    """Whether an identifier that cannot be read, of one of them, leaves open that they are parts of one set."""
    names = [thumbprint(item.custom_key_identifier) for item in (sign, part)]
    if None in names or not any(isinstance(name, Refusal) for name in names):
        return False
    dates = {dates for item in (sign, part) if (dates := _dates(item)) is not None}
    usage = read(part.usage, str) if isinstance(part, KeyItem) else "Verify"
    return len(dates) <= 1 and (usage == "Verify" or usage not in _USAGES)


def _is_another(part: KeyItem, name: str) -> bool:
    """Whether Graph returned a public certificate with another thumbprint than the identifier."""
    found = certificate_of(part.key)
    return isinstance(found, X509) and name not in (found.thumbprint, found.thumbprint_sha256)


def _active(own: str | Refusal | None, preferred: Wire, prints: Sequence[str | Refusal | None]) -> bool | Refusal:
    """Whether Entra signs with it now; unknown if there are several and none is named."""
    chosen = thumbprint(preferred)
    if isinstance(chosen, Refusal):
        return chosen
    if chosen is None:
        return True if len(prints) == 1 else Refusal(Reason.UNRECOGNISED)
    return own == chosen if chosen in prints else Refusal(Reason.UNRECOGNISED)


def _dates(part: PasswordItem) -> tuple[int, int] | None:
    """Its start and expiration dates; None if one is unreadable, or if they are in the wrong order."""
    texts = [read(member, str) for member in (part.start_date_time, part.end_date_time)]
    try:
        start, end = (parse_time(text) for text in texts if isinstance(text, str))
    except ValueError:
        return None
    return (start, end) if start <= end else None
