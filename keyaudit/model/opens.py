"""What a row of each table opens to anyone who has it, as conditions over its columns, in the language of policies.

The first that holds counts; where none holds, the row opens little. A column that was not read keeps its level possible. They
rest on what Entra, ARM, Key Vault or the settings state, and never on a name or tag that somebody in the tenant chooses.
"""

from collections.abc import Mapping

from keyaudit.model.severity import Opens

ALWAYS = ""
Rules = Mapping[Opens, str]
"""Conditions in descending order of what is opened."""

_SEEN = "{0} is not None and now - {0} <= days(90)"
_APPLICATION = _SEEN.format("last_client_sign_in_on")
_USED = _SEEN.format("holder_last_sign_in_on")
_SIGNED_IN = _SEEN.format("last_sign_in_on")
_CONTROL = "tier0 or not covers([], delegated_control)"
_DATA = "tenant_wide or not covers([], delegated_data) or opens_subscriptions or opens_signing"
_TENANT: Rules = {Opens.TENANT: ALWAYS}
_WIDE: Rules = {Opens.WIDE: ALWAYS}
_ONE: Rules = {Opens.ONE: ALWAYS}
_UNLESS_IN_TEST: Rules = {Opens.ONE: "not in_test"}
_RIGHTS: Rules = {Opens.TENANT: "tier0", Opens.WIDE: "tenant_wide", Opens.ONE: ALWAYS}

OPENS: Mapping[str, Rules] = {
    "application": {
        Opens.TENANT: _CONTROL,
        Opens.WIDE: _DATA,
        # What an application of several tenants may do in the others cannot be seen.
        Opens.ONE: f'not unprivileged or opens_vaults or audience != "AzureADMyOrg" or ({_APPLICATION})',
    },
    # A disabled one is refused its sign-in.
    "service_principal": {
        Opens.TENANT: f"(enabled is None or enabled) and ({_CONTROL})",
        Opens.WIDE: f"(enabled is None or enabled) and ({_DATA})",
        Opens.ONE: f"(enabled is None or enabled) and (not unprivileged or opens_vaults or ({_SIGNED_IN}))",
    },
    "credential": {
        Opens.TENANT: "holder_tier0",
        Opens.WIDE: "holder_tenant_wide or holder_opens_subscriptions or holder_opens_signing",
        # The permissions of Microsoft's own applications cannot all be seen, nor those in other tenants.
        Opens.ONE: (
            'holder_home == "microsoft" or not holder_unprivileged or holder_opens_vaults'
            f' or (holder_audience is not None and holder_audience != "AzureADMyOrg") or ({_USED})'
        ),
    },
    "managed_identity": {
        Opens.TENANT: "tier0",
        Opens.WIDE: "tenant_wide or signs",
        Opens.ONE: ALWAYS,
    },
    "risky_principal": _RIGHTS,
    "blueprint": _RIGHTS,
    "agent": {Opens.WIDE: "not covers([], inherited_wide)", Opens.ONE: ALWAYS},
    # A federated domain's certificate signs in as any user of the domain, its administrators included.
    "signing_certificate": {
        Opens.TENANT: 'kind == "federated-domain"',
        Opens.ONE: f"holder_enabled is not None and holder_enabled and ({_SIGNED_IN})",
    },
    "federated_domain": _TENANT,
    # The holder of a CA that Entra trusts for sign-in can issue a certificate for any user.
    "trusted_authority": _TENANT,
    "tenant": _TENANT,
    "app_management_policy": {Opens.TENANT: 'kind == "default"', Opens.ONE: ALWAYS},
    # What else signs with a key need not be shown: it is a signing key unless nothing but services wraps with it.
    "key": {
        Opens.WIDE: (
            'not in_test and (vault_kind == "managed-hsm" or (purpose == "sign" and (used_by == 0 or others_signing > 0)))'
        ),
        Opens.ONE: 'not in_test and purpose != "public"',
    },
    "certificate": {
        Opens.TENANT: "authenticates_tier0",
        Opens.WIDE: ('authenticates_wide or (not in_test and purpose is not None and purpose in ["code-signing", "ca"])'),
        Opens.ONE: "not in_test or live_credentials > 0",
    },
    "secret": _UNLESS_IN_TEST,
    "account_key": _UNLESS_IN_TEST,
    "vault": {Opens.WIDE: 'not in_test and (kind == "managed-hsm" or holds_signing_key)', Opens.ONE: "not in_test"},
    "grant": {
        Opens.TENANT: "tier is not None and tier == 0",
        Opens.WIDE: (
            '(tier is not None and tier == 1) or scope_kind in ["root", "management-group"]'
            ' or (not in_test and (scope_kind == "subscription" or "sign" in allows))'
        ),
        Opens.ONE: "not in_test",
    },
    # Who may only purge, or set a policy where no vault has policies, gets no key by it.
    "delegation": {
        Opens.WIDE: (
            'not covers(["purge-vault", "set-policy"], allows) or not covers(["purge-vault", "set-policy"], eligible_allows)'
            " or not covers([], policy_vaults)"
        ),
    },
    **dict.fromkeys(
        (
            "conditional_access_policy",
            "custody_record",
            "ekm_certificate",
            "foreign_tenant",
            "hsm_device",
            "hsm_setting",
            "issuer_key",
            "log_table",
            "risk_detection",
            "shared_key",
            "subscription",
            "token_policy",
            "token_validator",
            "trusted_key",
        ),
        _WIDE,
    ),
    **dict.fromkeys(("deleted", "key_use", "secret_use", "unusual_use"), _ONE),
    "usage": {
        Opens.TENANT: 'target_kind in ["domain", "tenant"]',
        # Not all permissions of Microsoft's own applications can be seen.
        Opens.WIDE: 'target_home is not None and target_home == "microsoft"',
        Opens.ONE: ALWAYS,
    },
}
"""By table, in the order of `Opens` from above. A table that is not here has no policy of a computed severity."""
