"""Which SVG is only a picture: closed lists of elements, attributes, references and CSS.

`read_drawing` gives the tree without what nobody draws (comments, metadata, the private elements of
drawing programs), so that a rasteriser sees nothing but what was checked here. It must never be
handed the file itself: the one in use opens files that an image refers to.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from pathlib import Path
from xml.etree.ElementTree import (  # the parser is defusedxml's
    Element,
    ParseError,
    TreeBuilder,
    register_namespace,
)

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import DefusedXMLParser  # type: ignore[import-untyped]

from apps.core.imageheaders import UnreadableHeaderError, image_size
from apps.core.sniffing import SNIFF_BYTES, sniff
from apps.media.exceptions import CorruptFileError, TooManyPixelsError, UnsafeContentError

MAX_BYTES = 8 * 1024 * 1024
MAX_ELEMENTS = 50_000
MAX_DEPTH = 100  # drawing programs nest their groups some ten deep
MAX_EMBEDDED_PIXELS = 16_000_000  # of all pictures in the drawing

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"

ELEMENTS = frozenset(
    "svg g defs symbol use switch title desc metadata style a view path rect circle ellipse line "
    "polyline polygon text tspan textPath image linearGradient radialGradient stop pattern "
    "clipPath mask marker filter feBlend feColorMatrix feComponentTransfer feComposite "
    "feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight feDropShadow feFlood "
    "feFuncA feFuncB feFuncG feFuncR feGaussianBlur feImage feMerge feMergeNode feMorphology "
    "feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence animate "
    "animateMotion animateTransform set mpath".split()
)
ANIMATIONS = frozenset({"animate", "animateMotion", "animateTransform", "set"})
ATTRIBUTES = frozenset(
    "accumulate additive alignment-baseline amplitude attributeName attributeType azimuth "
    "baseFrequency baseProfile baseline-shift begin bias by calcMode class clip clip-path "
    "clip-rule clipPathUnits color color-interpolation color-interpolation-filters color-profile "
    "color-rendering contentScriptType contentStyleType cursor cx cy d diffuseConstant direction "
    "display divisor dominant-baseline dur dx dy edgeMode elevation enable-background end "
    "exponent fill fill-opacity fill-rule filter filterRes filterUnits flood-color flood-opacity "
    "focusable font font-family font-feature-settings font-kerning font-size font-size-adjust "
    "font-stretch font-style font-variant font-variant-ligatures font-variation-settings "
    "font-weight fr from fx fy glyph-orientation-horizontal glyph-orientation-vertical "
    "gradientTransform gradientUnits height href id image-rendering in in2 inline-size "
    "intercept isolation k1 k2 k3 k4 kernelMatrix kernelUnitLength kerning keyPoints keySplines "
    "keyTimes lang lengthAdjust letter-spacing lighting-color limitingConeAngle line-height "
    "marker marker-end marker-mid marker-start markerHeight markerUnits markerWidth mask "
    "mask-type maskContentUnits maskUnits max media method min mix-blend-mode mode name "
    "numOctaves offset opacity operator order orient origin overflow paint-order path pathLength "
    "patternContentUnits patternTransform patternUnits pointer-events points pointsAtX pointsAtY "
    "pointsAtZ preserveAlpha preserveAspectRatio primitiveUnits r radius refX refY "
    "rendering-intent repeatCount repeatDur requiredExtensions requiredFeatures restart result "
    "role rotate rx ry "
    "scale seed shape-padding shape-rendering side slope solid-color solid-opacity spacing "
    "specularConstant specularExponent spreadMethod startOffset stdDeviation stitchTiles "
    "stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap "
    "stroke-linejoin stroke-miterlimit stroke-opacity stroke-width style surfaceScale "
    "systemLanguage tabindex tableValues target targetX targetY text-align text-anchor "
    "text-decoration text-decoration-color text-decoration-line text-decoration-style text-indent "
    "text-orientation text-overflow text-rendering text-transform textLength title to transform "
    "transform-box transform-origin type unicode-bidi values vector-effect version viewBox "
    "viewTarget visibility white-space width will-change word-spacing writing-mode x x1 x2 "
    "xChannelSelector y y1 y2 yChannelSelector z zoomAndPan".split()
)
_FREE_TEXT = frozenset({"class", "d", "id", "lang", "name", "points", "role", "target", "title"})
_NOT_ANIMATED = frozenset({"href", "style", "class", "id"})

# Notes that programs leave to themselves. Browsers do nothing with these namespaces, as opposed to
# XHTML, MathML, XML Events, XInclude and those that nobody has heard of yet.
NOTES = (
    "http://www.inkscape.org/",
    "http://sodipodi.sourceforge.net/",
    "http://inkscape.sourceforge.net/",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns",
    "http://purl.org/dc/",
    "http://creativecommons.org/ns",
    "http://web.resource.org/cc/",
    "http://www.bohemiancoding.com/sketch/ns",
    "http://www.serif.com/",
    "http://ns.adobe.com/",
    "adobe:ns:meta/",
    "http://www.figma.com/figma/ns",
    "http://schemas.microsoft.com/visio/",
    "http://www.vectornator.io",
    "https://boxy-svg.com",
    "http://vectornator.io",
    "http://krita.org/namespaces/svg/",
    "http://www.openswatchbook.org/uri/",
    "http://xml.openoffice.org/svg/export",
)
_NOTE_INSTRUCTIONS = frozenset({"xpacket", "adobe-xap-filters"})
_DTD_HOSTS = ("http://www.w3.org/", "https://www.w3.org/")

# None of these looks at a character more than a few times, however long the text is.
_OWN_URL = re.compile(r"""url\(\s*(?:"#[^"(]*"|'#[^'(]*'|#[^\s"'()]*)\s*\)""", re.IGNORECASE)
_CSS_NAME = re.compile(r"[\w-]*")
_LONGEST_NAME = 40
_CSS_RULE = re.compile(r"@([\w-]*)")
_CSS_CALLS = frozenset(
    "rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix var calc min max clamp matrix "
    "matrix3d translate translatex translatey translate3d scale scalex scaley scale3d rotate "
    "rotatex rotatey rotate3d skew skewx skewy perspective cubic-bezier steps blur brightness "
    "contrast drop-shadow grayscale hue-rotate invert opacity saturate sepia inset circle ellipse "
    "polygon path local format not is where lang nth-child nth-of-type icc-color accumulate".split()
) | {""}  # no name: a bracket of calc() or of a media query
_CSS_RULES = frozenset({"media", "charset", "font-face", "keyframes", "-webkit-keyframes"})

_PICTURE = re.compile(r"\s*data:image/(png|jpeg|jpg);base64,", re.IGNORECASE)

register_namespace("", SVG)
register_namespace("xlink", XLINK)


def read_drawing(path: Path) -> Element:
    """The root of the checked tree.

    Raises `UnsafeContentError` for what could act or fetch, `CorruptFileError` for what is no SVG,
    `TooManyPixelsError` for more than a drawing needs.
    """
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise TooManyPixelsError(f"more than {MAX_BYTES} bytes of drawing")
    drawing = _Drawing()
    parser = DefusedXMLParser(target=drawing)
    parser.parser.StartDoctypeDeclHandler = drawing.check_doctype
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise UnsafeContentError(repr(error)) from error
    except (ParseError, LookupError, ValueError) as error:  # no XML, no such encoding
        raise CorruptFileError(error) from error
    return root


class _Drawing:
    """Takes the parser's events one by one, checks each, and builds the tree of what is drawn."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._count = self._depth = 0
        self._skipped_from = 0  # depth of the outermost element that is left out; 0: none
        self._style: list[str] | None = None
        self._embedded = 0  # pixels

    def check_doctype(self, name: str, system: str | None, *_: object) -> None:
        """Entities are refused by the parser; here: no definitions from elsewhere."""
        if system and not system.startswith(_DTD_HOSTS):
            raise UnsafeContentError(f"doctype {name} {system}")

    def pi(self, target: str, _text: str) -> None:
        if target not in _NOTE_INSTRUCTIONS:
            raise UnsafeContentError(f"instruction {target}")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        self._depth += 1
        if self._count > MAX_ELEMENTS or self._depth > MAX_DEPTH:
            raise TooManyPixelsError(f"{self._count} elements, {self._depth} deep")
        space, name = _split(tag)
        if self._depth == 1 and (space, name) != (SVG, "svg"):
            raise CorruptFileError(f"the root is {tag}")
        drawn = _is_drawn(space, name)
        kept = self._kept(name, attributes) if space == SVG else {}
        if not drawn and not self._skipped_from:
            self._skipped_from = self._depth
        if self._skipped_from:
            return
        self._style = [] if name == "style" else None
        self._builder.start(tag, kept)

    def end(self, tag: str) -> None:
        if not self._skipped_from:
            self._end_style()
            self._builder.end(tag)
        elif self._skipped_from == self._depth:
            self._skipped_from = 0
        self._depth -= 1

    def data(self, text: str) -> None:
        if self._skipped_from:
            return
        if self._style is not None:
            self._style.append(text)
        self._builder.data(text)

    def close(self) -> Element:
        return self._builder.close()

    def _end_style(self) -> None:
        if self._style is not None:
            check_css("".join(self._style))
            self._style = None

    def _kept(self, element: str, attributes: dict[str, str]) -> dict[str, str]:
        """The attributes that are drawn by; raises for those that must not be there."""
        if element in ANIMATIONS:
            _check_animation(attributes)
        kept = {}
        for full_name, value in attributes.items():
            space, name = _split(full_name)
            if name == "href" and space in {"", XLINK}:
                if value.strip():
                    self._check_reference(element, value)
                    kept[full_name] = value
            elif space == "" and _is_known(name):
                if name not in _FREE_TEXT and not name.startswith(("data-", "aria-")):
                    check_css(value)
                kept[full_name] = value
            elif space == XML and name in {"space", "lang", "id"}:
                kept[full_name] = value
            elif space != XLINK and not _is_note(space):
                raise UnsafeContentError(f"attribute {full_name} of {element}")
        return kept

    def _check_reference(self, element: str, value: str) -> None:
        pixels = embedded_pixels(value) if element in {"image", "feImage"} else 0
        self._embedded += pixels
        if self._embedded > MAX_EMBEDDED_PIXELS:
            raise TooManyPixelsError(f"{self._embedded} pixels embedded")
        if not pixels and not value.strip().startswith("#"):
            raise UnsafeContentError(f"{element} refers to {value[:100]!r}")


def _split(name: str) -> tuple[str, str]:
    space, _, local = name.rpartition("}")
    return space.removeprefix("{"), local


def _is_drawn(space: str, name: str) -> bool:
    if space == SVG:
        if name not in ELEMENTS:
            raise UnsafeContentError(f"element {name}")
        return name != "metadata"
    if not _is_note(space):
        raise UnsafeContentError(f"element {name} of {space!r}")
    return False


def _is_note(space: str) -> bool:
    return space.startswith(NOTES)


def _is_known(attribute: str) -> bool:
    return attribute in ATTRIBUTES or attribute.startswith(("data-", "aria-"))


def _check_animation(attributes: dict[str, str]) -> None:
    """What moves must be neither a reference nor a whole style."""
    name = attributes.get("attributeName", "")
    if name and (name not in ATTRIBUTES or name in _NOT_ANIMATED):
        raise UnsafeContentError(f"animation of {name}")


def check_css(text: str) -> None:
    """Raises `UnsafeContentError` for CSS that fetches, or that hides what it does.

    A closed list of functions and rules (CSS Values 4, CSS Syntax 3); escapes could spell others.
    Comments are judged like the rest: whether one begins depends on the strings before it.
    """
    if not any(sign in text for sign in "(@\\"):
        return
    if "\\" in text:
        raise UnsafeContentError("an escape in CSS")
    plain = _OWN_URL.sub(" ", text)
    used = {_last_name(before) for before in plain.split("(")[:-1]}
    rules = {rule.lower() for rule in _CSS_RULE.findall(plain)}
    if strange := sorted((used - _CSS_CALLS) | (rules - _CSS_RULES)):
        raise UnsafeContentError(f"CSS with {', '.join(strange)[:100]}")


def _last_name(text: str) -> str:
    """The name that `text` ends with, in lower case: that of a function before its bracket."""
    match = _CSS_NAME.match(text[-_LONGEST_NAME:][::-1])
    return match[0][::-1].lower() if match else ""


def embedded_pixels(reference: str) -> int:
    """Of a picture that stands in the reference itself, by its header; 0 for other references.

    It has to be of one of the two formats that are allowed, whatever it says it is.
    """
    start = _PICTURE.match(reference)
    if not start:
        return 0
    try:
        data = base64.b64decode("".join(reference[start.end() :].split()), validate=True)
        if sniff(data[:SNIFF_BYTES]) not in {"image/png", "image/jpeg"}:
            raise UnsafeContentError("an embedded picture is something else")
        size = image_size(io.BytesIO(data))
    except (binascii.Error, UnreadableHeaderError) as error:
        raise CorruptFileError(error) from error
    if size is None:
        raise CorruptFileError("an embedded picture has no size")
    return size[0] * size[1]
