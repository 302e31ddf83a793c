"""Kernels: how much a logged level speaks about a nearby one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from offline_rl.ope.records import Floats


@dataclass(frozen=True)
class Kernel:
    """A symmetric probability density of the distance u, counted in bandwidths.

    | field | formula |
    |---|---|
    | density | K(u), 0 outside [−1, 1] except for the gaussian |
    | cumulative | ∫_{−∞}^u K |
    | second_moment | ∫ u² K: the bias is h²/2 · second_moment · m'' |
    | roughness | ∫ K²: the variance is roughness · E[r²] / (n h f) |

    Source: Wand & Jones 1995, "Kernel smoothing", sections 2.5 and 2.7.

    >>> float(KERNELS["triangular"].density(np.array(0.25)))
    0.75
    """

    name: str
    density: Callable[[Floats], Floats]
    cumulative: Callable[[Floats], Floats]
    second_moment: float
    roughness: float


def _inside(u: Floats) -> Floats:
    return np.clip(u, -1.0, 1.0)


KERNELS: dict[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        Kernel(
            "triangular",
            density=lambda u: 1 - np.abs(_inside(u)),
            cumulative=lambda u: (1 + 2 * _inside(u) - _inside(u) * np.abs(_inside(u))) / 2,
            second_moment=1 / 6,
            roughness=2 / 3,
        ),
        Kernel(
            "gaussian",
            density=lambda u: np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi),
            cumulative=ndtr,
            second_moment=1.0,
            roughness=1 / (2 * np.sqrt(np.pi)),
        ),
        Kernel(
            "epanechnikov",
            density=lambda u: 0.75 * (1 - _inside(u) ** 2),
            cumulative=lambda u: (2 + 3 * _inside(u) - _inside(u) ** 3) / 4,
            second_moment=1 / 5,
            roughness=3 / 5,
        ),
        Kernel(
            "cosine",
            density=lambda u: np.pi / 4 * np.cos(np.pi / 2 * _inside(u)),
            cumulative=lambda u: (1 + np.sin(np.pi / 2 * _inside(u))) / 2,
            second_moment=1 - 8 / np.pi**2,
            roughness=np.pi**2 / 16,
        ),
    )
}
"""name → kernel"""
