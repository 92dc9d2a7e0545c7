"""Arrays as zarr and xarray read them: no bytes are handed out before they are known to be whole, and few enough."""

from typing import Any

from zarr.abc.store import ByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import BufferPrototype
from zarr.storage import LocalStore, WrapperStore

from purigeom.store.limits import damaged, index_of, refuse_inflated_part
from purigeom.store.places import Place
from purigeom.store.shards import whole


class Bounded(WrapperStore[Store]):
    """A store of arrays that hands out no chunk which is damaged, or which its array's header does not pay for."""

    def __init__(self, store: Store, folder: Place) -> None:
        super().__init__(store)
        self._folder = folder
        self._headers: dict[str, bytes] = {}

    def _with_store(self, store: Store) -> "Bounded":
        return type(self)(store, self._folder)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Any:
        """Return what lies under a key; zarr asks for a header first, and for a shard's index before its parts."""
        if isinstance(self._store, LocalStore) and not (self._store.root / key).is_file():
            return None  # nothing, or a pipe or device, which would be read without end
        found = await super().get(key, prototype, byte_range)
        folder, _, name = key.rpartition("/")
        if found is not None and name == "zarr.json":
            self._headers[folder] = found.to_bytes()
        elif found is not None and folder in self._headers:
            try:
                refuse(self._headers[folder], found.to_bytes(), byte_range)
            except ValueError as error:
                raise ValueError(damaged(self._folder / key, str(error))) from error
        return found


def refuse(header: bytes, content: bytes, asked: ByteRequest | None) -> None:
    """Raise where what was read of a file is damaged, or would become more in memory than its header says."""
    index = index_of(header)
    if index and isinstance(asked, SuffixByteRequest):
        index.places(content)
        return
    for part in index.split(content) if index and asked is None else [content]:
        refuse_inflated_part(header, part)
        if not whole(part):
            msg = "its checksum is not that of what it holds"
            raise ValueError(msg)
