"""The table of settings of Managed HSMs."""

from keyaudit.model.columns import Column, Table, Type, where_found

HSM_SETTING = Table(
    name="hsm_setting",
    noun="HSM setting",
    plural="HSM settings",
    meaning="a setting that a Managed HSM keeps itself",
    added_by=("hsm.setting.list",),
    row_for_each=("hsm.setting.list",),
    columns=(
        *where_found(),
        Column(name="vault_id", type=Type.TEXT, meaning="the HSM's resource id, in lower case"),
        Column(
            name="value",
            type=Type.TEXT,
            meaning="its value as text, whatever its type: true or false",
            operations=("hsm.setting.list",),
        ),
    ),
)
