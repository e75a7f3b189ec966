"""Why a run cannot go on, in words for the person who typed the command."""


class LaunchError(Exception):
    """The project cannot be started; the text says why and what to do about it."""


class TakenError(LaunchError):
    """Another copy runs on the same data; `address` is its URL, empty while it starts."""

    def __init__(self, address: str, process: str) -> None:
        where = f" at {address}" if address else ""
        super().__init__(
            f"A server already runs on this data{where} (process {process}).\n"
            "Stop it first, or give this one a place and a port of its own: DATA_DIR=… PORT=…"
        )
        self.address = address
