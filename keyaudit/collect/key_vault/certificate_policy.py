"""The columns of a certificate's policy. A certificate has one policy for all its versions.

https://learn.microsoft.com/azure/key-vault/certificates/about-certificates
"""

from collections.abc import Mapping

from msgspec import UNSET, Struct

from keyaudit.collect.rows import Row, wired
from keyaudit.collect.wire import Wire, read
from keyaudit.model.coverage import Refusal
from keyaudit.model.reasons import Reason
from keyaudit.model.schema.wire import paths
from keyaudit.model.tables.vaults.certificate import CERTIFICATE
from keyaudit.model.values.times import DAY, MAX_TIME

_RENEWAL = ("auto_renews", "renews_before_expiry", "renews_at_percentage")
_ACTIONS = ("emails_contacts", *_RENEWAL)
_KINDS = frozenset({"autorenew", "emailcontacts"})
"""All types of actions, https://learn.microsoft.com/azure/key-vault/certificates/about-certificates#certificate-policy."""
POLICY = (*_ACTIONS, *(name for name, way in CERTIFICATE.ways().items() if paths(way)[0].startswith("policy.")))

AS_MADE = ("kty", "exportable")
"""Columns that are true for a version only if the policy has not changed since its creation. They never change themselves."""

# The service creates the policy together with the first version; the recorded times differ by a second.
_SAME_MOMENT = 60


class Policy(Struct):
    """A certificate's policy."""

    key_props: Wire = UNSET
    secret_props: Wire = UNSET
    x509_props: Wire = UNSET
    lifetime_actions: Wire = UNSET
    issuer: Wire = UNSET
    attributes: Wire = UNSET


class _Section(Struct):
    """A part of a policy."""


_SECTIONS = {
    name: wired(CERTIFICATE, f"policy.{name}")(_Section)
    for name in ("key_props", "secret_props", "x509_props", "issuer", "attributes")
}


class _Trigger(Struct):
    lifetime_percentage: int | None = None
    days_before_expiry: int | None = None


class _ActionType(Struct):
    action_type: str


class _Action(Struct):
    trigger: _Trigger
    action: _ActionType


def put_policy(row: Row, policy: Policy | Refusal, earlier: Mapping[str, object]) -> None:
    """Fill the columns of the policy. The row's `created_on` comes first.

    `earlier`: `AS_MADE` of the same version in an earlier snapshot, and `unknown`; empty if it has none.
    """
    if isinstance(policy, Refusal):
        row.refuse(POLICY, policy.reason)
        return
    for name, section in _SECTIONS.items():
        row.fill(read(getattr(policy, name), section), f"policy.{name}")
    _forget_what_changed(row, earlier)
    _put_actions(row, policy.lifetime_actions)


def _forget_what_changed(row: Row, earlier: Mapping[str, object]) -> None:
    """A later change of the policy makes these columns unknown for earlier versions, unless they were read before it."""
    updated, created = row.values.get("policy_updated_on"), row.values.get("created_on")
    if not isinstance(updated, int) or not isinstance(created, int):
        reasons = [row.unknown[column] for column in ("policy_updated_on", "created_on") if column in row.unknown]
        # A plan makes a certificate by the policy that it has.
        if reasons[0] is not Reason.NOT_IN_PLAN:
            row.refuse(AS_MADE, reasons[0])
    elif updated > created + _SAME_MOMENT:
        same, unread = earlier.get("created_on") == created, earlier.get("unknown")
        for column in AS_MADE:
            if same and isinstance(unread, Mapping) and column not in unread:
                row.put(column, earlier[column])
            else:
                row.refuse((column,), Reason.NOT_SUPPLIED)


def _put_actions(row: Row, raw: Wire) -> None:
    actions = read(raw, list[_Action])
    if isinstance(actions, Refusal):
        row.refuse(_ACTIONS, actions.reason)
        return
    kinds = [action.action.action_type.lower() for action in actions]
    unheard_of = not _KINDS.issuperset(kinds)
    if unheard_of and "emailcontacts" not in kinds:
        row.refuse(("emails_contacts",), Reason.UNRECOGNISED)
    else:
        row.put("emails_contacts", "emailcontacts" in kinds)
    if unheard_of and "autorenew" not in kinds:
        row.refuse(_RENEWAL, Reason.UNRECOGNISED)
        return
    renewals = [action.trigger for action, kind in zip(actions, kinds, strict=True) if kind == "autorenew"]
    days = [trigger.days_before_expiry for trigger in renewals if trigger.days_before_expiry is not None]
    percentages = [trigger.lifetime_percentage for trigger in renewals if trigger.lifetime_percentage is not None]
    if len(days) + len(percentages) < len(renewals):
        row.refuse(_RENEWAL, Reason.BAD_BODY)
        return
    _put_sane(row, "renews_before_expiry", max(days) * DAY if days else None, most=MAX_TIME)
    _put_sane(row, "renews_at_percentage", min(percentages) if percentages else None, most=100)
    _put_auto_renews(row, bool(renewals))


def _put_sane(row: Row, column: str, value: int | None, *, most: int) -> None:
    row.put_read(column, value if value is None or 0 <= value <= most else Refusal(Reason.BAD_VALUE))


def _put_auto_renews(row: Row, wanted: bool) -> None:
    """Key Vault does not renew certificates of an issuer that it is not integrated with, regardless of the policy.

    https://learn.microsoft.com/azure/key-vault/certificates/overview-renew-certificate
    """
    issuer = row.values.get("issuer_name")
    if not wanted or "issuer_name" not in row.unknown:
        row.put("auto_renews", wanted and isinstance(issuer, str) and issuer.lower() != "unknown")
    else:
        row.refuse(("auto_renews",), row.unknown["issuer_name"])
