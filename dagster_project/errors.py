"""One family of errors whose messages say what happened, where, and what to do."""


class ClienteleError(Exception):
    """Anything the user can act on.

    Args:
        message: what happened, naming source, feed, file, row or column.
        remedy: what to do about it, as an instruction.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.remedy}" if self.remedy else self.message


class ConfigurationError(ClienteleError):
    """A setting or a file of the project is wrong; nothing was loaded."""


class FeedError(ClienteleError):
    """One feed can't be landed this time; the other feeds go on."""

    def __init__(self, source: str, feed: str, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{source}.{feed}: {message}", remedy=remedy)
        self.source = source
        self.feed = feed


class SourceUnavailableError(FeedError):
    """The source did not answer or hung up: the same may succeed when it is tried again."""


class LoadError(ClienteleError):
    """The load can't publish; the last release stays served."""


class LockedError(ClienteleError):
    """Another load holds the writer's lock."""
