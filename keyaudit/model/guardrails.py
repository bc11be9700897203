"""Guardrails that a policy can name: Azure and Entra settings that block, or report at once, what the policy finds afterwards.

Definitions of Azure Policy are not among them: policies name those as controls of the framework `azure-policy`.
"""

from collections.abc import Mapping

from msgspec import Struct

from keyaudit.model.schema.columns import Type

AZURE_POLICY = "azure-policy"
APP_MANAGEMENT_POLICY = "app-management-policy"
ALERTS = "alerts"

KINDS: Mapping[str, str] = {
    AZURE_POLICY: "built-in definitions of Azure Policy",
    APP_MANAGEMENT_POLICY: "restrictions of the tenant's default app management policy",
    ALERTS: "alert rules on logs, which block nothing and report only events after their deployment",
}
"""Each kind of guardrail, with what it consists of."""

ENABLED = "enabled"
"""The value in a policy for a guardrail without a limit."""


class Guardrail(Struct, frozen=True):
    """`takes`: the type of the limit that a policy sets for it; None: no limit. `beta`: only Graph's /beta has it, so no
    document does.
    """

    meaning: str
    takes: Type | None = None
    beta: bool = False


GUARDRAILS: Mapping[str, Mapping[str, Guardrail]] = {
    APP_MANAGEMENT_POLICY: {
        "passwordAddition": Guardrail("no client secret can be added"),
        "passwordLifetime": Guardrail("a new client secret has a limited lifetime", Type.DURATION),
        "customPasswordAddition": Guardrail("the service generates client secrets"),
        "asymmetricKeyLifetime": Guardrail("a new certificate has a limited lifetime", Type.DURATION),
        "uriAdditionWithoutUniqueTenantIdentifier": Guardrail("a new identifier URI contains the tenant's id or domain"),
        # https://learn.microsoft.com/graph/api/resources/redirecturiconfiguration?view=graph-rest-beta
        "uriWithWildcard": Guardrail("a new redirect URI has no wildcard", beta=True),
        "uriWithoutAllowedScheme": Guardrail("a new redirect URI has an allowed scheme", beta=True),
        "uriWithoutAllowedDomain": Guardrail("a new redirect URI is in an allowed domain", beta=True),
        # https://learn.microsoft.com/graph/api/resources/audiencesconfiguration?view=graph-rest-beta
        "azureAdMultipleOrgs": Guardrail("no application is created for every tenant", beta=True),
        "personalMicrosoftAccount": Guardrail("no application is created for personal accounts", beta=True),
    },
    ALERTS: {
        "key-vault": Guardrail("a key was backed up, released, imported, rotated or deleted"),
        "application-credentials": Guardrail("an application or service principal got a credential"),
        "federation": Guardrail("a domain was federated, or its federation changed"),
        "diagnostic-settings": Guardrail("an Azure log is no longer exported"),
        "unified-audit": Guardrail("the unified audit log was switched off"),
        "shared-signing-key": Guardrail("more applications than allowed signed with one key", Type.INTEGER),
        "mail-by-one-application": Guardrail("one application read many mailboxes"),
    },
}
"""Guardrails by kind and name. Restrictions have Microsoft Graph's names, alert rules those of `alert_rule.watches`."""
