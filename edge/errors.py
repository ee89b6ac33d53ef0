"""What can keep the command from doing its work; each error says who must act."""

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h: right now somebody else has it.


class EdgeError(Exception):
    """Root of this folder: one clear line for the person at the keyboard."""

    exit_status = EXIT_FAILED


class SettingsError(EdgeError):
    """The technician must edit a line of a settings file."""

    exit_status = EXIT_USAGE


class StateError(EdgeError):
    """The state folder cannot be written."""


class EnrolError(EdgeError):
    """Kiosk and city do not come to know each other."""


class PortError(EdgeError):
    """The address to listen on cannot be had."""


class InUseError(EdgeError):
    """Another instance works on the same state folder."""

    exit_status = EXIT_TRY_LATER


class PackError(EdgeError):
    """A workbook or a content pack is not what it must be."""
