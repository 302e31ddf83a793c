"""The processes below a process, and their end."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def descendants(pid: int) -> list[int]:
    """Return the pids of all processes below a process, parents before their children."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found = [pid]
    for process in found:
        found += children.get(process, [])
    return found[1:]


def send(pids: Collection[int], signum: int) -> None:
    """Send a signal to processes; those that have ended already are left out."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signum)


def wait_for(pids: Collection[int], seconds: float) -> list[int]:
    """Wait until processes have ended, at most this long; return those that still run."""
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def leave_with_parent() -> None:
    """End this process and all below it soon after its parent has ended, however that was."""
    threading.Thread(target=_watch, args=(os.getppid(),), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    below = descendants(os.getpid())
    send(below, signal.SIGTERM)
    send(wait_for(below, 2.0), signal.SIGKILL)
    os._exit(1)


def _parents() -> Iterator[tuple[int, int]]:
    """Yield process and parent, of all processes."""
    if not PROC.is_dir():
        for line in _ps("-A", "-o", "pid=,ppid=").splitlines():
            pid, parent = line.split()
            yield int(pid), int(parent)
        return
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            yield int(entry.name), int(stat[1])


def _state(pid: int) -> str:
    if not PROC.is_dir():
        return _ps("-o", "stat=", "-p", str(pid))[:1] or "Z"
    stat = _stat(pid)
    return stat[0] if stat else "Z"


def _stat(pid: int) -> list[str]:
    """Return state, parent and so on of a process; nothing if it has ended."""
    try:
        line = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    # The name stands before them in brackets, and may hold blanks and brackets.
    return line.rpartition(")")[2].split()


def _ps(*options: str) -> str:
    """Return what ps prints, where there is no /proc."""
    command = [shutil.which("ps") or "/bin/ps", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
