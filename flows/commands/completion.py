"""`metacart --install-completion`: the shell completes verbs and options."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from cyclopts import App
from cyclopts.completion.detect import ShellDetectionError

from features.errors import UsageError

Shell = Literal["bash", "zsh", "fish", "powershell"]


def completion_of(app: App) -> Callable[..., None]:
    """Return the command that installs the completion of an app."""

    def install_completion(*, shell: Shell | None = None, output: Path | None = None) -> None:
        """Install shell completion, and a line in the shell's startup file that loads it.

        Parameters
        ----------
        shell
            By default the shell that the command is started from.
        output
            The file of the completion; by default where the shell looks for it.
        """
        try:
            path = app.install_completion(shell=shell, output=output)
        except ShellDetectionError as error:
            raise UsageError("The shell is not known: name it, as in --shell bash.") from error
        print(f"{path} is written; open a new shell, and the Tab key completes.")

    return install_completion
