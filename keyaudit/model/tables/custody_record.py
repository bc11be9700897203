"""The table of custody records, which come from a file and not from Azure."""

from keyaudit.model.custody import Kept
from keyaudit.model.evidence import CUSTODY
from keyaudit.model.schema.columns import Area, Table, text, time, where_found
from keyaudit.model.schema.opens import WIDE

CUSTODY_RECORD = Table(
    name="custody_record",
    order=370,
    area=Area.KEYS,
    noun="custody record",
    plural="custody records",
    meaning="one record of the keeper and location of a key, or of the shares of an HSM's security domain",
    needs=CUSTODY,
    added_by=(),
    replaced=False,
    opens=WIDE,
    columns=(
        *where_found(),
        text("kept_in", "where the private key is, or security-domain for the shares of a security domain",
            values=tuple(map(str, Kept))),
        text("owner", "who keeps it"),
        text("hsm", "the HSM that contains it", absent="the record names none", needs=CUSTODY),
        time("recorded_on", "the day on which it was inspected"),
        time("valid_until", "the last day on which the record is valid"),
        text("evidence", "where the evidence is"),
        text("azure_custody", "the key's location according to Azure: hsm or software",
            absent="Azure shows no such key", values=("hsm", "software"), needs=CUSTODY, derived=True),
    ),
)
