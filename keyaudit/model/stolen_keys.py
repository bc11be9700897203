"""Keys that are known to be in the wrong hands, with who says so. What trusts one is open, whatever its issuer publishes."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stolen:
    """What is known of a stolen key."""

    what: str
    source: str


STOLEN: Mapping[str, Stolen] = {
    "D4B4CCCDA9228624656BFF33D8110955779632AA": Stolen(
        "the consumer signing key that was stolen from Microsoft and forged tokens in 2023",
        "https://www.wiz.io/blog/storm-0558-compromised-microsoft-key-enables-authentication-of-countless-micr",
    ),
}
"""By the SHA-1 of the certificate, in upper-case hex."""
