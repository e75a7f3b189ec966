"""The edges that speak HTTP: API, byte delivery and pages."""
