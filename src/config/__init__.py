"""The composition root: reads the environment and puts the project together. Imported by no app."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
