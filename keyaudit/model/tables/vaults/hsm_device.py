"""The table of HSMs whose keys no API of Azure shows: Cloud HSM, Dedicated HSM and Payment HSM."""

from keyaudit.model.custody import Kept
from keyaudit.model.evidence import CUSTODY
from keyaudit.model.schema.columns import Area, Table, Where, flag, text, where_found
from keyaudit.model.schema.opens import WIDE

_QUERY = ("hsm_device.query",)
_CLUSTERS_ALONE = (Where("kind", ("dedicated-hsm", "payment-hsm")),)
_OF_AZURE = "Azure has no such setting for it"

HSM_DEVICE = Table(
    name="hsm_device",
    order=48,
    area=Area.VAULTS,
    replaced=False,
    noun="Cloud, Dedicated or Payment HSM",
    plural="Cloud, Dedicated and Payment HSMs",
    meaning="an HSM whose keys only its own users can see: Azure Cloud HSM, Azure Dedicated HSM or Azure Payment HSM",
    added_by=_QUERY,
    opens=WIDE,
    columns=(
        *where_found(*_QUERY, wire="name"),
        text("subscription_id", "the subscription, a GUID in lower case"),
        text("resource_group", "the resource group, as Azure spells it"),
        text("kind", "the service: a Payment HSM is a Dedicated HSM of the model payShield", _QUERY,
            values=("cloud-hsm", "dedicated-hsm", "payment-hsm")),
        text("location", "the Azure region", _QUERY, wire="location"),
        text("sku", "the name of its SKU", _QUERY),
        text("activation", "activationState: whether its owner has activated it", _QUERY,
            values=("NotDefined", "NotActivated", "Active", "Failed", "Unknown"), absent=_OF_AZURE,
            absent_where=_CLUSTERS_ALONE, wire="properties.activationState"),
        text("public_network_access", "publicNetworkAccess", _QUERY, values=("Enabled", "Disabled"), absent=_OF_AZURE,
            absent_where=_CLUSTERS_ALONE, wire="properties.publicNetworkAccess"),
        flag("audit_exported", "a diagnostic setting sends HsmServiceOperations, or all logs, somewhere",
            (*_QUERY, "hsm_device.diagnostic_setting.list"), absent=_OF_AZURE, absent_where=_CLUSTERS_ALONE),
        text("custody_record", "the custody in its valid custody record: hsm or software", absent="no valid record names it",
            values=(str(Kept.HSM), str(Kept.SOFTWARE)),
            needs=CUSTODY, derived=True),
    ),
)
