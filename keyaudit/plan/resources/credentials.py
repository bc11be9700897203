"""Credentials of applications and service principals in a plan, as Microsoft Graph answers. No secret is looked at.

internal/helpers/credentials of hashicorp/terraform-provider-azuread.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw, Struct

from keyaudit.collect.entra.keys.credentials import BY_BRIEF
from keyaudit.model.values.guid import GUID
from keyaudit.model.values.times import iso_time, parse_time
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, View
from keyaudit.plan.resources.certificates import wired

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|m|s|ms|us|µs|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_YEARS = 2
"""A client secret expires two years after its start if no end is set.

https://learn.microsoft.com/graph/api/application-addpassword
"""
_SIGNING_YEARS = 3
"""A token-signing certificate, if no end is set.

https://learn.microsoft.com/graph/api/serviceprincipal-addtokensigningcertificate
"""


class SigningSet(Struct, frozen=True):
    """The entries that Graph has for one token-signing certificate."""

    keys: Sequence[Mapping[str, Any]]
    password: Mapping[str, Any]


def key_id_of(view: View, default: str) -> str:
    """The keyId, or what stands for it."""
    known = (view.text("key_id") or "").lower()
    return known if GUID.fullmatch(known) else default


def password(view: View, now: int, id_: str = "") -> Mapping[str, Any]:
    """A client secret. One without a start begins when it is made."""
    start, end = _dates(view, now, _YEARS)
    default = id_ or (view.guid if isinstance(view, Planned) else "")
    return {
        "keyId": key_id_of(view, default),
        "displayName": view.value("display_name"),
        "startDateTime": start,
        "endDateTime": end,
        "customKeyIdentifier": None,
    }


def public_key(planned: Planned, now: int, issued: Mapping[str, object] | None) -> Mapping[str, Any]:
    """A certificate (a plan has only its public half), or a symmetric key.

    `issued`: what is known of the new certificate of a vault that it is, as in `certificates.decided_of`.
    """
    kind = planned.value("type")
    start, end = _dates(planned, now, None)
    certificate = _certificate(planned) if kind != "Symmetric" else None
    if issued:
        certificate = NOT_IN_PLAN
        start = _date_of(planned, start, issued["not_before"], "start_date")
        end = _date_of(planned, end, issued["not_after"], "end_date", "end_date_relative")
    return {
        "keyId": key_id_of(planned, planned.guid),
        "displayName": None,
        "type": "AsymmetricX509Cert" if kind is None else kind,
        "usage": "Verify",
        "key": certificate,
        "startDateTime": start if planned.is_set("start_date") or not isinstance(start, Raw) else AFTER_APPLY,
        "endDateTime": end,
        "customKeyIdentifier": NOT_IN_PLAN,
    }


def signing_set(planned: Planned, now: int) -> SigningSet:
    """The three entries of a token-signing certificate, which Entra makes."""
    start, end = _dates(planned, now, _SIGNING_YEARS)
    # Entra gives the three of them one identifier, which is known after apply.
    stand_in = base64.b64encode(bytes.fromhex(planned.stands_for("thumbprint").replace("-", "") + "00000000")).decode()
    common = {
        "customKeyIdentifier": stand_in,
        "startDateTime": start,
        "endDateTime": end,
        "displayName": planned.value("display_name"),
    }
    keys = [
        {**common, "keyId": planned.stands_for("sign"), "type": "X509CertAndPassword", "usage": "Sign", "key": NOT_IN_PLAN},
        {
            **common,
            "keyId": key_id_of(planned, planned.guid),
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "key": NOT_IN_PLAN,
        },
    ]
    return SigningSet(keys, {**common, "keyId": planned.stands_for("sign")})


def federated(planned: Planned, issuer: Value) -> dict[str, Any]:
    """A federated credential, by its subject or by an expression."""
    known = (planned.text("credential_id") or "").lower()
    expression = planned.value("claims_matching_expression")
    matching = planned.type.endswith("flexible_federated_identity_credential")
    audience = planned.value("audience")
    return {
        "id": known if GUID.fullmatch(known) else planned.guid,
        "name": planned.value("display_name"),
        "issuer": issuer,
        "subject": None if matching else planned.value("subject"),
        "audiences": ([audience] if isinstance(audience, str) else audience) if matching else planned.value("audiences"),
        "claimsMatchingExpression": (expression if isinstance(expression, Raw) else {"value": expression})
        if matching
        else None,
    }


def of_issued(issued: Mapping[str, object]) -> dict[str, object]:
    """The facts of a credential that its certificate decides, by column of its table."""
    return {column: issued[fact] for column, fact in BY_BRIEF.items()}


def _date_of(planned: Planned, date: Value, fact: object, *attributes: str) -> Value:
    """A date of a credential that is a new certificate: the certificate's own, unless one of the attributes sets another."""
    if isinstance(date, str):
        return date
    for attribute in attributes:
        target = planned.target(attribute)
        if planned.is_set(attribute) and not (target and target.attribute.startswith("certificate_attribute[")):
            return date
    return iso_time(fact) if isinstance(fact, int) else wired(fact)


def _dates(view: View, now: int, years: int | None) -> tuple[Value, Value]:
    """The start and the end. `years`: how long it is valid if no end is set; None: that is not documented."""
    set_start = not isinstance(view, Planned) or view.is_set("start_date")
    start, end, relative = view.value("start_date"), view.value("end_date"), view.value("end_date_relative")
    if start is None or start == "" or (isinstance(start, Raw) and not set_start):
        start = iso_time(now) if years is not None else AFTER_APPLY
    known = end if isinstance(end, str) and end else None
    if known:
        return start, known
    if isinstance(relative, Raw):
        return start, AFTER_APPLY
    if relative:
        # The provider counts from the moment of apply, and not from the start.
        length = _length(relative)
        return start, AFTER_APPLY if length is None else iso_time(now + length)
    if isinstance(end, Raw) and (not isinstance(view, Planned) or view.is_set("end_date")):
        return start, AFTER_APPLY
    if years is None or not isinstance(start, str):
        return start, AFTER_APPLY
    return start, _years_after(start, years)


def _length(text: object) -> int | None:
    """A duration of Go in seconds; None if it is none."""
    parts = _PART.findall(text) if isinstance(text, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    found = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return int(found) if found < 1e10 else None


def _years_after(start: str, years: int) -> Value:
    try:
        begun = parse_time(start)
    except ValueError:
        return AFTER_APPLY
    text = iso_time(begun)
    year = int(text[:4]) + years
    # The 29th of February has no anniversary in every year.
    rest = text[4:].replace("-02-29", "-02-28")
    return f"{year}{rest}"


def _certificate(planned: Planned) -> Value:
    """The certificate in base64. Nothing else of the attribute is kept, which may hold more than it should."""
    value = planned.value("value")
    if not isinstance(value, str):
        return AFTER_APPLY if isinstance(value, Raw) else NOT_IN_PLAN
    encoding = planned.value("encoding") or "pem"
    if encoding == "base64":
        return "".join(value.split())
    if encoding == "hex":
        try:
            return base64.b64encode(binascii.unhexlify(value.strip())).decode()
        except (ValueError, binascii.Error):
            return value[:0]
    match = _PEM.search(value)
    return "".join(match[1].split()) if match else ""
