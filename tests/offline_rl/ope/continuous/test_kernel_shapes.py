"""What every kernel obeys."""

import numpy as np
import pytest

from offline_rl.ope.continuous.kernels import KERNELS, Kernel
from offline_rl.ope.continuous.smoothing import kernel_density

EVERY = pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
U = np.linspace(-8, 8, 160_001)


@EVERY
def test_a_symmetric_density(kernel: Kernel) -> None:
    density = kernel.density(U)
    assert (density >= 0).all()
    assert np.allclose(density, density[::-1])
    assert np.trapezoid(density, U) == pytest.approx(1, abs=1e-8)


@EVERY
def test_the_cumulative_adds_the_density_up(kernel: Kernel) -> None:
    steps = np.diff(U) * (kernel.density(U[1:]) + kernel.density(U[:-1])) / 2
    assert np.allclose(kernel.cumulative(U[1:]), steps.cumsum(), atol=1e-7)


@EVERY
def test_constants(kernel: Kernel) -> None:
    density = kernel.density(U)
    assert np.trapezoid(U**2 * density, U) == pytest.approx(kernel.second_moment, rel=1e-6)
    assert np.trapezoid(density**2, U) == pytest.approx(kernel.roughness, rel=1e-6)


@EVERY
@pytest.mark.parametrize("around", [0.0, 0.1, 3.0, 9.9, 10.0])
@pytest.mark.parametrize("bandwidth", [0.5, 4.0, 40.0])
def test_the_scale_holds_all_of_the_kernel(kernel: Kernel, around: float, bandwidth: float) -> None:
    level = np.linspace(0, 10, 100_001)
    density = kernel_density(kernel, level, np.full_like(level, around), bandwidth, lower=0.0, upper=10.0)
    assert np.trapezoid(density, level) == pytest.approx(1, abs=1e-6)
