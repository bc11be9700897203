"""Certificates of vaults in a plan: their policies, and what a policy decides of the certificate that is issued by it.

website/docs/r/key_vault_certificate.html.markdown of hashicorp/terraform-provider-azurerm, and
https://learn.microsoft.com/azure/key-vault/certificates/about-certificates.
"""

import calendar
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Raw

from keyaudit.collect.key_vault.certificate_rows import FACTS
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.values.times import iso_time, parse_time
from keyaudit.plan.document.resources import AFTER_APPLY, NOT_IN_PLAN, Planned, Value, View

_SELF, _UNKNOWN = "self", "unknown"
"""Names of issuers in lower case: the vault itself, and a CA that Key Vault does not deal with."""
_MOST_MONTHS = 1_200
_ONE_NAME = re.compile(r"CN=[\w.-]+(?: [\w.-]+)*", re.ASCII)
"""A subject of one common name, which RFC 4514 writes in the same way."""
_LATER, _ISSUED = Refusal(Reason.AFTER_APPLY), Refusal(Reason.NOT_IN_PLAN)


def is_imported(planned: Planned) -> bool:
    """Whether the certificate is one of a file, so that the vault issues none."""
    found, unknown = planned.parts("certificate")
    return bool(found) or bool(unknown) or planned.is_set("certificate")


def policy_of(planned: Planned, policy: "View | Raw | None") -> Value:
    """The policy of a certificate, as a GET of the certificate has it."""
    if isinstance(policy, View):
        return _policy(policy)
    # Of an imported certificate, the service makes the policy that is not set by what the file holds.
    return NOT_IN_PLAN if is_imported(planned) and not planned.is_set("certificate_policy") else AFTER_APPLY


def decided_of(planned: Planned, policy: "View | Raw | None", now: int) -> dict[str, object]:
    """The known facts of a new certificate before it is issued, by column of its table; each other fact is refused.

    `now`: when it is issued. A fact that the configuration would decide, and whose value is known after apply, is refused as
    after_apply; one that only an issued certificate has as not_in_plan.
    """
    found: dict[str, object] = dict.fromkeys(FACTS, _ISSUED)
    if is_imported(planned):
        return found
    # The vault makes a new key for it, which nothing else has.
    found["public_key_sha256"] = hashlib.sha256(planned.stands_for("public_key").encode()).hexdigest().upper()
    if not isinstance(policy, View):
        return found | dict.fromkeys((*_OF_KEY, *_OF_ISSUER), _LATER)
    return found | _key(policy.block("key_properties")) | _by_issuer(planned, policy, now)


def wired(fact: object) -> Value:
    """A time that was decided, as an answer has it."""
    if isinstance(fact, Refusal):
        return AFTER_APPLY if fact.reason is Reason.AFTER_APPLY else NOT_IN_PLAN
    return fact


_OF_KEY = ("key_type", "key_size", "curve")
_OF_ISSUER = ("self_signed", "is_ca", "not_before", "not_after", "ekus", "key_usage", "public_ca_marks")


def _key(properties: "View | Raw | None") -> dict[str, object]:
    if not isinstance(properties, View):
        return dict.fromkeys(_OF_KEY, _LATER)
    kty, size, curve = (properties.value(name) for name in ("key_type", "key_size", "curve"))
    family = kty.upper().removesuffix("-HSM") if isinstance(kty, str) else ""
    if family == "RSA":
        return {"key_type": "RSA", "key_size": size if isinstance(size, int) else _LATER, "curve": None}
    if family == "EC":
        return {"key_type": "EC", "key_size": None, "curve": curve if isinstance(curve, str) else _LATER}
    return dict.fromkeys(_OF_KEY, _LATER)


