"""Steps that many fixes have: what they break, what must be true before, how to see that they worked, and how to go back.

A fix names one with `use`. Some have a command, and another one for some rows; to others the fix gives the command itself.
"""

from collections.abc import Mapping, Sequence

USE = "use"

_ENTRA = "Entra keeps its logs for 7 days, or for 30 days with a P1 or P2 licence"
"""https://learn.microsoft.com/entra/identity/monitoring-health/reference-reports-data-retention"""
_UNIFIED = "the unified audit log keeps records for 180 days by default, or for a year with an E5 licence"
"""https://learn.microsoft.com/purview/audit-log-retention-policies"""

_TOKENS = "Tokens issued earlier may stay valid until they expire."
"""Of a deactivated application it is documented: "existing tokens remain valid until they expire",
https://learn.microsoft.com/entra/identity/enterprise-apps/deactivate-app-registration. Only some are revoked at once:
https://learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation-workload
"""

_IDENTITY = 'holder_kind == "managed_identity" or holder_type == "ManagedIdentity"'
_OF_IDENTITY = (
    "--subscription {part(holder_id, subscriptions):SUBSCRIPTION} "
    "--resource-group {part(holder_id, resourceGroups):RESOURCE_GROUP} --identity-name {holder_name:IDENTITY}"
)
_ADD = "az ad app federated-credential create --id {app_id} --parameters credential.json"
_PRINCIPAL, _CERTIFICATE = 'holder_kind == "service_principal"', 'kind == "certificate"'
_DELETE = "az ad app credential delete --id {app_id} --key-id {key_id}"
_DELETE_OF_PRINCIPAL = "az ad sp credential delete --id {app_id} --key-id {key_id}"


def _add_to_identity(issuer: str) -> str:
    return (
        f"az identity federated-credential create {_OF_IDENTITY} --name NEW_NAME --issuer {issuer} --subject SUBJECT "
        "{--audiences audiences}"
    )


_REMOVE_CREDENTIAL = {
    "text": "Delete the credential.",
    "breaks": (
        f"Every program that still signs in with it. {_TOKENS} Last sign-in with it that Entra reports: "
        "{last_used_on:none, which proves nothing}."
    ),
    "before": "Nothing signs in with it any longer, including monthly and yearly jobs.",
    "check": "List the credentials again: key id {key_id} is gone. The application still signs in.",
    "back": "A deleted credential cannot be restored: add a new one.",
}

_REMOVE_ROLE = {
    "text": "Remove the wide role.",
    "breaks": (
        "Everything {name:it} does with the wide role but cannot do with the new one. Last sign-in that Entra reports: "
        "{last_sign_in_on:none}."
    ),
    "before": "It works with the new role, and the activity log shows no action that it would lose.",
    "check": "It still does its task, and the next audit no longer lists the role.",
    "back": "Assign the same role at the same scope again: note them first.",
}

_DEFAULT_POLICY = 'kind == "default"'
_URL = "https://graph.microsoft.com/beta/policies/defaultAppManagementPolicy"

