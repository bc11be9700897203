"""Contoso's service principals without an application of its own: Microsoft's, other companies', and managed identities."""

from keyaudit.simulator.estates.contoso.federated import OF_AN_IDENTITY
from keyaudit.simulator.estates.contoso.services import STORES_CLUSTER
from keyaudit.simulator.estates.defects import (
    CREDENTIAL_ON_PRINCIPAL,
    DORMANT_POWERFUL_SECRET,
    EXPIRED_CREDENTIAL_LEFT,
    FIRST_PARTY_CREDENTIAL,
    TIER0_WITH_SECRET,
)
from keyaudit.simulator.estates.holder_plans import (
    MICROSOFT,
    MICROSOFT_SERVICES,
    Certificate,
    CredentialPlan,
    Federated,
    PrincipalPlan,
    Secret,
)

_FIRST_PARTY: tuple[tuple[str, str, tuple[CredentialPlan, ...]], ...] = (
    ("Microsoft Graph", "00000003-0000-0000-c000-000000000000", ()),
    ("Windows Azure Active Directory", "00000002-0000-0000-c000-000000000000", ()),
    # A secret of this tenant on Exchange Online can read every mailbox, and is not visible in App registrations.
    (
        "Office 365 Exchange Online",
        "00000002-0000-0ff1-ce00-000000000000",
        (Secret(37, 365, "sync", finds=(FIRST_PARTY_CREDENTIAL,)),),
    ),
    ("Office 365 SharePoint Online", "00000003-0000-0ff1-ce00-000000000000", ()),
    ("Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013", ()),
    ("Azure Key Vault", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", (Certificate(210, 730, finds=(FIRST_PARTY_CREDENTIAL,)),)),
    ("Azure Storage", "e406a681-f3d4-42a8-90b6-c2b029497af1", ()),
    ("Azure SQL Database", "022907d3-0f1b-48f7-badc-1ba6abab6d66", ()),
    ("Microsoft Azure CLI", "04b07795-8ddb-461a-bbee-02f9e1bf7b46", ()),
    ("Azure Portal", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", ()),
    # An old, expired trial credential, without effect.
    ("Azure DevOps", "499b84ac-1321-427f-aa17-267ca6975798", (Secret(900, 365, "trial"),)),
    ("Log Analytics API", "ca7f3f0b-7d91-482c-8e09-c5d840d0eac5", ()),
)

_FOREIGN: tuple[tuple[str, str, tuple[CredentialPlan, ...]], ...] = (
    (
        "Alpine Ski House Booking",
        "2c6f9f38-7a3e-4f5b-9d0e-8b1a4c7e5d21",
        (Secret(120, 730, finds=(CREDENTIAL_ON_PRINCIPAL, TIER0_WITH_SECRET, DORMANT_POWERFUL_SECRET)),),
    ),
    ("Humongous Insurance Claims", "8e1d2a47-53b0-4c69-a7f4-0d9c6b3e8f52", ()),
    ("Margie's Travel Connector", "d4a7b8c9-1e2f-4a3b-8c5d-6e7f8091a2b3", ()),
    (
        "Blue Yonder Airlines Cargo",
        "6b9e0f12-c3d4-4e5f-9a6b-7c8d9e0f1a2b",
        (Certificate(500, 365, finds=(EXPIRED_CREDENTIAL_LEFT,)),),
    ),
)

_MANAGED_IDENTITIES = (
    "id-payments-settlement-prod",
    "id-orders-api-prod",
    "id-orders-api-test",
    "id-identity-token-service-prod",
    "id-data-loader-prod",
    "func-rewards-prod",
    "func-key-rotator",
    "vm-batch-01",
    "vm-batch-02",
    "aks-shared-westeurope-agentpool",
    "app-supplier-portal-prod",
    "logic-invoice-intake",
)

_FEDERATED: dict[str, tuple[CredentialPlan, ...]] = {
    "id-payments-settlement-prod": (Federated("aks", STORES_CLUSTER, "system:serviceaccount:payments:settlement-worker"),),
    "id-orders-api-test": OF_AN_IDENTITY,
}


def _managed_identity(nth: int, name: str) -> PrincipalPlan:
    # The platform's own certificate: valid for 90 days, renewed after 45.
    own = Certificate(5 + 3 * nth, 90)
    before = (Certificate(50 + 3 * nth, 90),) if nth < 11 else ()
    return PrincipalPlan(
        name=name, age=300 + 17 * nth, type="ManagedIdentity", credentials=(own, *before, *_FEDERATED.get(name, ()))
    )


PRINCIPALS: tuple[PrincipalPlan, ...] = (
    *(
        PrincipalPlan(name=name, app_id=app_id, age=2_800, home=MICROSOFT_SERVICES, credentials=credentials)
        for name, app_id, credentials in _FIRST_PARTY
    ),
    PrincipalPlan(name="Microsoft Corporate Support", age=640, home=MICROSOFT),
    *(
        PrincipalPlan(name=name, age=450 + 70 * nth, home=home, credentials=credentials)
        for nth, (name, home, credentials) in enumerate(_FOREIGN)
    ),
    *(_managed_identity(nth, name) for nth, name in enumerate(_MANAGED_IDENTITIES)),
    PrincipalPlan(name="Mainframe Gateway", age=3_300, type="Legacy", credentials=(Secret(3_200, 5_475),)),
    # An add-in of a SharePoint site, which was switched off when ACS was retired.
    PrincipalPlan(name="Room Booking Add-in", age=2_900, type="Legacy", enabled=False, credentials=(Secret(2_800, 5_475),)),
)
