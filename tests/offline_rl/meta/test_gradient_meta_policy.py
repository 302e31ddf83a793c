import torch

from offline_rl.meta.gradient_meta_policy import GradientMetaPolicy


def test_more_steps_repeat_the_last_rate_and_fewer_take_the_first() -> None:
    policy = GradientMetaPolicy(
        name="any",
        parameters={},
        objective=None,  # type: ignore[arg-type]
        inner_lr=1.0,
        inner_steps=2,
        minimum_rounds=0,
        minimum_ess=0.0,
        validation_value=0.0,
        validation_gain=0.0,
        rates={"level": torch.tensor([0.5, 0.25])},
        longest_move=1.0,
    )
    assert policy.with_steps(4).rates["level"].tolist() == [0.5, 0.25, 0.25, 0.25]
    assert policy.with_steps(1).rates["level"].tolist() == [0.5]
    assert policy.with_steps(1).inner_steps == 1
    assert policy.with_steps(1).longest_move is None
