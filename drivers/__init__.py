"""Bytes in, readings out."""
