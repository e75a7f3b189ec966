"""Other libraries, as what they hold: each source yields files in one shape, however it keeps them.

A source reads its peer's rows and writes nothing. Peers are found among the installed apps when a
source is made; none is imported before, and none is a dependency.
"""

from apps.media.adopting.contract import Adoptable, Folder, OldAddress, Source, UnknownSourceError
from apps.media.adopting.fields import FieldSource, Wording
from apps.media.adopting.filer import FilerSource
from apps.media.adopting.references import Reference, reference_to
from apps.media.adopting.wagtail import DocumentSource, ImageSource

__all__ = [
    "Adoptable",
    "DocumentSource",
    "FieldSource",
    "FilerSource",
    "Folder",
    "ImageSource",
    "OldAddress",
    "Reference",
    "Source",
    "UnknownSourceError",
    "Wording",
    "reference_to",
]
