"""What custody records say: custody that Azure does not show, and contradictions between records and Azure.

A record is valid until the end of its last day.
"""

from collections.abc import Callable, Mapping

from keyaudit.inventory.facts.extremes import greatest_of, settled
from keyaudit.inventory.facts.fact import ABSENT, TRUE, Derived, Truth, any_of, case, known
from keyaudit.inventory.facts.groups import groups
from keyaudit.inventory.facts.relation import Rows
from keyaudit.inventory.facts.sql import Sources
from keyaudit.model.custody import Kept
from keyaudit.model.values.times import DAY


def _records(rows: Rows, as_of: int) -> tuple[Rows, Truth]:
    """The records, and whether one is valid."""
    records = Rows(rows.sources, "custody_record", "record")
    return records, records["valid_until"].told(lambda until: f"{until} + {DAY} > {as_of}")


def _signing_certificates(rows: Rows, as_of: int) -> dict[str, Derived]:
    """Of several records of one certificate the weaker one counts: software."""
    records, valid = _records(rows, as_of)

    def said(kept: Kept) -> Truth:
        found = [
            groups(records, f"{kept}_by_{name}", by=records["name"], key=rows[name].map(lambda digest: f"upper({digest})"),
                   each=valid).any_of("said", records["kept_in"].eq(kept))
            for name in ("thumbprint", "thumbprint_sha256")
        ]  # fmt: skip
        return found[0] | found[1]

    weaker, stronger = ((said(kept), known(kept)) for kept in (Kept.SOFTWARE, Kept.HSM))
    return {"custody_record": case(weaker, stronger, otherwise=ABSENT)}


def _devices(rows: Rows, as_of: int) -> dict[str, Derived]:
    """By its name or its id; of several records the weaker one counts."""
    records, valid = _records(rows, as_of)
    lower = rows.sources.sql.lower

    def said(kept: Kept) -> Truth:
        found = [
            groups(records, f"{kept}_by_{alias}", by=records["name"], key=key, each=valid).any_of(
                "said", records["kept_in"].eq(kept)
            )
            for alias, key in (("name", rows["name"].map(lower)), ("id", rows["id"]))
        ]
        return found[0] | found[1]

    weaker, stronger = ((said(kept), known(kept)) for kept in (Kept.SOFTWARE, Kept.HSM))
    return {"custody_record": case(weaker, stronger, otherwise=ABSENT)}


def _vaults(rows: Rows, as_of: int) -> dict[str, Derived]:
    records, valid = _records(rows, as_of)
    name = rows["id"].map(lambda id_: f"split_part({id_}, '/', -1)")
    confirmed = greatest_of(
        *(
            groups(records, alias, by=records["name"], key=key, each=valid).greatest(
                "confirmed", records["recorded_on"], records["kept_in"].eq(Kept.SECURITY_DOMAIN)
            )
            for alias, key in (("by_name", name), ("by_id", rows["id"]))
        )
    )
    return {"security_domain_recorded_on": settled(confirmed).where(rows["kind"].eq("managed-hsm"))}


def facts(sources: Sources) -> dict[str, Derived]:
    """The records, with Azure's custody of the same key; if versions differ, software, because it can be copied."""
    rows, lower = Rows(sources, "custody_record"), sources.sql.lower
    keys, certificates = Rows(sources, "key", "key"), Rows(sources, "certificate", "certificate")
    of_keys = [
        groups(keys, f"keys_by_{name}", by=keys[name].map(lower), key=rows["name"]) for name in ("key_id", "id")
    ]  # fmt: skip
    of_certificates = [
        groups(certificates, f"by_{name}", by=certificates[name].map(lambda digest: f"upper({digest})"), key=rows["name"])
        for name in ("thumbprint", "thumbprint_sha256")
    ]

    def either(name: str, of_key: Truth, of_certificate: Truth) -> Truth:
        address = rows["name"].told(lambda name: sources.sql.contains(name, "'/'"))
        key = any_of(*(each.any_of(name, of_key) for each in of_keys))
        return address & key | ~address & any_of(*(each.any_of(name, of_certificate) for each in of_certificates))

    copied = either("software", keys["custody"].eq("software"), certificates["kty"].told(lambda kty: f"{kty} NOT LIKE '%-HSM'"))
    custody = case((copied, known("software")), (either("found", TRUE, TRUE), known("hsm")), otherwise=ABSENT)
    return {"azure_custody": custody}


FACTS: Mapping[str, Callable[[Rows, int], dict[str, Derived]]] = {
    "signing_certificate": _signing_certificates,
    "hsm_device": _devices,
    "vault": _vaults,
}
"""By table, the derived columns from records, given the rows of the view and `as_of`."""
