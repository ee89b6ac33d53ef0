"""The journal and both ends of the wire."""
