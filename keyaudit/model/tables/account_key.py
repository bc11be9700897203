"""The table of other services' keys."""

from keyaudit.model.columns import Column, Table, Type, where_found
from keyaudit.model.tables.places import vault_place
from keyaudit.model.tables.services import KINDS, SERVICE

ACCOUNT_KEY = Table(
    name="account_key",
    noun="account key",
    plural="account keys",
    meaning="one long-lived key of an account of another service, or a set of them that Resource Graph does not tell apart",
    added_by=SERVICE,
    columns=(
        *where_found(*SERVICE),
        *vault_place(SERVICE),
        Column(name="kind", type=Type.TEXT, meaning="the service", values=KINDS),
        Column(name="account_id", type=Type.TEXT, meaning="the account's resource id, in lower case"),
        Column(
            name="slot",
            type=Type.TEXT,
            meaning="which of the account's keys: key1, key2, primary, secondary, primary-readonly, secondary-readonly; "
            "keys, admin-user or local-accounts for all of them",
        ),
        Column(
            name="tags",
            type=Type.MAP,
            meaning="the account's tags",
            operations=SERVICE,
            absent="it has no tags",
        ),
        Column(
            name="environment",
            type=Type.TEXT,
            meaning="the tag env or environment, in lower case; else what [environments] says of the subscription",
            absent="no such tag, and nothing said",
            derived_from=("tags", "subscription_name"),
        ),
        Column(
            name="local_auth_enabled",
            type=Type.BOOLEAN,
            meaning="the service lets these keys in; never set means that it does, but for a registry's admin user",
            operations=SERVICE,
        ),
        Column(
            name="read_only",
            type=Type.BOOLEAN,
            meaning="the key reads and cannot write",
            operations=SERVICE,
        ),
        Column(
            name="dated",
            type=Type.BOOLEAN,
            meaning="the service keeps the dates of its keys: storage and Cosmos DB do, and without one a key is old",
        ),
        Column(
            name="created_on",
            type=Type.TIME,
            unit="seconds since 1970 UTC",
            meaning="when the key was made or last regenerated",
            operations=SERVICE,
            # https://learn.microsoft.com/dotnet/api/azure.resourcemanager.cosmosdb.models.accountkeymetadata
            # https://learn.microsoft.com/azure/storage/common/sas-expiration-policy: null until the key is rotated
            absent="where dated, last made before the service kept dates (Cosmos DB: before 2022-06-18); else it keeps none",
            past=True,
        ),
        Column(
            name="expiry_period",
            type=Type.DURATION,
            unit="seconds",
            meaning="the age at which the account's policy reminds of a rotation; it enforces none",
            operations=SERVICE,
            absent="no policy, or a service that has none",
        ),
        Column(
            name="oidc_issuer",
            type=Type.TEXT,
            meaning="URL of the cluster's own token issuer, which federated credentials may trust",
            operations=SERVICE,
            absent="not a cluster, or one without an issuer",
        ),
    ),
)
