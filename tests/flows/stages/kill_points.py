"""Run a night again and again, each time killed at the next change of a file: for test_kills.py.

Every write, rename and removal of a file that Python does raises an audit event; the process ends at the
chosen one as by `kill -9`: nothing is flushed, closed or cleaned up. A fork for each, because importing takes
longer than the night.

    python kill_points.py changes SHOP COPIES FIRST STEP
    python kill_points.py moments SHOP COPIES SECONDS ...
    python kill_points.py erasures SHOP COPIES FIRST STEP

The last one kills the erasure of a person from a shop that has had nights.

Each line of output: the number of the copy, the end of the killed night, the end of the night run again.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

# A script has its own folder on the path, and not the project's, where the tests are.
sys.path.insert(0, str(Path(__file__).parents[3]))

from flows.settings import read_settings
from flows.stages.night import run_night
from flows.workspace import Workspace
from tests.flows.erasure.erasure_shop import erased

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
ENDED = 0


def die_at_change(number: int, folder: Path) -> None:
    """End the process at this change of a file below the folder, counted from 1."""
    left = number

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        is_change = event in CHANGES or (event == "open" and _writes(arguments))
        if is_change and str(arguments[0]).startswith(str(folder)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def run(config: Path) -> None:
    """Run the night of the last day."""
    run_night(read_settings(config), None)


def erase_ann(config: Path) -> None:
    """Erase a person."""
    erased(Workspace(read_settings(config)))


def in_child(action) -> int:
    """Run an action in a fork; return its exit status, negative for a signal."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            action()
            status = ENDED
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def copy_of(source: Path, shop: Path) -> Path:
    """Copy a shop that has had no night yet, and return the copy's configuration."""
    shutil.copytree(source, shop)
    config = shop / "metacart.toml"
    config.write_text(config.read_text().replace(str(source), str(shop)))
    return config


def at_changes(source: Path, folder: Path, first: int, step: int, action=run) -> None:
    """Kill at the changes first, first + step, ... until the action ends before; run each again."""
    number, ended = first, -signal.SIGKILL
    while ended != ENDED:
        config = copy_of(source, folder / f"{number}")

        def killed(config: Path = config, number: int = number) -> None:
            die_at_change(number, config.parent)
            action(config)

        ended = in_child(killed)
        print(number, ended, in_child(lambda config=config: action(config)), flush=True)
        number += step


def at_moments(source: Path, folder: Path, moments: list[float]) -> None:
    """Kill after each number of seconds; run each night again."""
    for number, seconds in enumerate(moments):
        config = copy_of(source, folder / f"{number}")
        child = os.fork()
        if child == 0:
            run(config)
            os._exit(ENDED)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(number, ended, in_child(lambda config=config: run(config)), flush=True)


if __name__ == "__main__":
    how, source, folder, *numbers = sys.argv[1:]
    if how == "erasures":
        at_changes(Path(source), Path(folder), *map(int, numbers), action=erase_ann)
    elif how == "changes":
        at_changes(Path(source), Path(folder), *map(int, numbers))
    else:
        at_moments(Path(source), Path(folder), [float(number) for number in numbers])
