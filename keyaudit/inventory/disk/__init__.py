"""Files and folders on disk: private, atomic, locked."""
