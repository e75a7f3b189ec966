"""An app of the tests that uses media files in every way that apps may."""