def _by_issuer(planned: Planned, policy: View, now: int) -> dict[str, object]:
    issuer, x509 = policy.block("issuer_parameters"), policy.block("x509_certificate_properties")
    name = issuer.value("name") if isinstance(issuer, View) else AFTER_APPLY
    if not isinstance(name, str):
        return dict.fromkeys(_OF_ISSUER, _LATER)
    if name.lower() == _SELF:
        return {"self_signed": True, **_self_issued(planned, x509, now)}
    # Another CA decides what it certifies. Where Key Vault deals with none, the requester has it issued, by any, later.
    return {"issued": _ISSUED} if name.lower() == _UNKNOWN else {"self_signed": False}


def _self_issued(planned: Planned, x509: "View | Raw | None", now: int) -> dict[str, object]:
    """The facts that the policy decides of a certificate that the vault signs; it begins when it is made."""
    if not isinstance(x509, View):
        return dict.fromkeys(_OF_ISSUER[1:], _LATER)
    months, uses = x509.value("validity_in_months"), x509.value("key_usage")
    purposes = x509.value("extended_key_usage")
    known = isinstance(months, int) and 0 < months <= _MOST_MONTHS
    if isinstance(purposes, Raw):
        # Computed where it is not set: the service then chooses. A dynamic block does not show whether it is.
        properties = ("certificate_policy", "x509_certificate_properties")
        left_out = planned.is_set(*properties) and not planned.is_set(*properties, "extended_key_usage")
        purposes = _ISSUED if left_out else _LATER
    subject = x509.value("subject")
    named = subject if isinstance(subject, str) and _ONE_NAME.fullmatch(subject) else _ISSUED
    return {
        "subject": named,
        "issuer": named,
        # https://learn.microsoft.com/rest/api/keyvault/certificates/create-certificate/create-certificate
        # No property of a policy asks for the certificate of a CA.
        "is_ca": False,
        "public_ca_marks": [],
        "not_before": now,
        "not_after": _months_after(now, months) if known else _LATER,
        "ekus": purposes or _ISSUED,
        "key_usage": _LATER if isinstance(uses, Raw) else uses or _ISSUED,
    }


def _months_after(begun: int, months: int) -> int:
    text = iso_time(begun)
    years, month = divmod(int(text[5:7]) - 1 + months, 12)
    year = int(text[:4]) + years
    day = min(int(text[8:10]), calendar.monthrange(year, month + 1)[1])
    return parse_time(f"{year:04}-{month + 1:02}-{day:02}{text[10:]}")


def _policy(policy: View) -> Mapping[str, Any]:
    key, secret, x509, issuer = (
        policy.block(name)
        for name in ("key_properties", "secret_properties", "x509_certificate_properties", "issuer_parameters")
    )
    return {
        "key_props": _section(key, {"kty": "key_type", "exportable": "exportable", "reuse_key": "reuse_key"}),
        "secret_props": _section(secret, {"contentType": "content_type"}),
        "x509_props": _section(x509, {"validity_months": "validity_in_months"}),
        "issuer": _section(issuer, {"name": "name"}),
        "attributes": {"updated": NOT_IN_PLAN},
        "lifetime_actions": _actions(policy.blocks("lifetime_action")),
    }


def _section(block: "View | Raw | None", members: Mapping[str, str]) -> Value:
    if block is None or isinstance(block, Raw):
        return AFTER_APPLY
    return {name: block.value(attribute) for name, attribute in members.items()}


def _actions(blocks: "list[View] | Raw") -> Value:
    if isinstance(blocks, Raw):
        return blocks
    found = []
    for block in blocks:
        action, trigger = block.block("action"), block.block("trigger")
        if action is None or trigger is None or isinstance(action, Raw) or isinstance(trigger, Raw):
            return AFTER_APPLY
        kind = action.value("action_type")
        days, percent = trigger.value("days_before_expiry"), trigger.value("lifetime_percentage")
        if any(isinstance(each, Raw) for each in (kind, days, percent)):
            return AFTER_APPLY
        # The provider keeps 0 for an attribute that is not set.
        found.append(
            {
                "action": {"action_type": kind},
                "trigger": {"days_before_expiry": days or None, "lifetime_percentage": percent or None},
            }
        )
    return found
