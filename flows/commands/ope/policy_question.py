"""The question about the policy in a file of logged decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from features.errors import UsageError
from flows.commands.ope.asked_interval import DEFAULT, AskedInterval, asked_interval
from flows.commands.ope.fitted_columns import Fit

KernelName = Literal["triangular", "gaussian", "epanechnikov", "cosine"]
KERNEL: KernelName = "epanechnikov"

Shape = Literal["rounds", "slates", "sessions", "spend"]

ONLY_FOR: Mapping[str, tuple[Shape, ...]] = {
    "--fit-q": ("rounds", "sessions"),
    "--fit-propensity": ("rounds",),
    "--gamma": ("sessions",),
    "--spend-range": ("spend",),
    "--bandwidth": ("spend",),
    "--kernel": ("spend",),
}
"""Option → the shapes that have it; options that are not here are for all shapes."""


@dataclass(frozen=True)
class PolicyQuestion:
    """A question about the policy in a file of rounds, slates, sessions or spend.

    estimators: names, of which the first leads; empty for those that the file's columns allow.
    cluster: column of clusters, such as users; None for independent rounds.
    interval: name of the interval. reward_range, max_weight: bounds for intervals of a known range, or None.
    fit: columns to fit on `context` instead of reading them.
    gamma: discount of a session's rewards, None for 1.
    spend_range: smallest and largest amount that the logging policy could draw.
    bandwidth: of the kernel, in the unit of spend; None to choose it. kernel: name of the kernel.

    Raises UsageError for numbers outside of their range, and for options that the shape doesn't have.
    """

    rounds: Path
    estimators: tuple[str, ...] = ()
    confidence: float = 0.95
    resamples: int = 1000
    cluster: str | None = None
    seed: int = 0
    interval: str = DEFAULT
    reward_range: tuple[float, float] | None = None
    max_weight: float | None = None
    fit: Fit = field(default_factory=Fit)
    shape: Shape = "rounds"
    gamma: float | None = None
    spend_range: tuple[float, float] | None = None
    bandwidth: float | None = None
    kernel: KernelName = KERNEL

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise UsageError(
                f"--confidence is {self.confidence:g}: give a share between 0 and 1, such as 0.95."
            )
        if self.resamples < 1:
            raise UsageError(f"--resamples is {self.resamples}: give at least 1, better 1000.")
        if self.seed < 0:
            raise UsageError(f"--seed is {self.seed}: give a whole number from 0 on.")
        if self.gamma is not None and not 0 <= self.gamma <= 1:
            raise UsageError(f"--gamma is {self.gamma:g}: give a discount from 0 to 1, such as 1.")
        if self.spend_range is not None and not self.spend_range[0] < self.spend_range[1]:
            raise UsageError("--spend-range takes the least and the largest amount, such as 0 100.")
        if self.bandwidth is not None and not self.bandwidth > 0:
            raise UsageError(f"--bandwidth is {self.bandwidth:g}: give a width above 0 in the unit of spend.")
        self._check_shape()

    def _check_shape(self) -> None:
        given = {
            "--fit-q": self.fit.q,
            "--fit-propensity": self.fit.propensity,
            "--gamma": self.gamma is not None,
            "--spend-range": self.spend_range is not None,
            "--bandwidth": self.bandwidth is not None,
            "--kernel": self.kernel != KERNEL,
        }
        for option, shapes in ONLY_FOR.items():
            if given[option] and self.shape not in shapes:
                raise UsageError(
                    f"{option} has no meaning for --shape {self.shape}, only for {' and '.join(shapes)}: "
                    "leave it out."
                )

    def asked_interval(self) -> AskedInterval:
        """Return the interval, with its bounds.

        Raises UsageError as the function of that name does.
        """
        return asked_interval(self.interval, self.reward_range, self.max_weight)

    def clusters(self, units: str) -> str:
        """Return the name of what the bootstrap draws, in the plural: of clusters, or of the units."""
        return "clusters" if self.cluster else units

    def drawing(self, units: str) -> dict[str, Any]:
        """Return the options of resampling, for `offline_rl.ope.evaluation.evaluate`."""
        return {
            "n_resamples": self.resamples,
            "seed": self.seed,
            "confidence": self.confidence,
            "cluster_name": self.clusters(units),
            "interval": self.asked_interval().resampled,
        }
