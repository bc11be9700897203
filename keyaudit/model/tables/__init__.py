"""The tables, by name: decoding, loading, type checking, permissions and documentation all read this."""

from collections.abc import Collection

from keyaudit.model.columns import Table
from keyaudit.model.operations import with_all_before
from keyaudit.model.tables.account_key import ACCOUNT_KEY
from keyaudit.model.tables.activity import CREDENTIAL_ACTIVITY, SIGN_IN_ACTIVITY
from keyaudit.model.tables.alert_rule import ALERT_RULE
from keyaudit.model.tables.app_management_policy import APP_MANAGEMENT_POLICY
from keyaudit.model.tables.application import APPLICATION
from keyaudit.model.tables.certificate import CERTIFICATE
from keyaudit.model.tables.credential import CREDENTIAL
from keyaudit.model.tables.defender_plan import DEFENDER_PLAN
from keyaudit.model.tables.deleted import DELETED
from keyaudit.model.tables.federated_domain import FEDERATED_DOMAIN
from keyaudit.model.tables.grant import GRANT
from keyaudit.model.tables.hsm_setting import HSM_SETTING
from keyaudit.model.tables.issuer_key import ISSUER_KEY
from keyaudit.model.tables.key import KEY
from keyaudit.model.tables.key_use import KEY_USE
from keyaudit.model.tables.log_sink import LOG_SINK
from keyaudit.model.tables.principal import MEMBERSHIP, PRINCIPAL
from keyaudit.model.tables.relying_parties import TOKEN_VALIDATOR, TRUSTED_KEY
from keyaudit.model.tables.secret import SECRET
from keyaudit.model.tables.service_principal import SERVICE_PRINCIPAL
from keyaudit.model.tables.shared_key import SHARED_KEY
from keyaudit.model.tables.signing_certificate import SIGNING_CERTIFICATE
from keyaudit.model.tables.subscription import SUBSCRIPTION
from keyaudit.model.tables.tenant import TENANT
from keyaudit.model.tables.token_policy import TOKEN_POLICY
from keyaudit.model.tables.trusted_authority import TRUSTED_AUTHORITY
from keyaudit.model.tables.usage import UNUSUAL_USE, USAGE, USAGE_BASELINE, USAGE_LOG
from keyaudit.model.tables.vault import VAULT
from keyaudit.model.tables.workspace import LOG_TABLE, WORKSPACE

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        TENANT,
        SUBSCRIPTION,
        VAULT,
        HSM_SETTING,
        KEY,
        CERTIFICATE,
        SECRET,
        DELETED,
        APPLICATION,
        SERVICE_PRINCIPAL,
        CREDENTIAL,
        SIGNING_CERTIFICATE,
        ACCOUNT_KEY,
        KEY_USE,
        SIGN_IN_ACTIVITY,
        CREDENTIAL_ACTIVITY,
        GRANT,
        FEDERATED_DOMAIN,
        TOKEN_POLICY,
        TRUSTED_AUTHORITY,
        ISSUER_KEY,
        SHARED_KEY,
        APP_MANAGEMENT_POLICY,
        LOG_SINK,
        WORKSPACE,
        LOG_TABLE,
        DEFENDER_PLAN,
        ALERT_RULE,
        PRINCIPAL,
        MEMBERSHIP,
        TRUSTED_KEY,
        TOKEN_VALIDATOR,
        USAGE,
        USAGE_LOG,
        USAGE_BASELINE,
        UNUSUAL_USE,
    )
}
"""What a snapshot holds: what is collected of Azure, and evidence that is supplied."""


def filled(evidence: Collection[str]) -> tuple[str, ...]:
    """The tables of a snapshot that has this evidence. The others are not empty: nobody supplied what is in them."""
    return tuple(name for name, table in TABLES.items() if not table.needs or table.needs in evidence)


def table_named(asked: str) -> Table | None:
    """The table of that name or plural, however it is spelt; None if there is none."""
    name = asked.lower().replace("-", "_").replace(" ", "_")
    for table in TABLES.values():
        if name in {table.name, f"{table.name}s", table.plural.replace(" ", "_").replace("-", "_")}:
            return table
    return None


def operations_of(table: str, column: str) -> tuple[str, ...]:
    """Every operation that must have been assessed for this column to be trusted, through all that it is derived from."""
    declared = TABLES[table].by_name[column]
    found = dict.fromkeys(declared.operations)
    for base in declared.derived_from:
        # A derived column may rest on another table's: `table.column`. Then that table's rows must all be there, or those
        # of the listings that it looks at.
        other, _, name = base.rpartition(".")
        every = TABLES[other].listed_by if other else ()
        looked_at = tuple(operation for operation in declared.rows_of if operation in every)
        listed = with_all_before(*looked_at) if looked_at else every
        # What lists the rows that it does not look at fills nothing that it does look at.
        elsewhere = set(every).difference(listed) if other and TABLES[other].parts else set[str]()
        needed = (*listed, *operations_of(other or table, name))
        found.update(dict.fromkeys(operation for operation in needed if operation not in elsewhere))
    return tuple(found)


def operations(*names: str) -> frozenset[str]:
    """Every operation that the tables of those names rest on; that any table rests on, without a name."""
    tables = [TABLES[name] for name in names or TABLES]
    found = {operation for table in tables for operation in table.listed_by}
    return frozenset(found.union(*(operations_of(table.name, column.name) for table in tables for column in table.columns)))


def read_by(operation: str) -> tuple[str, ...]:
    """Every column, as `table.column`, and every table that cannot be trusted without this operation."""
    found = [name for name, table in TABLES.items() if operation in table.listed_by]
    return (
        *found,
        *(
            f"{table.name}.{column.name}"
            for table in TABLES.values()
            for column in table.columns
            if operation in operations_of(table.name, column.name)
        ),
    )
