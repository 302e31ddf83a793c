import pytest
import torch

from offline_rl.meta.convergence import Checkpoint, Convergence, clustered_standard_error

ALONE = torch.arange(100)
NOISE = torch.randn(100, generator=torch.Generator().manual_seed(0))
# A gain that differs between rounds, with mean 0.1 and standard error 0.01.
GAIN = 0.1 + 0.1 * (NOISE - NOISE.mean()) / NOISE.std(correction=0)


def checkpoint(step: int, adapted: torch.Tensor, zero_shot: torch.Tensor = NOISE) -> Checkpoint:
    return Checkpoint(step, adapted, zero_shot, adapted, zero_shot, {"step": torch.tensor(float(step))})


def start(patience: int = 2) -> Convergence:
    return Convergence.start(checkpoint(0, NOISE), ALONE, patience)


def test_the_standard_error_is_the_usual_one_for_single_rounds() -> None:
    assert clustered_standard_error(GAIN, ALONE) == pytest.approx(0.01, rel=1e-5)


def test_rounds_that_repeat_each_other_say_nothing_new() -> None:
    twice = torch.cat([GAIN, GAIN])
    assert clustered_standard_error(twice, torch.cat([ALONE, ALONE])) == pytest.approx(0.01, rel=1e-5)
    assert clustered_standard_error(twice, torch.arange(200)) == pytest.approx(0.01 / 2**0.5, rel=1e-5)


def test_a_convincing_gain_becomes_the_best() -> None:
    state = start().after(checkpoint(10, NOISE + GAIN))
    assert state.best.step == 10
    assert state.checkpoints_since_best == 0


def test_a_loss_or_nothing_at_all_runs_out_of_patience() -> None:
    for change in (-GAIN, torch.zeros(100)):
        state = start().after(checkpoint(10, NOISE + change))
        assert not state.is_over
        state = state.after(checkpoint(20, NOISE + change))
        assert state.is_over
        assert state.best.step == 0


def test_noise_around_the_best_is_not_an_improvement() -> None:
    noisy = GAIN - GAIN.mean() + 0.008
    assert start().after(checkpoint(10, NOISE + noisy)).best.step == 0


def test_slow_progress_adds_up() -> None:
    state = start(patience=5)
    for step in range(1, 30):
        state = state.after(checkpoint(step, NOISE + 0.03 * step * GAIN))
    assert state.best.step == 29


def test_adaptation_pays_only_by_more_than_a_standard_error() -> None:
    paying = Convergence.start(checkpoint(0, NOISE + GAIN, NOISE), ALONE, 2)
    assert paying.adaptation_pays
    doubtful = Convergence.start(checkpoint(0, NOISE + GAIN - 0.095, NOISE), ALONE, 2)
    assert not doubtful.adaptation_pays
    assert not start().adaptation_pays
