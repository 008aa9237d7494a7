"""What can go wrong that a user can mend. Everything else stays a traceback, because it is our bug."""


class WindsockError(Exception):
    """Base of all errors shown as one line: what, where, how to mend. The command exits with status 2."""


class ConfigError(WindsockError):
    """The pipeline file or an environment variable it names is wrong."""


class SourceError(WindsockError):
    """A source as a whole cannot be reached or listed. (One bad object is a reject, not an error.)"""


class LakeError(WindsockError):
    """The lake cannot be opened, locked, read or written."""


class QuestionError(WindsockError):
    """A question is unknown, or its SQL cannot be run."""


class CheckError(WindsockError):
    """The data are not fit to judge."""


class DeliveryError(WindsockError):
    """At least one delivery target failed."""
