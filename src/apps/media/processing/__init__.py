"""Engines: a file and limits in, facts and rendition files out.

Pure: no Django, no settings, no database, no storage. Callers outside this package use `types`,
`recipes`, `engines` (the table) and `sandbox` (the only way to run an engine); they must not call
an engine module themselves, because a decoder may crash, hang or be taken over by its input.
"""
