"""The same numbers on every device: what learns and scores, on the processor and on a GPU.

`make gpu` runs the second half of each pair on a machine that has one. The reference is always the
processor's, so that the first half says only that the comparison is sound.
"""

from pathlib import Path

import pytest
import torch

from offline_rl.logged_data import Tasks
from offline_rl.meta import shared_fits
from offline_rl.meta.adapt_together import adapted_to_each
from offline_rl.meta.learning_settings import LearningSettings
from offline_rl.meta.maml import Maml
from offline_rl.meta.mixed_effects import MixedEffects
from offline_rl.meta.shared_fits import SharedFits
from offline_rl.mixed_model.model import fit_model
from offline_rl.policies.policy import Policy
from offline_rl.policies.slot_marginals import slot_marginals
from tests.laws.learners import load_world, log_rounds, opposite_world

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")],
    ),
]
STEPS = LearningSettings(hidden=4, max_steps=10)


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    return load_world(tmp_path, log_rounds(opposite_world(), 200))


def learned_on(
    device: str, learner: MixedEffects | Maml, tasks: Tasks, patch: pytest.MonkeyPatch
) -> dict[int, torch.Tensor]:
    """Probabilities of every segment's policy on the holdout, as learned on a device."""
    patch.setattr(shared_fits, "training_device", lambda: torch.device(device))
    policies: dict[int, Policy] = adapted_to_each(
        learner.meta_train(SharedFits(tasks, STEPS, seed=0)), tasks.window("training")
    )
    rounds = tasks.window("holdout")
    return {
        segment: policy.action_probabilities(
            rounds.context, rounds.slot, rounds.item_features, rounds.availability(), rounds.history
        ).cpu()
        for segment, policy in policies.items()
    }


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("with_segments", [True, False])
def test_a_mixed_model_is_the_same(device: str, with_segments: bool, tasks: Tasks) -> None:
    rounds = tasks.rounds.to("cpu", torch.float32)

    def scores(where: str) -> torch.Tensor:
        model = fit_model(
            rounds.to(where, torch.float32), with_segments=with_segments, with_factors=False, seed=0
        )
        return model.expected_rewards(rounds.to(where, torch.float32)).cpu()

    torch.testing.assert_close(scores(device), scores("cpu"), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("learner", [MixedEffects(), Maml()], ids=lambda one: one.name)
def test_what_is_learned_serves_the_same(
    device: str, learner: MixedEffects | Maml, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = learned_on("cpu", learner, tasks, monkeypatch)
    found = learned_on(device, learner, tasks, monkeypatch)
    assert expected.keys() == found.keys()
    for segment, probabilities in expected.items():
        torch.testing.assert_close(found[segment], probabilities, rtol=0.0, atol=0.02)


@pytest.mark.parametrize("device", DEVICES)
def test_slates_have_the_same_marginals(device: str) -> None:
    logits = 20.0 * torch.randn(50, 3, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = slot_marginals(logits.to(device)).cpu()
    torch.testing.assert_close(found, slot_marginals(logits), rtol=1e-10, atol=1e-14)
