"""What a plan says of a new certificate: what its policy decides, and nothing else.

The resources are the examples in website/docs/r/key_vault_certificate.html.markdown of hashicorp/terraform-provider-azurerm and
docs/resources/application_certificate.md of hashicorp/terraform-provider-azuread.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from keyaudit.model.coverage import Refusal
from keyaudit.model.errors import Exit
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import parse_time
from keyaudit.plan.document.resources import Planned, Resources
from keyaudit.plan.document.terraform import decode
from keyaudit.plan.resources.certificates import decided_of
from tests.clock import COLLECTED
from tests.plan.small import UNKNOWN, Resource, plan, references, vault, written
from tests.plan.test_gate import LOGGED, SAFE, gate, keyaudit

__all__ = ["gate", "keyaudit"]

LATER, ISSUED = Refusal(Reason.AFTER_APPLY), Refusal(Reason.NOT_IN_PLAN)
_CERTIFICATE = "azurerm_key_vault_certificate.example"


def certificate(issuer: object = "Self", key: Mapping[str, Any] | None = None, **changed: Any) -> Resource:
    """The documented example of a generated certificate, with another issuer, key properties, or X.509 properties."""
    x509 = {
        "extended_key_usage": ["1.3.6.1.5.5.7.3.1"],
        "key_usage": ["digitalSignature", "keyEncipherment"],
        "subject": "CN=hello-world",
        "validity_in_months": 12,
        "subject_alternative_names": [{"dns_names": ["internal.contoso.com"], "emails": None, "upns": None}],
    }
    policy = {
        "issuer_parameters": [{"name": issuer}],
        "key_properties": [
            {"exportable": False, "key_size": 4096, "key_type": "RSA-HSM", "reuse_key": False, "curve": UNKNOWN, **(key or {})}
        ],
        "lifetime_action": [
            {
                "action": [{"action_type": "AutoRenew"}],
                "trigger": [{"days_before_expiry": 30, "lifetime_percentage": None}],
            }
        ],
        "secret_properties": [{"content_type": "application/x-pkcs12"}],
        "x509_certificate_properties": [{**x509, **changed}],
    }
    return _with_policy(name="generated-cert", certificate=[], certificate_policy=[policy])


def _with_policy(**values: Any) -> Resource:
    computed = dict.fromkeys(("certificate_attribute", "certificate_data", "thumbprint", "version", "versionless_id"), UNKNOWN)
    return Resource(_CERTIFICATE, {**computed, "tags": None, **values}, {"key_vault_id": "azurerm_key_vault.example.id"})


IMPORTED = {"name": "imported-cert", "certificate": [{"contents": "bm8gY2VydGlmaWNhdGU=", "password": ""}]}


def decided(resource: Resource, *configured: str, now: int = COLLECTED) -> dict[str, object]:
    """What is decided of a certificate whose configuration has these X.509 properties."""
    document = plan(vault(), resource)
    [shown] = [each for each in document["configuration"]["root_module"]["resources"] if each["address"] == _CERTIFICATE]
    x509: dict[str, Any] = {name: {"references": []} for name in configured}
    shown["expressions"]["certificate_policy"] = [{"x509_certificate_properties": [x509]}] if configured else []
    planned = Resources(decode(written(document), "plan.json")).at(_CERTIFICATE)
    assert isinstance(planned, Planned)
    return decided_of(planned, planned.block("certificate_policy"), now)


@pytest.mark.parametrize(
    ("begins", "months", "ends"),
    [
        ("2026-11-24T12:00:00Z", 12, "2027-11-24T12:00:00Z"),
        ("2026-12-31T12:00:00Z", 13, "2028-01-31T12:00:00Z"),
        # A month without that day ends with its last one.
        ("2027-01-31T12:00:00Z", 1, "2027-02-28T12:00:00Z"),
        ("2027-12-31T12:00:00Z", 2, "2028-02-29T12:00:00Z"),
    ],
)
def test_it_ends_after_as_many_calendar_months_as_its_policy_says(begins: str, months: int, ends: str) -> None:
    found = decided(certificate(validity_in_months=months), now=parse_time(begins))
    assert found["not_after"] == parse_time(ends)


def test_a_certificate_that_the_vault_signs_is_as_its_policy_says() -> None:
    found = decided(certificate())
    expected = {
        "self_signed": True,
        "is_ca": False,
        "not_before": COLLECTED,
        "key_type": "RSA",
        "key_size": 4096,
        "curve": None,
        "ekus": ["1.3.6.1.5.5.7.3.1"],
        "subject": "CN=hello-world",
        # Only an issued certificate has these.
        "thumbprint": ISSUED,
        "signature_hash": ISSUED,
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("resource", "configured", "expected"),
    [
        # What the configuration would decide, and computes.
        (certificate(UNKNOWN), (), {"self_signed": LATER, "not_after": LATER, "key_size": 4096}),
        (certificate(key={"key_size": UNKNOWN}), (), {"key_type": "RSA", "key_size": LATER}),
        (certificate(key={"key_type": UNKNOWN}), (), {"key_type": LATER, "key_size": LATER, "curve": LATER}),
        (certificate(key={"key_type": "EC", "curve": UNKNOWN}), (), {"key_type": "EC", "key_size": None, "curve": LATER}),
        (certificate(validity_in_months=UNKNOWN), (), {"not_after": LATER, "is_ca": False}),
        (_with_policy(name="x", certificate=[], certificate_policy=UNKNOWN), (), {"self_signed": LATER, "key_size": LATER}),
        (certificate(extended_key_usage=UNKNOWN), ("subject", "extended_key_usage"), {"ekus": LATER}),
        # A dynamic block shows nothing in the configuration.
        (certificate(extended_key_usage=UNKNOWN), (), {"ekus": LATER}),
        # What the service, a CA or a file decides.
        (certificate(extended_key_usage=UNKNOWN), ("subject",), {"ekus": ISSUED}),
        (certificate("DigiCert"), (), {"self_signed": False, "not_after": ISSUED, "ekus": ISSUED, "key_size": 4096}),
        (certificate("Unknown"), (), {"self_signed": ISSUED, "issued": ISSUED, "not_after": ISSUED, "key_size": 4096}),
        (_with_policy(**IMPORTED, certificate_policy=UNKNOWN), (), {"self_signed": ISSUED, "key_size": ISSUED}),
    ],
)
def test_what_is_computed_is_not_what_only_an_issued_certificate_has(
    resource: Resource, configured: tuple[str, ...], expected: Mapping[str, object]
) -> None:
    found = decided(resource, *configured)
    assert {name: found[name] for name in expected} == expected


def test_a_plan_with_a_certificate_passes_and_one_with_a_computed_key_does_not(gate: Any) -> None:
    ran = gate(vault(**SAFE), LOGGED, certificate("DigiCert"))
    assert ran.code == Exit.CLEAN, ran.out
    ran = gate(vault(**SAFE), LOGGED, certificate(key={"key_size": UNKNOWN}), flags=("--select", "use-weak-certificate"))
    assert ran.code == Exit.INCOMPLETE, ran.out
    assert "UNKNOWN  use-weak-certificate" in ran.out


@pytest.mark.exhaustive
def test_applications_that_refer_to_one_certificate_share_it(gate: Any) -> None:
    refers = {
        "value": f"{_CERTIFICATE}.certificate_data",
        "end_date": references(f"{_CERTIFICATE}.certificate_attribute[0].expires"),
    }
    several = ("--select", "combo-one-cert-many-identities", "--select", "sp-same-credential-on-several")
    applications = []
    for name in ("one", "two"):
        values = {"type": "AsymmetricX509Cert", "encoding": "hex", "start_date": UNKNOWN, "end_date_relative": None}
        of = {"application_id": f"azuread_application.{name}.id"}
        applications.append(
            (
                Resource(f"azuread_application.{name}", {"display_name": name, "client_id": UNKNOWN, "object_id": UNKNOWN}),
                Resource(f"azuread_application_certificate.{name}", values, {**of, **refers}),
            )
        )
    one, two = applications
    ran = gate(vault(**SAFE), LOGGED, certificate(), *one, *two, flags=several)
    # The permissions of the applications are not in the plan.
    assert ran.code == Exit.INCOMPLETE, ran.out
    assert "used by several applications: generated-cert" in ran.out.replace("kv-example/certificates/", "")
    assert ran.out.count("PERHAPS  sp-same-credential-on-several") == 2
    ran = gate(vault(**SAFE), LOGGED, certificate(), *one, flags=several)
    assert ran.code == Exit.CLEAN, ran.out


def test_no_credential_of_the_tenant_has_the_key_of_a_new_certificate(gate: Any) -> None:
    flags = ("--select", "kv-cert-self-signed-auth")
    ran = gate(vault(**SAFE), LOGGED, certificate(), flags=flags)
    assert "0 unknown, 0 passed, 1 not applicable" in ran.out
    assert "NOT EVALUATED" not in ran.out
    exists = certificate()
    exists.actions = ("no-op",)
    ran = gate(vault(**SAFE), LOGGED, exists, flags=flags)
    assert "NOT EVALUATED  1 policy" in ran.out