STEPS: Mapping[str, Mapping[str, str]] = {
    "keep-credential-log": {
        "text": (
            'First save the audit log\'s entry "Add service principal credentials", which shows who added it, and the sign-ins '
            f"of this principal. {_ENTRA}."
        ),
    },
    "keep-logs": {
        "text": (
            f"First save the logs of these days, which are deleted after a time. {_ENTRA}, and {_UNIFIED}. The workspace or "
            "storage account sets how long an exported log is kept."
        ),
    },
    "remove-credential": _REMOVE_CREDENTIAL,
    "remove-credential-of-application": {**_REMOVE_CREDENTIAL, "cli": _DELETE},
    "remove-credential-of-either": {**_REMOVE_CREDENTIAL, "cli": _DELETE},
    "remove-certificate": {**_REMOVE_CREDENTIAL, "cli": f"{_DELETE} --cert"},
    "add-federated-credential": {
        "text": "Add a second federated credential.",
        "cli": _ADD,
    },
    "move-federated-credential": {
        "text": "Add a federated credential with the new issuer.",
        "cli": _ADD,
    },
    "remove-federated-credential": {
        "text": "Delete the federated credential.",
        "breaks": (
            "The workload with this issuer and subject can no longer sign in as {holder_name:the application}. Last sign-in "
            "that Entra reports: {holder_last_sign_in_on:none}."
        ),
        "before": "None of your workloads needs it: the sign-in log shows none, and the owner agrees.",
        "check": "List the federated credentials again: {name} is gone. Workloads that use another one still sign in.",
        "cli": "az ad app federated-credential delete --id {app_id} --federated-credential-id {key_id}",
        "back": "Create it again with the same issuer, subject and audience: note them first.",
    },
    "remove-grant": {
        "text": "Remove the access.",
        "breaks": "Everything {principal_name:the principal} does with it at {short(scope)}.",
        "before": "The principal works with the replacement, and the vaults' logs show no other use that somebody needs.",
        "check": "The next audit no longer lists it, and the vaults' logs show no new refusals.",
        "back": "Assign the same role at the same scope, or add the same permissions to the access policy: note them first.",
    },
    "remove-role": _REMOVE_ROLE,
    "remove-azure-role": _REMOVE_ROLE,
    "save-app-management-policy": {
        "text": "Save the policy in force: GET /beta/policies/appManagementPolicies/{part(id, appmanagementpolicies):ID}.",
    },
    "send-app-management-policy": {
        "text": (
            "In the saved restrictions, change or remove the one that frees the policy's objects, and send them all with PATCH "
            "to the same address. The default policy's restriction applies where the policy defines none."
        ),
        "back": "Send the saved restrictions in the same way.",
    },
    "remove-old-credential": {
        "text": "Delete the old credential. KEY_ID is in the list; for a certificate, add --cert.",
        "breaks": (
            f"Every program that still signs in with it. {_TOKENS} Last sign-in with any of its credentials that "
            "Entra reports: {credential_last_used_on:none, which proves nothing}."
        ),
        "before": "The sign-in log shows that every program signs in with the new one.",
        "cli": "az ad app credential delete --id {app_id} --key-id KEY_ID",
        "check": "az ad app credential list --id {app_id}, with --cert for certificates, no longer shows it.",
        "back": "A deleted credential cannot be restored: add a new one.",
    },
    "remove-redirect-address": {
        "text": "Remove the address from the app registration, under Authentication.",
        "breaks": "Every sign-in that still returns to it.",
        "before": "In the last month sign-ins returned only to other addresses.",
        "check": "Users still sign in, and the next audit no longer lists the address.",
        "back": "Register the address again: note it first.",
    },
    "disable-application": {
        "text": "If nobody claims it, disable its service principal. Nothing is deleted.",
        "breaks": f"Every sign-in as the application, and every sign-in of users to it. {_TOKENS}",
        "before": "You have asked everyone who may know the application.",
        "check": "az ad sp show --id {app_id} --query accountEnabled prints false. Wait for reports of problems.",
        "back": "az ad sp update --id {app_id} --set accountEnabled=true",
    },
    "arrange-signing-certificate-change": {
        "text": (
            "Before you create anything, agree on a maintenance window with the owner of {holder_name:the application}. The "
            "active certificate has expired, so Entra signs with a new, valid certificate as soon as it exists, even while it "
            "is inactive. Find out where and in which format the application needs the certificate."
        ),
    },
    "add-signing-certificate": {
        "text": "Add a certificate, and have the application trust it before users sign in with it.",
        "breaks": (
            "Nothing while the active certificate is valid: Entra leaves the new one inactive. If the active one has expired, "
            "Entra signs with the new one at once, and nobody can sign in until the application trusts it."
        ),
        "before": (
            "If the active certificate has expired: the maintenance window has started, and the application's owner is ready "
            "to load the new certificate."
        ),
        "powershell": (
            "$sp = Get-MgServicePrincipalByAppId -AppId {app_id:APP_ID}; Add-MgServicePrincipalTokenSigningCertificate "
            "-ServicePrincipalId $sp.Id -DisplayName CN=saml"
        ),
        "check": "The certificate is in the list of the application's signing certificates, and the application has it.",
        "back": "Remove the new certificate before anybody depends on it: the application keeps its old ones.",
    },
    "change-signing-certificate": {
        "text": "Make the new certificate active with Update-MgServicePrincipal -PreferredTokenSigningKeyThumbprint.",
        "breaks": "Every sign-in to {holder_name:the application}, if it does not trust the new certificate.",
        "before": "The application's owner confirms that it trusts the new certificate.",
        "check": "A user signs in to {holder_name:the application}.",
        "back": "Make the previous certificate active again: note its thumbprint first.",
    },
    "remove-signing-certificate": {
        "text": "Remove the old certificate in Entra and in the application.",
        "breaks": "Every sign-in, if the application still checks signatures with it.",
        "before": "Users have signed in with the new certificate for some days.",
        "check": "A user signs in to {holder_name:the application}, and the next audit no longer lists the certificate.",
        "back": "Its private key cannot be restored: add a new certificate, and have the application trust it.",
    },
    "see-connect-sync": {
        "text": (
            "This application has the app roles of Entra Connect Sync. Do not change it in Entra yet: by default Connect "
            "creates, renews and deletes its certificate itself, while its scheduler runs. On the server, Entra Connect shows "
            "who manages the certificate under View or export current configuration, and Get-ADSyncScheduler shows whether "
            "the scheduler is suspended."
        ),
    },
    "rotate-in-connect-sync": {
        "text": (
            "If the certificate must change now, change it on the Connect server: with Rotate application certificate under "
            "Additional tasks, or, for your own certificate, with Invoke-ADSyncApplicationCredentialRotation."
        ),
        "breaks": "Synchronisation, while the server has no certificate that the application accepts.",
        "before": "No synchronisation cycle is running.",
        "check": (
            "The next synchronisation cycle succeeds. Connect removes the old certificate itself. If it cannot, an error in "
            "the server's application log names the certificate; use Remove-EntraApplicationKey -CertificateId."
        ),
        "back": "Rotate again: a removed certificate cannot be restored.",
    },
    "see-exchange": {
        "text": (
            "The certificate has the name of Exchange's Auth certificate, which anyone can choose. Look for its thumbprint "
            "{thumbprint_sha1:of the portal} among the certificates of the Exchange servers. If no server has it, treat it as "
            'an incident: save the audit log\'s entry "Update application \u2013 Certificates and secrets management" and the '
            "sign-ins of the application."
        ),
    },
    "rotate-in-exchange": {
        "text": (
            "If a server has it, replace it there, not with a certificate from a vault. On an Exchange server, "
            "MonitorExchangeAuthCertificate.ps1 with -EnforceNewAuthCertificateCreation and -CustomCertificateLifetimeInDays "
            "365 creates the next Auth certificate. ConfigureExchangeHybridApplication.ps1 -UpdateCertificate then adds it to "
            "this application: run it at once, because Exchange uses the new certificate within hours."
        ),
        "breaks": "Hybrid features, if Exchange uses the new certificate before the application has it.",
        "before": "No other next Auth certificate is configured: the script overwrites it.",
        "check": (
            "The application lists the new certificate, and calendars and free/busy work a day later. Then the old "
            "certificate can be removed from the application."
        ),
        "back": "Until Exchange uses the new certificate, run the first script again: it overwrites it.",
    },
    "disable-service-principal": {
        "text": "Disable the service principal. It stops at once, and nothing is deleted.",
        "breaks": (
            f"Every sign-in as the application, and every sign-in of users to it. {_TOKENS} Last sign-in as the application "
            "that Entra reports: {last_client_sign_in_on:none}; last sign-in of any kind: {last_sign_in_on:none}."
        ),
        "before": "The owner agrees, or nothing signs in as the application any longer.",
        "check": "az ad sp show --id {app_id} --query accountEnabled prints false.",
        "back": "az ad sp update --id {app_id} --set accountEnabled=true",
    },
    "disable-certificate-version": {
        "text": "Disable the old version.",
        "breaks": (
            "Every service that still reads it from the vault. Its key and its secret are disabled with it. Active "
            "credentials in Entra with its key: {live_credentials}."
        ),
        "before": "No service reads it from the vault any longer, and no application signs in with it.",
        "cli": "az keyvault certificate set-attributes --id {id} --enabled false",
        "check": "az keyvault certificate show --id {id} --query attributes.enabled prints false.",
        "back": "az keyvault certificate set-attributes --id {id} --enabled true",
    },
    "disable-key-version": {
        "text": "Disable the version.",
        "breaks": (
            "Every operation with it, including decryption and unwrapping of old data. Azure services that encrypt with the "
            "key: {used_by}. Last use in the supplied logs: {last_used_on:none}."
        ),
        "before": "Nothing uses it, and no data or backup needs it any longer.",
        "check": "az keyvault key show --id {id} --query attributes.enabled prints false.",
        "back": "az keyvault key set-attributes --id {id} --enabled true",
    },
}
"""By name, the parts of the step as in `model.fixes`, with placeholders for the columns of its table.

Of signing certificates: "If both an expired and an inactive valid certificate exist on the application, Microsoft Entra ID
automatically utilizes the valid certificate."
https://learn.microsoft.com/entra/identity/enterprise-apps/tutorial-manage-certificates-for-federated-single-sign-on
Of Entra Connect Sync: https://learn.microsoft.com/entra/identity/hybrid/connect/authenticate-application-id
Of Exchange hybrid: https://github.com/microsoft/CSS-Exchange/blob/main/docs/Admin/MonitorExchangeAuthCertificate.md and
https://github.com/microsoft/CSS-Exchange/blob/main/docs/Hybrid/ConfigureExchangeHybridApplication.md
"""

