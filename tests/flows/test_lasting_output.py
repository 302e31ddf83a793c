"""A process whose reader is gone does its work to the end."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import logging, sys
from pathlib import Path
from rich.console import Console
from flows.lasting_output import outlive_readers

outlive_readers()
logging.basicConfig(stream=sys.stderr, level="INFO")
for line in range(2_000):
    print("line", line, flush=line % 7 == 0)
    Console().print("in color", line)
    Console(stderr=True).print("to the log", line)
    logging.info("line %d", line)
Path(sys.argv[1]).write_text("done")
"""


@pytest.mark.parametrize("closed", ["stdout", "stderr", "both"])
def test_work_goes_on_without_a_reader(tmp_path: Path, closed: str) -> None:
    pipes = {
        name: subprocess.PIPE if closed in (name, "both") else subprocess.DEVNULL
        for name in ("stdout", "stderr")
    }
    with subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path / "end")], **pipes) as process:
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.read(100)
                stream.close()
        assert process.wait() == 0
    assert (tmp_path / "end").read_text() == "done"


def test_control_characters_are_written_as_escapes() -> None:
    program = """
from flows.lasting_output import outlive_readers
outlive_readers()
print("a\\0b\\a\\x08\\u202ec\\x9b\\udc80 café\\tline\\nend")
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert run.stdout.decode() == r"a\x00b\x07\x08\u202ec\x9b\udc80 café" + "\tline\nend\n"
