"""GPU: whether learning has one, and whether it can take a training step."""

from features.exit_statuses import ExitStatus
from flows.health.check import Check, fault, warning, well
from offline_rl.device_probe import GpuProbe

NAME = "GPU"

_ADVICE = "Update its driver, or set CUDA_VISIBLE_DEVICES to an empty text: then learning runs on the CPU."


def check_gpu(probe: GpuProbe) -> Check:
    """Judge what the probe has found."""
    if probe.name is None:
        if probe.has_driver:
            return warning(
                NAME,
                "The machine has a GPU that torch can't use; learning runs on the CPU.",
                "Install a torch built for CUDA and a driver that fits it.",
            )
        return well(NAME, "no GPU: learning runs on the CPU.")
    if probe.step_error:
        said = f"{probe.name} can't take a training step: {probe.step_error}."
        return fault(NAME, said, _ADVICE, ExitStatus.FAILURE)
    if probe.capture_error:
        return warning(NAME, f"{probe.name} can't capture a training step: {probe.capture_error}.", _ADVICE)
    return well(NAME, f"{probe.name} takes a training step and captures it.")
