"""The wires on Linux."""
