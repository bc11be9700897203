"""Reads keys that a service trusts from a JSON Web Key Set, PEM, a certificate, federation metadata or WIF configuration."""

import base64
import itertools
import re
from collections.abc import Iterator
from typing import TypeVar

from keyaudit.collect.relying_parties import jsonc
from keyaudit.collect.relying_parties.xml import Element, elements
from keyaudit.collect.supplied_file import UnreadError, text
from keyaudit.collect.x509 import read_x509
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.relying_parties import HeldKey
from keyaudit.model.values import base64url
from keyaudit.model.values.times import parse_time

T = TypeVar("T")

_MOST = 1_000
"""The maximum number of keys of one file."""
_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_SPACES = re.compile(r"\s+", re.ASCII)
_HEX = re.compile(r"[0-9A-F]{40}")
_SEPARATORS = re.compile(r"[\s:\u200b-\u200f\ufeff]")
_UNSAID = Refusal(Reason.NOT_SUPPLIED, "the file does not say")
_BROKEN = Refusal(Reason.BAD_VALUE)
_NAMED = ("key_id", "thumbprint", "token_issuer")

_NAMES = (
    re.compile(r".*\.(pem|crt|cer|jwks)"),
    re.compile(r".*jwks.*\.json"),
    re.compile(r"(.*[._-])?keys\.json"),
    re.compile(r".*metadata.*\.xml"),
    re.compile(r".*openid-configuration.*"),
)


def is_keys(name: str) -> bool:
    """Whether a file of that name may contain keys for token validation."""
    return any(pattern.fullmatch(name.lower()) for pattern in _NAMES)


def keys(data: bytes, file: str, relying_party: str) -> list[HeldKey]:
    """The keys in a file, whose format is detected from its content. Raises UnreadError for an unknown format.

    Private keys in it are ignored.
    """
    held = [_trusted_key(file, relying_party, **facts) for facts in itertools.islice(_facts(data), _MOST + 1)]
    if len(held) > _MOST:
        raise UnreadError(Reason.TOO_LARGE, f"more than {_MOST:,} keys")
    return held


def _facts(data: bytes) -> Iterator[dict[str, object]]:
    # A single certificate in DER begins with a sequence of more than 127 bytes.
    if data[:1] == b"\x30" and len(data) > 1 and data[1] & 0x80:
        return iter([{"held_as": "pinned", "thumbprint": _of_certificate(base64.b64encode(data).decode())}])
    content = text(data)
    start = content.lstrip()[:1]
    if start == "<":
        return _of_xml(elements(data))
    if start in ("{", "["):
        return _of_key_set(jsonc.parsed(content))
    if _BEGIN.search(content):
        return _of_pem(content)
    raise UnreadError(Reason.UNRECOGNISED, "neither a JSON Web Key Set, nor PEM, nor metadata")


def _trusted_key(file: str, relying_party: str, **facts: object) -> HeldKey:
    told: dict[str, object] = {"line": None, "key_id": None, "thumbprint": None, "token_issuer": None, "fetched_on": None}
    return HeldKey(file=file, relying_party=relying_party, **{**told, **facts})  # type: ignore[arg-type]


def _of_key_set(document: jsonc.Value) -> Iterator[dict[str, object]]:
    members = document.value
    if not isinstance(members, dict):
        raise UnreadError(Reason.UNRECOGNISED, "JSON that is no key set")
    items = members.get("keys")
    if items is None:
        if "jwks_uri" in members:
            return
        raise UnreadError(Reason.UNRECOGNISED, "JSON without keys, which is not a key set")
    if not isinstance(items.value, list):
        raise UnreadError(Reason.BAD_BODY, "keys that are not a list", items.line)
    issuer, fetched = _text(members, "issuer"), _fetched(members.get("fetched_on"))
    for item in items.value:
        key = item.value
        if not isinstance(key, dict):
            yield {
                "held_as": "cache",
                "line": item.line,
                **dict.fromkeys(_NAMED, Refusal(Reason.BAD_ITEM)),
                "fetched_on": fetched,
            }
            continue
        # RFC 7517, 4.2: an encryption key does not verify signatures.
        if _text(key, "use") != "enc":
            own = _text(key, "issuer")
            yield {
                "held_as": "cache",
                "line": item.line,
                "key_id": _text(key, "kid"),
                "thumbprint": _of_chain(key),
                "token_issuer": issuer if own is None else own,
                "fetched_on": fetched,
            }


def _text(members: dict[str, jsonc.Value], name: str) -> str | Refusal | None:
    """A text member; None if it is missing or null."""
    found = members.get(name)
    if found is None or found.value is None:
        return None
    return found.value if isinstance(found.value, str) else _BROKEN


