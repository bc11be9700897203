"""The columns of an X.509 certificate, named alike in every table that holds one."""

from keyaudit.model.columns import Column, Type, Where


def x509_columns(operations: tuple[str, ...], absent: str = "") -> tuple[Column, ...]:
    """What a certificate says of itself, but for its dates. `absent` says when a row has no certificate at all."""
    return (
        _text("thumbprint_sha256", "SHA-256 of the certificate in upper-case hex", operations, absent),
        _text(
            "public_key_sha256",
            "SHA-256 of its SubjectPublicKeyInfo in upper-case hex: alike for every certificate on the same key",
            operations,
            absent,
        ),
        _text("subject", "whose certificate it is, as RFC 4514 writes it", operations, absent),
        _text("issuer", "who signed it, as RFC 4514 writes it", operations, absent),
        Column(
            name="self_signed",
            type=Type.BOOLEAN,
            meaning="its own key made its signature, which was verified",
            operations=operations,
            absent=absent,
        ),
        *strength_columns(operations, absent),
    )


def strength_columns(operations: tuple[str, ...], absent: str = "", absent_where: tuple[Where, ...] = ()) -> tuple[Column, ...]:
    """Those of them that say how strong its key and its signature are. `absent_where`: the rows without a certificate."""
    return (
        Column(
            name="key_type",
            type=Type.TEXT,
            meaning="kind of its key",
            operations=operations,
            absent=absent,
            absent_where=absent_where,
            values=("RSA", "EC", "DSA", "Ed25519", "Ed448"),
        ),
        Column(
            name="key_size",
            type=Type.INTEGER,
            unit="bits",
            meaning="length of an RSA modulus",
            operations=operations,
            absent=_either("its key is not an RSA key", absent),
        ),
        _text(
            "curve",
            "curve of an EC key",
            operations,
            _either("its key is not an EC key", absent),
            ("P-256", "P-384", "P-521", "P-256K"),
        ),
        _text(
            "signature_hash",
            "what its signature was made over",
            operations,
            _either("the algorithm has no choice of hash", absent),
        ),
    )


def _text(name: str, meaning: str, operations: tuple[str, ...], absent: str, values: tuple[str, ...] = ()) -> Column:
    return Column(name=name, type=Type.TEXT, meaning=meaning, operations=operations, absent=absent, values=values)


def _either(why: str, absent: str) -> str:
    return ", or ".join(part for part in (why, absent) if part)
