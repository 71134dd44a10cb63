"""Where snapshots are kept: how much there is room for."""

import pytest

from mailgun_emulator.state.lock import IN_MEMORY
from mailgun_emulator.state.snapshot_store import NoRoom, SnapshotStore


def test_there_is_an_end_to_what_is_kept_in_memory() -> None:
    store = SnapshotStore(IN_MEMORY, most_in_memory=1_000_000)
    store.put("a", None, 1.0, b"a" * 600_000)
    with pytest.raises(NoRoom, match="1,000,000 bytes altogether"):
        store.put("b", None, 2.0, b"b" * 600_000)
    assert [each.name for each in store.list_all()] == ["a"]
    store.delete(store.get("a"))
    kept = store.put("b", None, 2.0, b"b" * 600_000)
    assert store.read(kept) == b"b" * 600_000
    store.close()