def _fetched(found: jsonc.Value | None) -> int | Refusal:
    """When the set was fetched. Key sets have no standard member for that; the exporter of the cache can add `fetched_on`."""
    match found.value if found else None:
        case None:
            return _UNSAID
        case bool():
            return _BROKEN
        case int() as moment:
            return moment
        case str() as told:
            try:
                return parse_time(told)
            except ValueError:
                return _BROKEN
    return _BROKEN


def _of_chain(key: dict[str, jsonc.Value]) -> str | Refusal | None:
    """The thumbprint of the key's certificate, or its x5t if it has no certificate."""
    chain = key.get("x5c")
    if chain is not None and chain.value is not None:
        first = chain.value[0].value if isinstance(chain.value, list) and chain.value else None
        return _of_certificate(first) if isinstance(first, str) else _BROKEN
    said = _text(key, "x5t")
    if not isinstance(said, str):
        return said
    try:
        digest = base64url.decoded(said)
    except ValueError:
        return _BROKEN
    return digest.hex().upper() if len(digest) == 20 else _BROKEN


def _of_certificate(encoded: str) -> str | Refusal:
    found = read_x509(_SPACES.sub("", encoded))
    return found if isinstance(found, Refusal) else found.thumbprint


def _of_pem(content: str) -> Iterator[dict[str, object]]:
    line, counted, at = 1, 0, 0
    while begin := _BEGIN.search(content, at):
        line, counted = line + content.count("\n", counted, begin.start()), begin.start()
        label, closing = begin[1], f"-----END {begin[1]}-----"
        end = content.find(closing, begin.end())
        at = len(content) if end < 0 else end + len(closing)
        if label in ("CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"):
            digest = _BROKEN if end < 0 else _of_certificate(content[begin.end() : end])
            yield {"held_as": "pinned", "line": line, "thumbprint": digest}
        elif label.endswith("PUBLIC KEY"):
            # It has no key id that an issuer publishes.
            yield {"held_as": "pinned", "line": line, "thumbprint": None}
        elif label in ("PKCS7", "CMS"):
            # Certificates in an unsupported format.
            yield {"held_as": "pinned", "line": line, "thumbprint": Refusal(Reason.UNRECOGNISED)}
        elif end < 0:
            raise UnreadError(Reason.BAD_BODY, "a block without an end", line)


def _of_xml(found: list[Element]) -> Iterator[dict[str, object]]:
    root = found[0].name
    if root == "configuration":
        return _of_registry(found)
    if root not in ("entitydescriptor", "entitiesdescriptor"):
        raise UnreadError(Reason.UNRECOGNISED, "XML that is neither federation metadata nor a configuration")
    return _of_metadata(found)


def _of_metadata(found: list[Element]) -> Iterator[dict[str, object]]:
    """The signing keys of each entity, each once, because metadata repeats them for every role."""
    entity, seen = "", set[tuple[str, str]]()
    described: list[tuple[str, Element, list[Element]]] = []
    for element in found:
        if element.name == "entitydescriptor":
            entity = element.attributes.get("entityid", "")
        elif element.name == "keydescriptor":
            described.append((entity, element, []))
        elif element.name == "x509certificate" and "keydescriptor" in element.path:
            described[-1][2].append(element)
    for issuer, descriptor, certificates in described:
        if descriptor.attributes.get("use") == "encryption":
            continue
        # A key without a certificate has no key id that an issuer publishes.
        for one in certificates or [descriptor]:
            encoded = "".join(one.text)
            if (issuer, encoded) not in seen:
                seen.add((issuer, encoded))
                yield {
                    "held_as": "cache",
                    "line": one.line,
                    "thumbprint": _of_certificate(encoded) if certificates else None,
                    "token_issuer": issuer or None,
                    "fetched_on": _UNSAID,
                }


def _of_registry(found: list[Element]) -> Iterator[dict[str, object]]:
    """Thumbprints that Windows Identity Foundation trusts."""
    authority = ""
    for element in found:
        if element.name == "authority":
            authority = element.attributes.get("name", "")
        elif element.path[-2:] in (("trustedissuers", "add"), ("keys", "add")) and "thumbprint" in element.attributes:
            digest = _SEPARATORS.sub("", element.attributes["thumbprint"]).upper()
            named = element.attributes.get("name", authority if "authority" in element.path else "")
            yield {
                "held_as": "pinned",
                "line": element.line,
                "thumbprint": digest if _HEX.fullmatch(digest) else _BROKEN,
                "token_issuer": named if named.startswith(("https://", "http://")) else None,
            }
