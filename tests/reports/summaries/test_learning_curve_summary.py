from reports.summaries.learning_curves import POINTS_DRAWN, learning_curves
from tests.reports.sample_rows import table


def rows(values: list[float | None], losses: list[float | None] | None = None) -> list[dict]:
    return [
        {
            "run_id": "r",
            "domain": "recommendation",
            "learner": "maml",
            "step": step,
            "loss": 1.0 if losses is None else losses[step],
            "validation_value": value,
            "zero_shot_value": 0.1,
            "seconds": 1.0,
        }
        for step, value in enumerate(values)
    ]


def test_steps_are_counted_where_adapting_is_higher_and_where_it_differs_at_all() -> None:
    frame = table("out_learning_curves", rows([0.1, 0.4, 0.05, 0.3]))

    (curve,) = learning_curves(frame, "recommendation")

    assert (curve.n_above, curve.n_differing, curve.n_compared) == (2, 3, 4)


def test_steps_are_counted_before_a_long_curve_is_thinned() -> None:
    (curve,) = learning_curves(table("out_learning_curves", rows([0.5] * 1001)), "recommendation")

    assert curve.n_above == curve.n_compared == 1001


def test_a_curve_keeps_its_ends_and_their_gain() -> None:
    (curve,) = learning_curves(table("out_learning_curves", rows([0.1, 0.4, 0.3])), "recommendation")

    assert (curve.first.step, curve.last.step) == (0, 2)
    assert curve.first.gain == 0.0
    assert curve.last.gain is not None and abs(curve.last.gain - 0.2) < 1e-12


def test_long_curves_are_thinned_but_keep_their_ends() -> None:
    (curve,) = learning_curves(table("out_learning_curves", rows([0.5] * 1001)), "recommendation")

    assert len(curve.points) <= POINTS_DRAWN + 1
    assert (curve.points[0].step, curve.points[-1].step) == (0, 1000)


def test_losses_start_at_the_first_one_that_is_known() -> None:
    frame = table("out_learning_curves", rows([0.1, 0.2, 0.3], losses=[9.0, 0.8, 0.7]))
    unknown_at_first = frame.with_columns(
        loss=frame["loss"].set(frame["step"] == 0, None),
    )

    (curve,) = learning_curves(unknown_at_first, "recommendation")

    assert (curve.first_loss, curve.last_loss) == (0.8, 0.7)


def test_other_domains_have_no_curve() -> None:
    assert learning_curves(table("out_learning_curves", rows([0.1])), "budget") == ()
