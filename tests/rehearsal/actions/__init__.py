"""The action of a cause, taken in the simulated tenant itself: no single command does all of it, or az cannot do it there."""

from collections.abc import Callable, Iterable, Mapping

from keyaudit.simulator.estate import Estate
from tests.rehearsal.actions import azure, directory
from tests.rehearsal.stage import Finding

Action = Callable[[Estate, str], Estate]
"""Takes the tenant and the id of the object of a cause."""


ACTIONS: Mapping[str, Action] = {
    "account-keys": azure.keys_off,
    "app-management-policy": directory.limited,
    "authorization-policy": directory.no_registrations,
    "certificate": azure.new_certificate,
    "credential": directory.without_credential,
    "delegation": azure.without_delegation,
    "grant": azure.without_grant,
    "inherited-permissions": directory.inherits_nothing,
    "key-signers": azure.one_environment,
    "key-version": azure.new_version,
    "old-key-versions": azure.current_alone,
    "platform-certificates": directory.without_certificates,
    "principal": directory.without_permissions,
    "redirect-uris": directory.exact_addresses,
    "secret": azure.new_value,
    "service-key": azure.unpinned,
    "secret-readers": azure.without_readers,
    "shared-key": directory.own_keys,
    "sign-in-audience": directory.this_tenant_alone,
    "signing-certificate": directory.new_signing_certificate,
    "subscription-roles": azure.data_by_role_alone,
    "vault-administrators": azure.without_workloads,
    "vault-audit-log": azure.searchable,
    "vault-network": azure.private,
}
"""By kind of cause."""


def acted(tenant: Estate, findings: Iterable[Finding]) -> Estate:
    """The tenant after the action of each cause that several of these findings share."""
    causes = {(each["cause"]["kind"], each["cause"]["object"]) for each in findings if each["cause"]}
    for kind, object_ in sorted(causes):
        if kind in ACTIONS:
            tenant = ACTIONS[kind](tenant, object_)
    return tenant
