"""The table of other services' keys."""

from keyaudit.model.columns import Area, Table, duration, flag, mapping, text, time, where_found
from keyaudit.model.tables.places import in_test, vault_place
from keyaudit.model.tables.services import KINDS, SERVICE

ACCOUNT_KEY = Table(
    name="account_key",
    order=130,
    area=Area.SERVICES,
    noun="account key",
    plural="account keys",
    meaning="one long-lived key of an account of another service, or a set of them that Resource Graph does not tell apart",
    added_by=SERVICE,
    columns=(
        *where_found(*SERVICE),
        *vault_place(SERVICE),
        text("kind", "the service", values=KINDS),
        text("account_id", "the account's resource id, in lower case"),
        text("slot", "which of the account's keys: key1, key2, primary, secondary, primary-readonly, secondary-readonly; "
            "keys, admin-user or local-accounts for all of them; none of a cluster of Azure Arc, which has no key in Azure, "
            "and of one of OpenShift, whose keys Resource Graph does not show"),
        mapping("tags", "the account's tags", SERVICE, absent="it has no tags"),
        text("environment", "the tag env or environment, in lower case; else what [environments] says of the subscription",
            absent="no such tag, and nothing said", derived=True),
        flag("local_auth_enabled",
            "the service lets these keys in; never set means that it does, but for a registry's admin user", SERVICE),
        flag("read_only", "the key reads and cannot write", SERVICE),
        flag("dated", "the service keeps the dates of its keys: storage and Cosmos DB do, and without one a key is old"),
        # https://learn.microsoft.com/dotnet/api/azure.resourcemanager.cosmosdb.models.accountkeymetadata
        # https://learn.microsoft.com/azure/storage/common/sas-expiration-policy: null until the key is rotated
        time("created_on", "when the key was made or last regenerated", SERVICE, past=True,
            absent="where dated, last made before the service kept dates (Cosmos DB: before 2022-06-18); else it keeps none"),
        duration("expiry_period", "the age at which the account's policy reminds of a rotation; it enforces none", SERVICE,
            absent="no policy, or a service that has none"),
        text("oidc_issuer", "URL of the cluster's own token issuer, which federated credentials may trust", SERVICE,
            absent="not a cluster, or one without an issuer"),
        # https://learn.microsoft.com/rest/api/openshift/open-shift-clusters/get; one with managed identities lacks it
        text("client_id", "servicePrincipalProfile.clientId of an OpenShift cluster: the application that it signs in as",
            SERVICE, absent="not an OpenShift cluster, or one with managed identities", guid=True),
        in_test("its subscription"),
    ),
)
