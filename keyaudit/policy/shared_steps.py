"""Steps that many fixes have: what they break, what must be true before, how to see that they worked, and how to go back.

A fix names one with `use`, and gives the command for its own row.
"""

from collections.abc import Mapping

USE = "use"

_ENTRA = "Entra keeps its logs for 7 days, or for 30 days with a P1 or P2 licence"
"""https://learn.microsoft.com/entra/identity/monitoring-health/reference-reports-data-retention"""
_UNIFIED = "the unified audit log keeps records for 180 days by default, or for a year with an E5 licence"
"""https://learn.microsoft.com/purview/audit-log-retention-policies"""

STEPS: Mapping[str, Mapping[str, str]] = {
    "keep-credential-log": {
        "text": (
            'First keep the audit log\'s entry "Add service principal credentials", which says who added it, and the sign-ins '
            f"of this principal. {_ENTRA}."
        ),
    },
    "keep-logs": {
        "text": (
            f"First keep the logs of these days, which are deleted after a time. {_ENTRA}, and {_UNIFIED}. An exported log is "
            "kept for as long as its workspace or storage account says."
        ),
    },
    "remove-credential": {
        "text": "Delete the credential.",
        "breaks": (
            "Every program that still signs in with it. Tokens that were issued before may stay valid until they expire. Last "
            "sign-in with it that Entra reports: {last_used_on:none, which proves nothing}."
        ),
        "before": "Nothing signs in with it any more, jobs that run once a month or once a year included.",
        "check": "List the credentials again: key id {key_id} is gone. The application still signs in.",
        "back": "A deleted credential cannot be restored: add a new one.",
    },
    "remove-federated-credential": {
        "text": "Delete the federated credential.",
        "breaks": (
            "The workload that this issuer and subject stand for can no longer sign in as {holder_name:the application}, whose "
            "last sign-in that Entra reports is: {holder_last_sign_in_on:none}."
        ),
        "before": "No workload of yours needs it: the sign-in log shows none, and the owner agrees.",
        "check": "List the federated credentials again: {name} is gone. Workloads that use another one still sign in.",
        "back": "Create it again with the same issuer, subject and audience: note them before.",
    },
    "disable-service-principal": {
        "text": "Disable the service principal. It stops at once, and nothing is deleted.",
        "breaks": (
            "Every sign-in as the application, and every sign-in of users to it. Tokens that were issued before may stay valid "
            "until they expire. Last sign-in as the application that Entra reports: {last_client_sign_in_on:none}; last "
            "sign-in of any kind: {last_sign_in_on:none}."
        ),
        "before": "The owner agrees, or nothing signs in as it any more.",
        "check": "az ad sp show --id {app_id} --query accountEnabled prints false.",
        "back": "az ad sp update --id {app_id} --set accountEnabled=true",
    },
    "disable-key-version": {
        "text": "Disable the version.",
        "breaks": (
            "Every operation with it, decryption and unwrapping of old data included. Azure services that encrypt with the "
            "key: {used_by}. Last use in the supplied logs: {last_used_on:none}."
        ),
        "before": "Nothing uses it, and no data or backup needs it any more.",
        "check": "az keyvault key show --id {id} --query attributes.enabled prints false.",
        "back": "az keyvault key set-attributes --id {id} --enabled true",
    },
}
"""By name, the parts of the step as in `model.fixes`, with placeholders for the columns of its table."""
