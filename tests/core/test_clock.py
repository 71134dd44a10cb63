from mailgun_emulator.core.clock import Clock


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock = Clock()
    clock.freeze(1000.0)
    clock.advance(60)
    assert clock.now() == 1060.0


def test_a_frozen_clock_is_as_exact_as_what_is_compared_with_it() -> None:
    clock = Clock(lambda: 1_795_657_513.0974116)
    clock.freeze()
    assert clock.now() == 1_795_657_513.097412
    assert clock.is_due_at(round(clock.now(), 6)) < 0


def test_a_resumed_clock_runs_on_from_where_it_stood() -> None:
    clock = Clock()
    clock.freeze(1000.0)
    clock.resume()
    assert 1000.0 <= clock.now() < 1060.0
