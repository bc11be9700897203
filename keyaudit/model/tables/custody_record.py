"""The table of custody records, which come from a file and not from Azure."""

from keyaudit.model.columns import Area, Table, text, time, where_found
from keyaudit.model.custody import Kept
from keyaudit.model.evidence import CUSTODY

CUSTODY_RECORD = Table(
    name="custody_record",
    order=370,
    area=Area.KEYS,
    noun="custody record",
    plural="custody records",
    meaning="one record of who keeps a key, or the shares of an HSM's security domain, and where",
    needs=CUSTODY,
    added_by=(),
    replaced=False,
    columns=(
        *where_found(),
        text("kept_in", "where the private half is, or that it is about the shares of a security domain",
            values=tuple(map(str, Kept))),
        text("owner", "who keeps it"),
        text("hsm", "which HSM it is in", absent="the record names none", needs=CUSTODY),
        time("recorded_on", "the day on which it was looked at"),
        time("valid_until", "the last day on which the record counts"),
        text("evidence", "where the proof is"),
        text("azure_custody", "where Azure says that the key is: hsm or software",
            absent="Azure shows no such key", values=("hsm", "software"), needs=CUSTODY, derived=True),
    ),
)
