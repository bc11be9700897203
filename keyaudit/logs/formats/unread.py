"""Acts that touch keys, credentials or their logs and that no reader makes a use of: a day with one is not known to be quiet.

Each list says what is harmless; everything else about keys is unread.
"""

import re
from functools import lru_cache

from keyaudit.logs.formats.values import operation_name

# https://learn.microsoft.com/azure/key-vault/general/logging#operation-names-table. Secrets that are read, and lists, are uses.
_OF_VAULTS = frozenset(
    {
        *("authentication", "certificatecontactsset", "certificatecontactsdelete", "certificatecontactsget"),
        *("vaultget", "vaultlist", "vaultlistdeleted", "keyget", "certificateget", "certificatepolicyget"),
        *("certificatependingget", "certificateissuerget", "certificateissuerslist", "keyrotationpolicyget"),
        *(f"{kind}getdeleted" for kind in ("vault", "key", "secret", "certificate")),
        *(
            f"{kind}{event}eventgridnotification"
            for kind in ("key", "secret", "certificate")
            for event in ("nearexpiry", "expired")
        ),
        "vaultaccesspolicychangedeventgridnotification",
    }
)
# https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations: what these providers and words have
# to do with keys, and those of them that open and change none.
_ABOUT_KEYS = re.compile(
    r"microsoft\.(?:keyvault|managedidentity|authorization/role)"
    r"|diagnosticsettings|key|secret|credential|certificate|token|publishxml|accountsas|servicesas"
)
_DONE = ("/write", "/action", "/delete")
_OF_AZURE = frozenset(
    {
        *(f"microsoft.keyvault/{verb}/action" for verb in ("register", "unregister")),
        "microsoft.managedidentity/register/action",
        *(f"microsoft.keyvault/vaults/eventgridfilters/{verb}" for verb in ("write", "delete")),
        *(f"microsoft.keyvault/vaults/{name}/delete" for name in ("accesspolicies", "privateendpointconnections")),
        *(f"microsoft.managedidentity/userassignedidentities/{name}" for name in ("write", "delete")),
        "microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/delete",
        "microsoft.managedidentity/userassignedidentities/listassociatedresources/action",
        *(f"microsoft.authorization/{name}/delete" for name in ("roleassignments", "roledefinitions")),
        # Activating a role with them writes a role assignment, which is read.
        "microsoft.authorization/roleassignmentschedulerequests/write",
        *(f"microsoft.compute/sshpublickeys/{verb}" for verb in ("write", "delete")),
    }
)
# https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities
_IN_ENTRA = re.compile(
    r"credential|certificate|secret|\bkeys?\b|federat|service principal|application|consent|permission|\brole\b|owner|domain"
)
_TAKES_AWAY = ("remove ", "delete ", "hard delete ", "revoke ", "disable ")
_OF_ENTRA = frozenset(
    {
        # A domain opens nothing until its sign-in changes, which is read.
        *("add unverified domain", "add verified domain", "verify domain", "verify email verified domain"),
        # The role itself was given before, or is given in a record of its own.
        *(f"add member to role {stage} (pim activation)" for stage in ("requested", "completed", "approved", "canceled")),
        *("add owner to group", "add registered owner to device", "read bitlocker key"),
    }
)


@lru_cache(maxsize=1_024)
def in_vault(name: str) -> bool:
    """Whether an operation in the log of a vault or HSM that no use is made of may touch keys."""
    return name.replace(" ", "").casefold() not in _OF_VAULTS


@lru_cache(maxsize=1_024)
def in_azure(name: str) -> bool:
    """Whether an operation in the activity log that no use is made of may touch keys."""
    folded = name.casefold()
    return folded.endswith(_DONE) and folded not in _OF_AZURE and _ABOUT_KEYS.search(folded) is not None


@lru_cache(maxsize=1_024)
def in_entra(name: str) -> bool:
    """Whether a change in Entra's log that no use is made of may touch keys."""
    folded = operation_name(name)
    return folded not in _OF_ENTRA and not folded.startswith(_TAKES_AWAY) and _IN_ENTRA.search(folded) is not None
