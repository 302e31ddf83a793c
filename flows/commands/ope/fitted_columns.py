"""Columns of the rounds fitted from `context`, where a file lacks them or they are not to be trusted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from features.contracts.findings import Finding
from flows.commands.ope.evaluated_log import POLICY
from flows.commands.ope.round_files import RoundFile, lacking
from offline_rl.ope.models.cross_fitting import cross_fitted_rewards, mrdr_weight
from offline_rl.ope.models.density_ratio import density_ratio
from offline_rl.ope.records import Floats, Ints

ModelName = Literal["linear", "trees"]

OF_REWARDS, OF_PROPENSITIES = ("q_hat", "q_hat_mrdr"), ("density_ratio",)
"""Columns that --fit-q and --fit-propensity replace, besides the propensity itself."""


@dataclass(frozen=True)
class Fit:
    """The columns to fit, for rewards (q) or propensities and density ratios (propensity), and the model."""

    q: bool = False
    propensity: bool = False
    model: ModelName = "linear"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are fitted instead of read from the file."""
        return (OF_REWARDS if self.q else ()) + (OF_PROPENSITIES if self.propensity else ())

    def found(self, columns: Sequence[str]) -> tuple[Finding, ...]:
        """Return what is to be known of a value that rests on these fitted columns; nothing for none."""
        if not columns:
            return ()
        return (Finding("fitted_on_context", POLICY, {"columns": ", ".join(columns), "model": self.model}),)

    def check(self, file: RoundFile) -> None:
        """Raise UsageError where the file lacks the inputs of the models."""
        if (self.q or self.propensity) and "context" not in file.columns:
            asked = "--fit-q" if self.q else "--fit-propensity"
            raise lacking(asked, "context, a list of numbers per round", file)


@dataclass(frozen=True, eq=False)
class FittedOn:
    """The inputs of models: context [n, d], evaluation_probs [n, A], one number per round of the others."""

    context: Floats
    action: Ints
    reward: Floats
    propensity: Floats
    evaluation_probs: Floats
    cluster: Ints


def fitted_columns(names: tuple[str, ...], on: FittedOn, model: ModelName, seed: int) -> dict[str, Floats]:
    """Return the columns of the rounds in place of these columns of the file, cross-fitted over clusters.

    Raises ValueError for fewer clusters than folds.
    """
    columns: dict[str, Floats] = {}
    n_actions = on.evaluation_probs.shape[1]
    for name in names:
        if name == "density_ratio":
            columns[name] = density_ratio(
                on.context,
                on.action,
                on.evaluation_probs,
                on.cluster,
                n_actions=n_actions,
                model=model,
                seed=seed,
            )
            continue
        is_mrdr = name == "q_hat_mrdr"
        evaluation_prob = on.evaluation_probs[range(len(on.action)), on.action]
        modeled = cross_fitted_rewards(
            on.context,
            on.action,
            on.reward,
            on.evaluation_probs,
            on.cluster,
            n_actions=n_actions,
            model=model,
            seed=seed,
            sample_weight=mrdr_weight(evaluation_prob, on.propensity) if is_mrdr else None,
        )
        suffix = "_mrdr" if is_mrdr else ""
        columns |= {f"q_logged{suffix}": modeled.q_logged, f"q_policy{suffix}": modeled.q_policy}
    return columns
