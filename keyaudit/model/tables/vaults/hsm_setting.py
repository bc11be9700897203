"""The table of settings of Managed HSMs."""

from keyaudit.model.schema.columns import Area, Table, text, where_found
from keyaudit.model.schema.opens import WIDE

HSM_SETTING = Table(
    name="hsm_setting",
    order=40,
    area=Area.VAULTS,
    noun="HSM setting",
    plural="HSM settings",
    meaning="a setting stored in a Managed HSM itself",
    added_by=("hsm.setting.list",),
    row_for_each=("hsm.setting.list",),
    opens=WIDE,
    columns=(
        *where_found(),
        text("vault_id", "the HSM's resource id, in lower case"),
        text("value", "its value as text, such as true or false", ("hsm.setting.list",), wire="value"),
    ),
)
