"""The columns of an X.509 certificate, named alike in every table that holds one."""

from keyaudit.model.columns import Column, Type


def x509_columns(operations: tuple[str, ...], absent: str = "") -> tuple[Column, ...]:
    """What a certificate says of itself, but for its dates. `absent` says when a row has no certificate at all."""

    def text(name: str, meaning: str, also: str = "", values: tuple[str, ...] = ()) -> Column:
        why = ", or ".join(part for part in (also, absent) if part)
        return Column(name=name, type=Type.TEXT, meaning=meaning, operations=operations, absent=why, values=values)

    return (
        text("thumbprint_sha256", "SHA-256 of the certificate in upper-case hex"),
        text(
            "public_key_sha256",
            "SHA-256 of its SubjectPublicKeyInfo in upper-case hex: alike for every certificate on the same key",
        ),
        text("subject", "whose certificate it is, as RFC 4514 writes it"),
        text("issuer", "who signed it, as RFC 4514 writes it"),
        Column(
            name="self_signed",
            type=Type.BOOLEAN,
            meaning="its own key made its signature, which was verified",
            operations=operations,
            absent=absent,
        ),
        text("key_type", "kind of its key", values=("RSA", "EC", "DSA", "Ed25519", "Ed448")),
        Column(
            name="key_size",
            type=Type.INTEGER,
            unit="bits",
            meaning="length of an RSA modulus",
            operations=operations,
            absent=", or ".join(part for part in ("its key is not an RSA key", absent) if part),
        ),
        text("curve", "curve of an EC key", "its key is not an EC key", ("P-256", "P-384", "P-521", "P-256K")),
        text("signature_hash", "what its signature was made over", "the algorithm has no choice of hash"),
    )
