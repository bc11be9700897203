"""The table of listed repositories, which come from a file and not from Azure."""

from keyaudit.model.evidence import REPOSITORIES
from keyaudit.model.schema.columns import Area, Table, text, where_found

REPOSITORY = Table(
    name="repository",
    order=375,
    area=Area.FEDERATION,
    noun="repository",
    plural="repositories",
    meaning="one repository or project of the organisation, as the hosting service lists it",
    needs=REPOSITORIES,
    added_by=(),
    replaced=False,
    columns=(
        *where_found(),
        text("host", "the host of the hosting service", needs=REPOSITORIES),
        text("repository_id", "the id of the repository or project", needs=REPOSITORIES),
        text("owner", "the organisation, user or group that owns it", needs=REPOSITORIES),
        text("owner_id", "the id of that owner", needs=REPOSITORIES),
    ),
)
