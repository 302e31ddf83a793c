"""A signal during the imports of the command ends it with its sentence."""

import signal
import subprocess
import sys

import pytest

SIGNALED_IMPORT = """
import importlib.abc, os, sys

class Signals(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "flows.commands.cli":
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Signals())
from flows.commands.start import main
sys.argv = ["metacart", "--version"]
main()
"""


def started(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_modules_are_imported_has_a_sentence(number: signal.Signals, status: int) -> None:
    ended = started(SIGNALED_IMPORT.format(number=int(number)))

    assert ended.returncode == status
    assert ended.stderr == "metacart: stopped before it began; nothing was done.\n"
    assert ended.stdout == ""


def test_the_command_gets_its_own_signals_back() -> None:
    ended = started(
        "import signal, sys\n"
        "before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]\n"
        "from flows.commands import start\n"
        "sys.argv = ['metacart', '--version']\n"
        "try:\n    start.main()\n"
        "except SystemExit as ended:\n    assert ended.code == 0\n"
        "assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before\n"
    )

    assert (ended.returncode, ended.stderr) == (0, "")
