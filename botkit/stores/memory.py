"""The store without a file, for trying things out and for tests."""

from botkit.stores.sqlite import SqliteStore
from botkit.stores.sqlite_file import IN_MEMORY


class MemoryStore(SqliteStore):
    """Everything in this object and gone with it; the same SQL as on disk, so the same behaviour."""

    def __init__(self) -> None:
        super().__init__(IN_MEMORY)
