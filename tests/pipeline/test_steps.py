from collections.abc import Callable

import pytest

from mailgun_emulator.pipeline import steps
from mailgun_emulator.state.jobs import Step


@pytest.mark.parametrize("step", Step)
def test_each_kind_of_work_has_its_place(step: Step) -> None:
    load: Callable[[str], object] = steps.doing if step in steps.STEPS else steps.posting
    assert callable(load(step))
