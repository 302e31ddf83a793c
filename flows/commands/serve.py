"""`metacart serve` and `metacart service`: the server of the nights, in the foreground or as a service."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from features.errors import UsageError
from flows.commands.stage_lines import LogJsonFlag
from flows.shops import DATA

if TYPE_CHECKING:
    from flows.prefect_flows.serve import ServePlan

HOME = DATA / "prefect"

service = App(
    name="service", help="Install the server as a service of systemd.", result_action="return_value"
)


def _said(words: str) -> Parameter:
    return Parameter(help=words, negative="")


@Parameter(name="*")
@dataclass(frozen=True)
class ServeOptions:
    """The options of `metacart serve`, and of a service that runs it."""

    config: Annotated[
        Path | None,
        _said(
            "The configuration of nightly/nightly; by default metacart.toml, or the demo's, or the first of "
            "--shops."
        ),
    ] = None
    shops: Annotated[
        Path | None,
        _said("Folder of configurations: *.toml, or metacart.toml in its folders; by default data/raw."),
    ] = None
    home: Annotated[
        Path | None,
        _said("Folder of Prefect's database and of the password; by default PREFECT_HOME, or data/prefect."),
    ] = None
    port: Annotated[int, _said("Port of the server on 127.0.0.1.")] = 4200
    reports_port: Annotated[int, _said("Port of the reports on 127.0.0.1.")] = 4201
    when_busy: Annotated[
        Literal["cancel", "queue"],
        _said("A second night of a shop that already runs is cancelled, or waits until the first has ended."),
    ] = "cancel"
    at_once: Annotated[
        int | None,
        _said("Largest number of runs at a time; by default the number of processor cores, and at least 2."),
    ] = None

    @property
    def absolute_home(self) -> Path:
        """The home, as other folders see it."""
        return (self.home or Path(os.environ.get("PREFECT_HOME") or HOME)).resolve()

    def plan(self, *, log_json: bool) -> "ServePlan":
        """Return what these options serve. Raises UsageError where that can't be."""
        from flows.prefect_flows.configured_shops import configured_shops
        from flows.prefect_flows.serve import ServePlan

        if self.at_once is not None and self.at_once < 1:
            raise UsageError(f"Run 1 or more nights at once, not {self.at_once}.")
        for number in (self.port, self.reports_port):
            if not 1 <= number <= 65535:
                raise UsageError(f"{number} is not a port: choose one from 1 to 65535.")
        if self.port == self.reports_port:
            raise UsageError(f"The server and the reports can't both have port {self.port}.")
        return ServePlan(
            shops=configured_shops(self.config, self.shops),
            home=self.absolute_home,
            port=self.port,
            reports_port=self.reports_port,
            when_busy=self.when_busy,
            at_once=self.at_once or max(2, os.cpu_count() or 1),
            log_json=log_json,
        )

    def words(self, plan: "ServePlan") -> Iterator[str]:
        """Yield the words of a command line that serves a plan from any folder."""
        yield from ("--config", str(plan.shops[0].config), "--home", str(plan.home))
        if self.shops is not None:
            yield from ("--shops", str(self.shops.resolve()))
        yield from ("--port", str(plan.port), "--reports-port", str(plan.reports_port))
        yield from ("--when-busy", plan.when_busy, "--at-once", str(plan.at_once))
        if plan.log_json:
            yield "--log-json"


USUAL = ServeOptions()


def serve(
    options: ServeOptions = USUAL,
    *,
    print_env: Annotated[bool, Parameter(negative="")] = False,
    log_json: LogJsonFlag = False,
) -> None:
    """Start Prefect's server, a worker and the reports on this machine; Ctrl-C stops them all.

    Deploys nightly/nightly, nightly/SHOP for each configured shop, and one flow per stage.

    Parameters
    ----------
    print_env
        Start nothing: print the variables with which another shell reaches the server that runs.
    """
    from flows.prefect_flows import credentials
    from flows.prefect_flows import serve as server

    if print_env:
        print(credentials.shell_lines(server.client_variables(options.absolute_home)))
        return
    server.run_serve(options.plan(log_json=log_json), lambda line: print(line, flush=True))


@service.command
def install(
    options: ServeOptions = USUAL,
    *,
    system: Annotated[bool, Parameter(negative="")] = False,
    only_print: Annotated[bool, Parameter(name="--print", negative="")] = False,
    log_json: LogJsonFlag = False,
) -> None:
    """Write a systemd unit that runs `metacart serve` with these options; start nothing.

    Parameters
    ----------
    system
        Write a unit of the machine, which needs root, in place of one of the user.
    only_print
        Print the unit, and write nothing.
    """
    from flows.prefect_flows import systemd

    plan = options.plan(log_json=log_json)
    writable = tuple(dict.fromkeys([plan.home, *(shop.data for shop in plan.shops)]))
    unit = systemd.Unit(tuple(options.words(plan)), Path.cwd(), writable, system)
    if only_print:
        print(unit.text, end="")
        return
    for folder in writable:
        # A unit with a folder that does not exist would not start.
        folder.mkdir(parents=True, exist_ok=True)
    systemd.install(unit)
    print(f"{unit.path} is written; nothing was started. Next:")
    for step in systemd.next_steps(unit):
        print(f"  {step}")
