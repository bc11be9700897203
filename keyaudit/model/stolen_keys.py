"""Keys that are publicly known to be stolen, with sources. Services that trust one are at risk even after its withdrawal."""

from collections.abc import Mapping

from msgspec import Struct


class Stolen(Struct, frozen=True):
    """A stolen key."""

    what: str
    source: str


STOLEN: Mapping[str, Stolen] = {
    "D4B4CCCDA9228624656BFF33D8110955779632AA": Stolen(
        "the consumer signing key that was stolen from Microsoft and used to forge tokens in 2023",
        "https://www.wiz.io/blog/storm-0558-compromised-microsoft-key-enables-authentication-of-countless-micr",
    ),
}
"""Stolen keys by the SHA-1 of the certificate, in upper-case hex."""
