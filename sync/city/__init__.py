"""The city's end of the wire."""
