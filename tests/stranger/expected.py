"""What an architect says of the company Northgate. Written from its estate alone, before any report on it was read."""

from msgspec import Struct


class Danger(Struct, frozen=True):
    """One danger. `objects`: a finding must give one of these names; `at_least`: the severity it deserves."""

    key: str
    objects: tuple[str, ...]
    at_least: str
    says: str
    does: str


DANGERS = (
    Danger(
        "federated domain",
        ("northgate-partners.example",),
        "critical",
        "A server that nobody knows signs in any user of the tenant, and its word on multifactor authentication is taken.",
        "Convert the domain to managed, revoke sessions, and look in the audit log for who set the federation.",
    ),
    Danger(
        "unknown publisher",
        ("Inbox Sorter Pro",),
        "critical",
        "An application of an unverified publisher elsewhere can give itself any directory role.",
        "Disable its principal, take its permission away, and look for roles it gave.",
    ),
    Danger(
        "tenant administrator",
        ("tenant-automation",),
        "critical",
        "A Global Administrator without multifactor authentication: its secret never ends, and it has no owner.",
        "Find who uses it, replace the role by the permissions it needs and the secret by an identity, then remove both.",
    ),
    Danger(
        "first-party secret",
        ("Office 365 Exchange Online",),
        "critical",
        "Someone added a secret to Exchange Online's own principal four days ago; nothing of Microsoft's needs it.",
        "Treat it as an intrusion: note who added it, remove it, and read the sign-ins with it.",
    ),
    Danger(
        "any branch",
        ("route-sdk-ci",),
        "critical",
        "Whoever can push any branch of route-sdk owns the production subscription.",
        "Bind the credential to one environment with approval, and take Owner away.",
    ),
    Danger(
        "guest owns",
        ("hr-writeback",),
        "critical",
        "A contractor's guest account can add a credential to an application that can give out directory roles.",
        "Remove the guest as owner, check the application's credentials, and remove the permission.",
    ),
    Danger(
        "test root",
        ("Helpdesk Test Root",),
        "high",
        "Certificates of a root added three days ago sign users in, and none of them can be revoked.",
        "Remove the root unless its key is in an HSM of the company; then give it a revocation list.",
    ),
    Danger(
        "guest Owner",
        ("Casey Morgan",),
        "high",
        "A contractor's guest account permanently owns the production subscription.",
        "Remove the assignment; if the contractor needs it, an eligible role with an end on a resource group.",
    ),
    Danger(
        "every mailbox",
        ("mailbox-move-2021",),
        "critical",
        "An application nobody uses can read every mailbox with a secret of five years.",
        "Disable its principal today and delete the application after a week without complaints.",
    ),
    Danger(
        "database key",
        ("sql-protector",),
        "high",
        "All versions of the key of the production database end in six days, and nothing rotates it.",
        "Make a new version, let the server take it, keep the old versions enabled, and set a rotation policy.",
    ),
    Danger(
        "payroll certificate",
        ("Workday",),
        "high",
        "The certificate that signs everybody in to Workday ends in eight days and has no successor.",
        "Make a new certificate, give it to Workday's administrator, make it active at an agreed hour.",
    ),
    Danger(
        "code signing",
        ("code-signing",),
        "high",
        "Forty developers can download the private key of the company's code signing certificate.",
        "Take the role away now; have the certificate reissued on an HSM key and revoke the old one.",
    ),
    Danger(
        "unknown issuer",
        ("freight-ci",),
        "high",
        "A token issuer that is not the company's can act as Contributor of production.",
        "Delete the federated credential unless somebody answers for it, and narrow the role to the resource group.",
    ),
    Danger(
        "old provider",
        ("Old MSP Monitor",),
        "high",
        "A former provider's application may sign with, change and delete the keys that sign documents.",
        "Remove the assignment, disable the principal, and read the vault's log for its use.",
    ),
    Danger(
        "unwatched signing",
        ("kv-ng-signing-prod", "customs-token-signing"),
        "high",
        "A key that signs tokens is four years old, and its vault keeps no log of who uses it.",
        "Switch the audit log on today; then rotate the key with an overlap for those who verify.",
    ),
)
"""In the order in which an architect deals with them."""

