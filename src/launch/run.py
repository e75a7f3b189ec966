"""`make run`: serves the project on this machine until it is told to stop."""

from __future__ import annotations

from rich.console import Console

from launch.errors import LaunchError
from launch.session import Session, read_settings, serving, stop_on_signals

GREETING = """\
[bold]Media App[/] answers at [bold cyan]{address}[/]
Log in as [bold]demo[/] with the password [bold]demo-password[/]

Logs: {log}/   Stop: Ctrl-C"""


def greet(console: Console, session: Session) -> None:
    """Print where the server is and how to log in."""
    log = session.place.show(session.place.log)
    console.print(GREETING.format(address=session.address, log=log), highlight=False)


def main(arguments: list[str]) -> int:
    """Serve until Ctrl-C or SIGTERM, then return 0; 1 when it cannot start or ends by itself."""
    console = Console()
    stop_on_signals()
    try:
        with serving(read_settings(), console, any_port=False, with_samples=True) as session:
            greet(console, session)
            session.supervisor.wait()
    except KeyboardInterrupt:
        console.print("Stopped; everything is kept.")
        return 0
    except LaunchError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    console.print("The processes have ended by themselves; the logs say why", style="red")
    return 1
