"""What can be wrong with what the kiosk is to show."""


class ContentError(ValueError):
    """A pack that may not be shown; the message names file, entry, field and value."""
