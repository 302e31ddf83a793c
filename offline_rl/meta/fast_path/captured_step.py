"""A whole meta-step on the device: gather the drawn tasks, meta-gradient, clip, Adam; on a GPU as one graph.

Batched, a meta-step is some 200 small kernels, and a GPU waits for the processor that launches them one by
one.  A CUDA graph launches all of them at once.  It asks for shapes that never change, rows that stay on the
device, and no look at a value in between: the tasks drawn are an index that the graph reads.  A CPU
runs the same step without capture.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from offline_rl.meta.fast_path.policy_rows import PolicyRows

MetaGradient = Callable[[Mapping[str, Tensor], PolicyRows, PolicyRows], tuple[Tensor, dict[str, Tensor]]]
"""meta_gradient(parameters, support, query) → (mean query loss, gradient), all of it on the device."""

WARM_UP_STEPS = 3
"""Steps before capture: libraries allocate their workspaces and choose their kernels in the first ones."""


class CapturedMetaStep:
    """Adam on meta-parameters, one call per step, over tasks that are resident on one device.

    parameters: the tensors to train, changed in place; they decide device and dtype.  support and query hold
    every task, on the same device; a step takes tasks_per_step of them.  rate is a tensor on the device, to
    be filled with another value between steps (a cosine, say) at no cost.
    Numbers are those of the plain step: single precision as it is set, neither TF32 nor bfloat16 by itself.
    Raises ValueError if support and query disagree in their tasks.
    """

    def __init__(
        self,
        parameters: Mapping[str, Tensor],
        support: PolicyRows,
        query: PolicyRows,
        meta_gradient: MetaGradient,
        *,
        tasks_per_step: int,
        outer_lr: float,
        gradient_norm: float = 5.0,
        warm_up_steps: int | None = None,
    ) -> None:
        if support.tasks != query.tasks:
            raise ValueError(
                f"Support and query are of the same tasks; these have {support.tasks} and {query.tasks}."
            )
        self.parameters = dict(parameters)
        self._support, self._query, self._meta_gradient = support, query, meta_gradient
        self._gradient_norm = gradient_norm
        device = support.action.device
        on_gpu = device.type == "cuda"
        self._tasks = torch.zeros(tasks_per_step, dtype=torch.int64, device=device)
        self.rate = torch.full((), outer_lr, device=device)
        # A rate that may change under a captured graph has to be a tensor; so does the count of steps.
        self._optimizer = torch.optim.Adam(
            list(self.parameters.values()), lr=self.rate, capturable=on_gpu, foreach=on_gpu
        )
        self._graph: torch.cuda.CUDAGraph | None = None
        self._value = torch.zeros((), device=device)
        rehearsals = (WARM_UP_STEPS if on_gpu else 0) if warm_up_steps is None else warm_up_steps
        if on_gpu:
            self._capture(max(rehearsals, 1))
        elif rehearsals:
            self._rehearse(rehearsals)

    def step(self, tasks: Tensor) -> Tensor:
        """One meta-step on these tasks [tasks_per_step]; the mean query loss before it, as a tensor.

        The tensor is overwritten by the next step on a GPU: read it, or clone it, before.
        """
        self._tasks.copy_(tasks)
        if self._graph is None:
            self._value = self._run()
        else:
            self._graph.replay()
        return self._value

    def _run(self) -> Tensor:
        value, gradient = self._meta_gradient(
            self.parameters, self._support.select(self._tasks), self._query.select(self._tasks)
        )
        for name, parameter in self.parameters.items():
            parameter.grad = gradient[name]
        torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), self._gradient_norm)
        self._optimizer.step()
        return value

    def _rehearse(self, steps: int) -> None:
        """Steps that leave nothing behind but warm libraries: parameters and Adam's state are put back."""
        before = {name: parameter.detach().clone() for name, parameter in self.parameters.items()}
        for _ in range(steps):
            self._run()
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(before[name])
            # In place: a captured graph goes on reading these very tensors.
            for state in self._optimizer.state.values():
                for number in state.values():
                    number.zero_()

    def _capture(self, warm_up_steps: int) -> None:
        # Warm-up runs beside the default stream, as capture will, so that what it prepares is found again.
        side = torch.cuda.Stream(device=self._tasks.device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self._rehearse(warm_up_steps)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=side):
            self._value = self._run()
        self._graph = graph
