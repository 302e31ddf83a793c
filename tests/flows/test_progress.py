"""The progress of learning is shown on a terminal and in Prefect, and nowhere else."""

import io
from uuid import UUID

import pytest
from rich.console import Console

from flows.commands.progress_bar import progress_bar
from flows.prefect_flows import progress_artifact as artifact_module
from flows.prefect_flows.progress_artifact import progress_artifact
from flows.progress import LearnerRun, no_listener
from offline_rl.meta.meta_policy import CurvePoint

RUN = LearnerRun("recommendation", "maml", place=2, of=4, max_steps=200)
POINT = CurvePoint(100, 0.25, 0.0912, 0.0901, 3.0)


def test_a_terminal_shows_learner_loss_and_validation_value() -> None:
    seen = io.StringIO()
    with progress_bar(Console(file=seen, force_terminal=True, width=140)) as listener:
        listener(RUN)(POINT)
    line = seen.getvalue()
    assert "recommendation, maml" in line
    assert "step 100  loss 0.2500  validation value 0.0912" in line
    assert "62 %" in line


def test_a_log_file_shows_nothing() -> None:
    seen = io.StringIO()
    with progress_bar(Console(file=seen)) as listener:
        listener(RUN)(POINT)
    assert listener is no_listener
    assert seen.getvalue() == ""


def test_a_learner_that_takes_more_steps_than_planned_ends_where_the_next_begins() -> None:
    late = CurvePoint(600, 0.25, 0.0912, 0.0901, 3.0)
    assert RUN.share_done(late) == 0.75


class Page:
    """What a flow run's page would show."""

    def __init__(self) -> None:
        self.updates: list[tuple[float, str]] = []

    def create(self, progress: float, key: str, description: str) -> UUID:
        assert key == "learning-demo-shop"
        self.updates.append((progress, description))
        return UUID(int=1)

    def update(self, artifact_id: UUID, progress: float, description: str) -> UUID:
        self.updates.append((progress, description))
        return artifact_id


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    shown = Page()
    monkeypatch.setattr(artifact_module, "create_progress_artifact", shown.create)
    monkeypatch.setattr(artifact_module, "update_progress_artifact", shown.update)
    return shown


def test_prefect_shows_one_artifact_from_0_to_100(page: Page) -> None:
    with progress_artifact("demo_shop") as listener:
        listener(RUN)(POINT)
        # too soon after the last one to be worth a request
        listener(RUN)(POINT)
    assert [progress for progress, _ in page.updates] == [0.0, 62.5, 100.0]
    assert page.updates[1][1].startswith("recommendation, maml: step 100")


def test_the_artifact_shows_how_far_a_failed_night_came(page: Page) -> None:
    with pytest.raises(ValueError, match="diverged"), progress_artifact("demo_shop") as listener:
        listener(RUN)(POINT)
        raise ValueError("diverged")
    assert page.updates[-1][0] == 62.5
