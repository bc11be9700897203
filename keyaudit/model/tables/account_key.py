"""The table of other services' keys."""

from keyaudit.model.schema.columns import Area, Table, duration, flag, mapping, text, time, where_found
from keyaudit.model.schema.opens import UNLESS_IN_TEST
from keyaudit.model.tables.places import in_test, vault_place
from keyaudit.model.tables.services import KINDS, SERVICE

ACCOUNT_KEY = Table(
    name="account_key",
    order=130,
    area=Area.SERVICES,
    noun="account key",
    plural="account keys",
    meaning="one long-lived key of an account of another service, or a set of keys that Resource Graph does not distinguish",
    added_by=SERVICE,
    opens=UNLESS_IN_TEST,
    columns=(
        *where_found(*SERVICE),
        *vault_place(SERVICE),
        text("kind", "the service", values=KINDS),
        text("account_id", "the account's resource id, in lower case"),
        text("slot", "which of the account's keys: key1, key2, primary, secondary, primary-readonly, secondary-readonly; "
            "keys, admin-user or local-accounts for all of them; empty for an Azure Arc cluster, which has no key in Azure, "
            "and for an OpenShift cluster, because Resource Graph does not show its keys"),
        mapping("tags", "the account's tags", SERVICE, absent="it has no tags"),
        text("environment", "the tag env or environment, in lower case; else the subscription's environment in [environments]",
            absent="no such tag, and no matching setting", derived=True),
        flag("local_auth_enabled",
            "the service accepts these keys; if never set, it does, except for a registry's admin user", SERVICE),
        flag("read_only", "the key is read-only", SERVICE),
        flag("dated", "the service records the dates of its keys: storage and Cosmos DB do, so a key without a date is old"),
        # https://learn.microsoft.com/dotnet/api/azure.resourcemanager.cosmosdb.models.accountkeymetadata
        # https://learn.microsoft.com/azure/storage/common/sas-expiration-policy: null until the key is rotated
        time("created_on", "when the key was created or last regenerated", SERVICE, past=True,
            absent="if dated, created before the service recorded dates (Cosmos DB: before 2022-06-18); else the service "
                "records no dates"),
        duration("expiry_period", "the age at which the account's policy reminds users to rotate; it does not enforce "
            "rotation", SERVICE,
            absent="no policy, or a service without such policies"),
        text("oidc_issuer", "URL of the cluster's own token issuer, which federated credentials may trust", SERVICE,
            absent="not a cluster, or one without an issuer"),
        # https://learn.microsoft.com/rest/api/openshift/open-shift-clusters/get; one with managed identities lacks it
        text("client_id", "servicePrincipalProfile.clientId of an OpenShift cluster: the application that it signs in as",
            SERVICE, absent="not an OpenShift cluster, or one with managed identities", guid=True),
        in_test("its subscription"),
    ),
)
