import re

from mailgun_emulator.core.ids import Ids


def test_the_same_seed_gives_the_same_ids() -> None:
    one, two = Ids(7), Ids(7)
    assert [one.object_id(), one.secret(), one.event_id()] == [two.object_id(), two.secret(), two.event_id()]


def test_ids_have_mailguns_shapes() -> None:
    ids = Ids(1)
    assert re.fullmatch(r"[0-9a-f]{24}", ids.object_id())
    assert re.fullmatch(r"[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}", ids.secret())
    assert re.fullmatch(r"[\w-]{22}", ids.event_id())
    assert re.fullmatch(r"BAAB[\w-]{30}", ids.storage_key())
    assert re.fullmatch(r"19700101000001\.[0-9a-f]{16}@example\.com", ids.message_id("example.com", 1))


def test_only_seeded_ids_come_again_after_a_rewind() -> None:
    for seed in (7, None):
        ids = Ids(seed)
        ids.hex(8)
        ids.mark()
        first = ids.hex(32)
        ids.rewind()
        assert (ids.hex(32) == first) is (seed is not None)
