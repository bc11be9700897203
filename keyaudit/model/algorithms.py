"""Algorithms of keys: how strong they are, what they are called elsewhere, and until when NIST allows them.

Numbers are those of the standard that is named beside them, wherever they are shown.
"""

import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

STRENGTHS = "NIST SP 800-57 Part 1 Rev. 5, table 2"
"""Where the security strengths of RSA and elliptic curves are from: of a size between two rows, the smaller one's."""
BY_SIZE: Mapping[int, int] = {15_360: 256, 7_680: 192, 3_072: 128, 2_048: 112, 1_024: 80}
"""Bits of security by the least size of an RSA modulus, the greatest first."""
BY_CURVE: Mapping[str, int] = {"P-256": 128, "P-256K": 128, "P-384": 192, "P-521": 256, "Ed25519": 128}

PLAN = "NIST IR 8547, initial public draft (2024)"
"""Where the two years are from."""
DEPRECATED_AFTER, DISALLOWED_AFTER = 2030, 2035
"""The last year of RSA with less than 128 bits of security, and of all RSA and elliptic curves."""

LEAST, LEAST_BY = 112, "NIST SP 800-131A Rev. 2"
"""Bits of security below which nothing is allowed any more, and by which standard."""

_LEVELS = "NIST's security categories for post-quantum cryptography; 0 means that none is reached"
_RSA = "1.2.840.113549.1.1.1"
_CURVE_IDS = {
    "P-256": "1.2.840.10045.3.1.7",
    "P-384": "1.3.132.0.34",
    "P-521": "1.3.132.0.35",
    "P-256K": "1.3.132.0.10",
}
_OID = re.compile(r"[012](\.\d+)+")


class Algorithm(Struct, frozen=True, kw_only=True):
    """One algorithm with its parameters. None is unknown, or does not apply; `unknown` names what is unknown."""

    name: str
    """ "RSA-2048", "EC-P-256", "ML-DSA-65"."""
    parameters: str | None = None
    curve: str | None = None
    oid: str | None = None
    classical: int | None = None
    """Bits of security against attackers without a quantum computer."""
    quantum: int | None = None
    """NIST's security category, 0 to 6."""
    signs_only: bool = False
    """It can do nothing but sign."""
    symmetric: bool = False
    standard: str = ""
    """Where the two levels are from."""
    unknown: tuple[str, ...] = ()


# FIPS 204 has the categories, NIST's Computer Security Objects Register and RFC 8410 the object identifiers.
_NAMED: Mapping[str, Algorithm] = {
    "2.16.840.1.101.3.4.3.17": Algorithm(name="ML-DSA-44", parameters="44", quantum=2, signs_only=True, standard="FIPS 204"),
    "2.16.840.1.101.3.4.3.18": Algorithm(name="ML-DSA-65", parameters="65", quantum=3, signs_only=True, standard="FIPS 204"),
    "2.16.840.1.101.3.4.3.19": Algorithm(name="ML-DSA-87", parameters="87", quantum=5, signs_only=True, standard="FIPS 204"),
    "1.3.101.112": Algorithm(
        name="Ed25519", parameters="Ed25519", classical=128, quantum=0, signs_only=True, standard=f"FIPS 186-5; {_LEVELS}"
    ),
    "1.3.101.113": Algorithm(
        name="Ed448", parameters="Ed448", classical=224, quantum=0, signs_only=True, standard=f"FIPS 186-5; {_LEVELS}"
    ),
}


_IDS = {named.name: oid for oid, named in _NAMED.items()}


def algorithm(family: str, size: int | None, curve: str | None) -> Algorithm:
    """The algorithm of a key of this family, as Key Vault and certificates name it: RSA, EC-HSM, oct, ML-DSA-65, an object
    identifier. Of an AKP key the family is its parameter set, where that was read.
    """
    bare = family.removesuffix("-HSM")
    both = f"{STRENGTHS}; {_LEVELS}"
    if bare == "RSA":
        return Algorithm(
            name="RSA" if size is None else f"RSA-{size}",
            parameters=None if size is None else str(size),
            oid=_RSA,
            classical=None if size is None else rsa_strength(size),
            quantum=0,
            standard=both,
            unknown=("parameterSetIdentifier", "classicalSecurityLevel") if size is None else (),
        )
    if bare == "EC":
        known = curve in _CURVE_IDS
        return Algorithm(
            name="-".join(filter(None, (bare, curve))),
            parameters=curve,
            curve=curve,
            oid=_CURVE_IDS.get(curve or ""),
            classical=BY_CURVE.get(curve or ""),
            quantum=0,
            signs_only=True,
            standard=both,
            unknown=() if known else ("oid", "classicalSecurityLevel", *([] if curve else ["parameterSetIdentifier"])),
        )
    if bare == "oct":
        # Key Vault says of no symmetric key how long it is.
        return Algorithm(
            name="AES",
            oid="2.16.840.1.101.3.4.1",
            symmetric=True,
            unknown=("parameterSetIdentifier", "classicalSecurityLevel", "nistQuantumSecurityLevel"),
        )
    named = curve or bare if bare == "OKP" else bare
    known_id = _IDS.get(named, named)
    if known_id in _NAMED:
        return replace(_NAMED[known_id], oid=known_id)
    told = "-".join(filter(None, (bare, None if size is None else str(size), curve)))
    levels = ("classicalSecurityLevel", "nistQuantumSecurityLevel", "parameterSetIdentifier")
    oid = bare if _OID.fullmatch(bare) else None
    return Algorithm(name=told, oid=oid, unknown=levels if oid else (*levels, "oid"))


SAFE = ("oct", *(each for id_, named in _NAMED.items() if named.quantum for each in (id_, named.name)))
"""Families that a quantum computer does not break."""
BROKEN = ("RSA", "EC", "OKP", *(each for id_, named in _NAMED.items() if named.quantum == 0 for each in (id_, named.name)))
"""Families that it breaks at any size."""
SHORTEST, LONG_ENOUGH = (min(size for size, bits in BY_SIZE.items() if bits >= least) for least in (LEAST, 128))
"""Bits of an RSA modulus that is allowed at all, and of one that is allowed until the second year."""


def rsa_strength(size: int) -> int:
    """Bits of security of an RSA modulus of so many bits; 0 for what is shorter than the table's shortest."""
    return next((bits for least, bits in BY_SIZE.items() if size >= least), 0)


def last_year(found: Algorithm) -> int | None:
    """The last year in which NIST's plan allows it. None: it names none, it is unknown, or it is no longer allowed."""
    if found.quantum != 0 or (found.classical is not None and found.classical < LEAST):
        return None
    if found.classical is None:
        # An unknown curve is still a curve.
        return DISALLOWED_AFTER if found.signs_only else None
    return DISALLOWED_AFTER if found.classical >= 128 else DEPRECATED_AFTER


def allowed_until(found: Algorithm) -> str:
    """Until when it is allowed, by which standard, in words for people."""
    year = last_year(found)
    if year == DEPRECATED_AFTER:
        return f"Deprecated after {year}, disallowed after {DISALLOWED_AFTER}: {PLAN}."
    if year:
        return f"Disallowed after {year}: {PLAN}."
    if found.classical is not None and found.classical < LEAST:
        return f"Below {LEAST} bits of security, no longer allowed: {LEAST_BY}."
    if found.quantum == 0:
        return f"Disallowed after {DISALLOWED_AFTER} at the latest: {PLAN}."
    if found.symmetric or found.quantum:
        return f"Not affected by the transition to post-quantum algorithms: {PLAN}."
    return f"Unknown whether the transition to post-quantum algorithms affects it: {PLAN}."
