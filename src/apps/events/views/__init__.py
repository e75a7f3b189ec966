"""Edges: pages and API of events."""
