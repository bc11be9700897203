"""Files of services that check tokens: key sets and settings, as they are found in the field."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from keyaudit.simulator import x509

CONSUMERS = "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
STOLEN = "D4B4CCCDA9228624656BFF33D8110955779632AA"
RETIRED = x509.certificate("CN=live.com", key_name="retired", start=1_400_000_000, end=1_617_500_000)
"""Of a consumer key that ended in 2021."""


def named(thumbprint: str) -> str:
    """The kid, and x5t, of a certificate."""
    return urlsafe_b64encode(bytes.fromhex(thumbprint)).rstrip(b"=").decode()


def published(keys: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As a cache holds what `trust list` shows."""
    return [
        {"kty": "RSA", "use": "sig", "kid": key["key_id"], "x5t": named(key["thumbprint"]), "issuer": key["token_issuer"]}
        for key in keys
        if not key["app_id"]
    ]


def retired() -> dict[str, Any]:
    """A consumer key that was published once."""
    name = named(x509.thumbprint(RETIRED))
    return {"kty": "RSA", "kid": name, "x5c": [b64encode(RETIRED).decode()], "issuer": CONSUMERS}


def stolen() -> dict[str, Any]:
    """The stolen key, whose certificate is not public."""
    return {"kty": "RSA", "kid": named(STOLEN), "x5t": named(STOLEN), "issuer": CONSUMERS}


def written(path: Path, keys: Iterable[Mapping[str, Any]], **members: object) -> Path:
    """A key set on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**members, "keys": list(keys)}), encoding="utf-8")
    return path