VARIANTS: Mapping[str, Sequence[tuple[str, Mapping[str, str]]]] = {
    "remove-credential-of-application": ((_CERTIFICATE, {"cli": f"{_DELETE} --cert"}),),
    "remove-certificate": ((_PRINCIPAL, {"cli": f"{_DELETE_OF_PRINCIPAL} --cert"}),),
    "remove-credential-of-either": (
        (f"{_PRINCIPAL} and {_CERTIFICATE}", {"cli": f"{_DELETE_OF_PRINCIPAL} --cert"}),
        (_PRINCIPAL, {"cli": _DELETE_OF_PRINCIPAL}),
        (_CERTIFICATE, {"cli": f"{_DELETE} --cert"}),
    ),
    "add-federated-credential": ((_IDENTITY, {"cli": _add_to_identity("{issuer}")}),),
    "move-federated-credential": ((_IDENTITY, {"cli": _add_to_identity("ISSUER")}),),
    "remove-federated-credential": (
        (_IDENTITY, {"cli": f"az identity federated-credential delete {_OF_IDENTITY} --name {{name}}"}),
    ),
    "remove-azure-role": (
        (
            "not covers([], wide_azure_roles)",
            {
                "text": "Remove the wide role. ROLE and SCOPE are in the list of the first step.",
                "cli": "az role assignment delete --assignee {app_id} --role ROLE --scope SCOPE",
            },
        ),
    ),
    "save-app-management-policy": (
        (_DEFAULT_POLICY, {"text": "Save the policy in force.", "cli": f"az rest --url {_URL} --output-file current.json"}),
    ),
    "send-app-management-policy": (
        (
            _DEFAULT_POLICY,
            {
                "text": "Send the new policy.",
                "cli": f"az rest --method PATCH --url {_URL} --body '@policy.json'",
                "back": (
                    "Send isEnabled, applicationRestrictions and servicePrincipalRestrictions of current.json with the same "
                    "command."
                ),
            },
        ),
    ),
}
"""By name of a shared step, the parts that differ where a condition is true; the first that is true counts."""