TABLE = {
    "federated domain": ("high", "who runs the host is not known; a lifetime that AD FS does not issue is weak, not a proof"),
    "first-party secret": ("high", "what a Microsoft application may do is not in the tenant, so it opens one workload"),
    "any branch": ("high", "it opens production and not the directory"),
    "test root": ("medium", "when a root was added is not returned, and one without a list mostly issues to other authorities"),
    "every mailbox": ("high", "a secret that works too long is no sign of an intruder"),
}
"""By key, what the table of severities gives less than the architect, and why."""

ON_SCREEN, ON_TOP = 14, 13
"""Dangers of these that must be named on the first screen, and within its first 20 lines."""

ACCEPTABLE = {
    "gallery applications with a certificate of a year or more": (
        "Slack",
        "Zoom",
        "Box",
        "Miro",
        "Figma",
        "Snowflake",
        "1Password",
    ),
    "vendors that only sign users in": ("Calendly", "Grammarly", "HubSpot", "Notion", "DeepL", "Canva", "project44"),
    "applications without a credential": ("Route Planner", "Freight API", "Driver App", "Yard Map", "Claims Desk"),
    "secrets of half a year or a year that open little": (
        "dock-notifier",
        "licence-report",
        "org-chart-export",
        "carrier-lookup",
    ),
    "a secret of two years that opens calendars": ("room-panels",),
    "secrets of two years that open nothing": ("weighbridge",),
    "certificates of a year": ("siem-forwarder", "fleet-asset-sync", "customs-documents", "bank-connector", "sap-integration"),
    "pipelines bound to an environment": ("route-ci", "dock-ci", "freight-ci-test", "route-ci-test"),
    "Terraform bound to a workspace and phase": ("terraform-landing-zone-plan", "terraform-freight"),
    "service accounts of the own cluster": ("freight-worker", "route-worker", "dock-worker", "telematics-worker"),
    "what Microsoft's installers leave": ("ConnectSyncProvisioning_NG-SYNC01_5b0f7c31a9de", "P2P Server"),
    "stale applications without power": ("fleet-intranet-2019", "legacy-edi-poller", "azure-cli-2025-11-03-09-12-44"),
    "readers of a subscription": ("Datadog Azure Integration", "snow-discovery"),
    "test vaults": ("kv-ng-freight-test", "kv-ng-route-test", "kv-ng-sandbox", "kv-ng-data-test"),
    "vaults of teams": ("kv-ng-freight-prod", "kv-ng-dock-prod", "kv-ng-claims-prod", "kv-ng-platform"),
    "vaults with access policies of few": ("kv-ng-sap-prod", "kv-ng-ade-prod", "kv-ng-data-prod"),
    "keys that wrap": ("disks-cmk", "storage-cmk", "cosmos-cmk", "disk-kek"),
    "keys that sign and are rotated": ("bill-of-lading-signing", "invoice-signing"),
    "certificates of web sites": ("www-northgate", "portal-northgate", "api-northgate"),
    "managed identities": ("app-freight-web-prod", "app-dock-jobs-test", "id-encryption", "des-ng", "mi-etl"),
    "emergency accounts and eligible administrators": ("Emergency One", "Priya Nair"),
    "the own root of certificates": ("Northgate Root CA",),
}
"""Nothing above medium is to be said of these, by kind."""

DEFENDED = {
    "Veeam Backup for M365": "It reads every mailbox and site. It must, and so its certificate is worth a yearly look.",
    "ExchangeServerApp-7c2e9d14-3a86-4f0b-b5d1-9e6a20c47f83": "It has every mailbox, and a certificate of five years.",
    "hr-writeback": "It writes to every user.",
    "terraform-landing-zone": "It owns the subscription with the logs; a reader may ask who can change the workspace.",
}
"""Without the dangers, something critical or high is defended of these alone, once each, and never more than ten findings."""
LOUD = {
    "dock-notifier": "Mail.Send for every mailbox is more than the little that the architect saw in it.",
    "All Developers": "Nothing that an administrator recorded says that ng-test is for tests, and a tag does not.",
    "scan-to-mail": "Mail.Send for every mailbox, by a copied secret.",
}
"""What is critical or high without the dangers, though the architect did not expect it, and why it stays."""
MOST = 10
