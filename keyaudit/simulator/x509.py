"""Real certificates, created fast from names: the same names give the same bytes, and signatures are valid."""

import hashlib
import math
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec import Struct

EXPONENT = 65_537
_PRIME_BITS = 64
_WITNESSES = (2, 325, 9_375, 28_178, 450_775, 9_780_504, 1_795_265_022)
"""Enough bases to test every number of 64 bits: https://miller-rabin.appspot.com, Jim Sinclair."""
_SMALL_PRIMES = math.prod((3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61))
# RFC 8017, 9.2: the prefix of a digest in a signature, and the identifier of such signatures.
_DIGESTS = {
    "sha1": (bytes.fromhex("3021300906052b0e03021a05000414"), bytes.fromhex("300d06092a864886f70d0101050500")),
    "sha256": (bytes.fromhex("3031300d060960864801650304020105000420"), bytes.fromhex("300d06092a864886f70d01010b0500")),
}
_SEQUENCE, _INTEGER, _BIT_STRING, _OCTETS = 0x30, 0x02, 0x03, 0x04
_BASIC_CONSTRAINTS, _ALTERNATIVE_NAMES, _EXTENDED_USAGE = 0x13, 0x11, 0x25


class Key(Struct, frozen=True):
    """An RSA key of real size, from primes so small that it is created fast and protects nothing."""

    primes: tuple[int, ...]

    @property
    def modulus(self) -> int:
        """The public modulus."""
        product = 1
        for prime in self.primes:
            product *= prime
        return product

    def sign(self, message: bytes, digest: str = "sha256") -> bytes:
        """The signature by RSASSA-PKCS1-v1_5 over such a digest, valid for any library."""
        size = len(self.primes) * _PRIME_BITS // 8
        ending = _DIGESTS[digest][0] + hashlib.new(digest, message, usedforsecurity=False).digest()
        padded = int.from_bytes(b"\0\1" + b"\xff" * (size - len(ending) - 3) + b"\0" + ending)
        # By the Chinese remainder theorem, the shared primes first, so that what depends on them alone is computed once.
        own, *shared = self.primes
        signature, product = 0, 1
        for prime in shared:
            private, inverse = _shared_part(prime, product)
            signature += product * ((pow(padded % prime, private, prime) - signature) * inverse % prime)
            product *= prime
        part = pow(padded % own, pow(EXPONENT, -1, own - 1), own)
        signature += product * ((part - signature) * pow(product, -1, own) % own)
        return signature.to_bytes(size)


@lru_cache(maxsize=4096)
def _shared_part(prime: int, product: int) -> tuple[int, int]:
    """The private exponent modulo a prime, and the inverse there of the product of the primes before it."""
    return pow(EXPONENT, -1, prime - 1), pow(product, -1, prime)


@lru_cache(maxsize=4096)
def key(name: str, bits: int = 2048) -> Key:
    """The key of that name; `bits` is a multiple of 64."""
    shared = tuple(_prime(f"shared {number}") for number in range(bits // _PRIME_BITS - 1))
    return Key((_prime(f"own {name}"), *shared))


@lru_cache(maxsize=4096)
def certificate(
    subject: str,
    *,
    key_name: str,
    start: int,
    end: int,
    issuer: str = "",
    issuer_key: str = "",
    authority: bool = False,
    names: tuple[str, ...] = (),
    usages: tuple[str, ...] = (),
    bits: int = 2048,
    digest: str = "sha256",
) -> bytes:
    """A certificate in DER for the key of that name, signed by the issuer's key, or self-signed.

    `subject` and `issuer` are of the form `CN=name,O=company`; times are seconds since 1970 UTC; `names` are host names,
    `usages` extended key usages as object identifiers; it is signed over `digest`, sha256 or sha1.
    """
    algorithm = _DIGESTS[digest][1]
    public = rsa.RSAPublicNumbers(EXPONENT, key(key_name, bits).modulus).public_key()
    extensions = [_extension(_BASIC_CONSTRAINTS, x509.BasicConstraints(ca=authority, path_length=None))]
    if names:
        extensions.append(_extension(_ALTERNATIVE_NAMES, x509.SubjectAlternativeName([x509.DNSName(name) for name in names])))
    if usages:
        extended = x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage) for usage in usages])
        extensions.append(_extension(_EXTENDED_USAGE, extended))
    serial = hashlib.sha256(f"{subject} {key_name} {start} {end}".encode()).digest()[:16]
    signed = _value(
        _SEQUENCE,
        _value(0xA0, _value(_INTEGER, b"\2")),
        _value(_INTEGER, b"\1" + serial),
        algorithm,
        _name(issuer or subject),
        _value(_SEQUENCE, _time(start), _time(end)),
        _name(subject),
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        _value(0xA3, _value(_SEQUENCE, *extensions)),
    )
    signature = key(issuer_key or key_name, 2048 if issuer_key else bits).sign(signed, digest)
    return _value(_SEQUENCE, signed, algorithm, _value(_BIT_STRING, b"\0" + signature))


def request(subject: str, *, key_name: str, bits: int = 2048) -> bytes:
    """A certificate signing request in DER for the key of that name, without extensions."""
    algorithm = _DIGESTS["sha256"][1]
    public = rsa.RSAPublicNumbers(EXPONENT, key(key_name, bits).modulus).public_key()
    signed = _value(
        _SEQUENCE,
        _value(_INTEGER, b"\0"),
        _name(subject),
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        _value(0xA0),
    )
    return _value(_SEQUENCE, signed, algorithm, _value(_BIT_STRING, b"\0" + key(key_name, bits).sign(signed)))


def modulus(encoded: bytes) -> bytes:
    """The modulus of a certificate's RSA key."""
    public = x509.load_der_x509_certificate(encoded).public_key()
    numbers = public.public_numbers() if isinstance(public, rsa.RSAPublicKey) else None
    return b"" if numbers is None else numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)


def thumbprint(encoded: bytes) -> str:
    """The SHA-1 of a certificate, in upper-case hex."""
    return hashlib.sha1(encoded, usedforsecurity=False).hexdigest().upper()


def _value(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def _name(text: str) -> bytes:
    return x509.Name.from_rfc4514_string(text).public_bytes()


def _time(seconds: int) -> bytes:
    """UTCTime up to 2049, GeneralizedTime after, as RFC 5280 wants them."""
    moment = datetime.fromtimestamp(seconds, UTC)
    if moment.year < 2050:
        return _value(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return _value(0x18, f"{moment.year:04}{moment.strftime('%m%d%H%M%SZ')}".encode())


def _extension(number: int, extension: x509.ExtensionType) -> bytes:
    return _value(_SEQUENCE, bytes((0x06, 3, 0x55, 0x1D, number)), _value(_OCTETS, extension.public_bytes()))


@lru_cache(maxsize=4096)
def _prime(name: str) -> int:
    """A prime of 64 bits, the highest six of them set, so that a product of 32 or 64 has exactly as many bits as it should."""
    candidate = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) | 0xFC << 56 | 1
    while not _is_prime(candidate) or (candidate - 1) % EXPONENT == 0:
        candidate += 2
    return candidate


def _is_prime(odd: int) -> bool:
    """Whether an odd number between 2 ** 63 and 2 ** 64 is prime."""
    if math.gcd(odd, _SMALL_PRIMES) > 1:
        return False
    twos = ((odd - 1) & (1 - odd)).bit_length() - 1
    for witness in _WITNESSES:
        power = pow(witness, (odd - 1) >> twos, odd)
        if power in (1, odd - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % odd
            if power == odd - 1:
                break
        else:
            return False
    return True
