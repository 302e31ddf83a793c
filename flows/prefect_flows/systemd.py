"""The systemd unit of `metacart serve`: written, never started."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

from features.errors import UsageError

NAME = "metacart.service"
MARK = "# Written by `metacart service install`; a new install replaces it."


@dataclass(frozen=True)
class Unit:
    """A service. arguments: of `metacart serve`. writable: folders it writes to; all others are read only.

    is_system: for the machine, not for the user.
    """

    arguments: tuple[str, ...]
    folder: Path
    writable: tuple[Path, ...]
    is_system: bool = False

    @property
    def path(self) -> Path:
        """The place of the unit."""
        if self.is_system:
            return Path("/etc/systemd/system") / NAME
        config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
        return Path(config) / "systemd" / "user" / NAME

    @property
    def text(self) -> str:
        """The unit in systemd's form."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield MARK
        yield "[Unit]"
        yield "Description=metacart: nightly runs, their schedule and their reports"
        yield "Documentation=man:systemd.service(5)"
        yield "After=network.target"
        yield "StartLimitIntervalSec=600"
        yield "StartLimitBurst=5"
        yield ""
        yield "[Service]"
        yield "Type=exec"
        if self.is_system:
            yield f"User={getuser()}"
        yield f"WorkingDirectory={_escaped(str(self.folder))}"
        yield f"ExecStart={' '.join(_quoted(word) for word in [*_command(), 'serve', *self.arguments])}"
        yield "Environment=OMP_NUM_THREADS=1 DO_NOT_TRACK=1 PYTHONUNBUFFERED=1"
        yield "Restart=on-failure"
        yield "RestartSec=30"
        yield "# SIGTERM to metacart alone, which ends its children in order within 5 seconds."
        yield "KillMode=mixed"
        yield "TimeoutStopSec=20"
        yield "SuccessExitStatus=130 143"
        yield "# A wrong configuration does not become right by a restart."
        yield "RestartPreventExitStatus=64"
        yield "UMask=0077"
        yield "NoNewPrivileges=yes"
        yield "PrivateTmp=yes"
        yield "ProtectSystem=strict"
        yield "ProtectHome=read-only"
        yield f"ReadWritePaths={' '.join(_quoted(str(path)) for path in self.writable)}"
        yield "ProtectKernelTunables=yes"
        yield "ProtectKernelModules=yes"
        yield "ProtectControlGroups=yes"
        yield "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"
        yield "RestrictNamespaces=yes"
        yield "RestrictRealtime=yes"
        yield "RestrictSUIDSGID=yes"
        yield "LockPersonality=yes"
        yield "SystemCallArchitectures=native"
        if self.is_system:
            yield "PrivateDevices=yes"
            yield "CapabilityBoundingSet="
            yield "IPAddressDeny=any"
            yield "IPAddressAllow=localhost"
        yield ""
        yield "[Install]"
        yield f"WantedBy={'multi-user.target' if self.is_system else 'default.target'}"


def install(unit: Unit) -> None:
    """Write the unit; nothing is started.

    Raises UsageError where another's unit of that name stands, or the folder can't be written.
    """
    path = unit.path
    try:
        if path.exists() and not path.read_text(encoding="utf-8").startswith(MARK):
            raise UsageError(f"{path} exists and was not written by metacart. Move it away first.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(unit.text, encoding="utf-8")
    except OSError as error:
        hint = "Run it as root" if unit.is_system else "Choose --print"
        raise UsageError(
            f"{path} can't be written: {error.strerror}. {hint}, or write the output of --print there."
        ) from error


def next_steps(unit: Unit) -> tuple[str, ...]:
    """Return the commands that an operator runs next."""
    if unit.is_system:
        return (
            "systemctl daemon-reload",
            "systemctl enable --now metacart",
            "systemctl status metacart",
            "journalctl --unit metacart --follow",
        )
    return (
        "systemctl --user daemon-reload",
        "systemctl --user enable --now metacart",
        f"loginctl enable-linger {getuser()}    # so that it runs while nobody is logged in",
        "journalctl --user --unit metacart --follow",
    )


def _command() -> Sequence[str]:
    """Return how this metacart is called: by its script beside the interpreter, or as a module."""
    script = Path(sys.executable).with_name("metacart")
    found = shutil.which(str(script))
    return [found] if found else [sys.executable, "-m", "flows.commands.start"]


def _quoted(word: str) -> str:
    r"""Return a word as systemd reads it back: quoted, without its variables and specifiers.

    >>> print(_quoted('a "b" $c 50%'))
    "a \"b\" $$c 50%%"
    """
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{_escaped(escaped)}"' if set(word) & set(" \t\"'\\;") else _escaped(escaped)


def _escaped(text: str) -> str:
    if "\n" in text:
        raise UsageError(f"{text!r} has a line break, which a unit can't hold. Rename the folder.")
    return text.replace("%", "%%")
