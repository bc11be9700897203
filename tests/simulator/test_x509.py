"""The simulated tenant's certificates are real ones: any library reads them and finds their signatures valid."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from keyaudit.simulator.x509 import certificate, thumbprint

ROOT = certificate("CN=root,O=Contoso", key_name="root", start=1_600_000_000, end=4_000_000_000, authority=True)


def test_a_certificate_that_signs_itself_and_one_that_it_signs() -> None:
    leaf = certificate(
        "CN=leaf",
        key_name="leaf",
        start=1_700_000_000,
        end=1_800_000_000,
        issuer="CN=root,O=Contoso",
        issuer_key="root",
        names=("leaf.example",),
        bits=4096,
    )
    root, signed = x509.load_der_x509_certificate(ROOT), x509.load_der_x509_certificate(leaf)
    root.verify_directly_issued_by(root)
    signed.verify_directly_issued_by(root)
    sizes = [key.key_size for key in (root.public_key(), signed.public_key()) if isinstance(key, RSAPublicKey)]
    assert sizes == [2048, 4096]
    assert signed.not_valid_before_utc.timestamp() == 1_700_000_000
    assert root.not_valid_after_utc.timestamp() == 4_000_000_000
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    names = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["leaf.example"]
    assert thumbprint(leaf) == signed.fingerprint(hashes.SHA1()).hex().upper()


def test_the_same_names_give_the_same_certificate_and_others_another_key() -> None:
    again = certificate("CN=root,O=Contoso", key_name="root", start=1_600_000_000, end=4_000_000_000, authority=True)
    other = certificate("CN=root,O=Contoso", key_name="other", start=1_600_000_000, end=4_000_000_000, authority=True)
    assert again == ROOT
    mine, others = (x509.load_der_x509_certificate(each).public_key() for each in (ROOT, other))
    assert mine != others


def test_a_certificate_signed_over_sha1_is_valid_too() -> None:
    made = certificate("CN=old", key_name="old", start=1_600_000_000, end=1_700_000_000, bits=1024, digest="sha1")
    old = x509.load_der_x509_certificate(made)
    public = old.public_key()
    assert isinstance(public, RSAPublicKey)
    assert isinstance(old.signature_hash_algorithm, hashes.SHA1)
    public.verify(old.signature, old.tbs_certificate_bytes, padding.PKCS1v15(), hashes.SHA1())
