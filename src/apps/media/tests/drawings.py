"""Sample SVG drawings by property, and a picture to embed in them."""

from __future__ import annotations

import base64
import io

from PIL import Image

NAMESPACE = "http://www.w3.org/2000/svg"


def svg(content: str = "", attributes: str = "", *, before: str = "") -> bytes:
    """An SVG of 300 × 150 pixels unless `attributes` say otherwise; `before` comes before it."""
    root = f'<svg xmlns="{NAMESPACE}" xmlns:xlink="http://www.w3.org/1999/xlink" {attributes}>'
    return f"{before}{root}{content}</svg>".encode()


def drawing(width: int = 800, height: int = 600) -> bytes:
    """Red top left, green top right, blue bottom left, clear bottom right; half as large in its
    own units, with what drawing programs leave in their files."""
    attributes = f'width="{width}" height="{height}" viewBox="0 0 {width // 2} {height // 2}"'
    x, y = width // 4, height // 4
    return svg(
        "<metadata><r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>at home</metadata>"
        "<!-- drawn at home --><defs><linearGradient id='g'><stop stop-color='lime'/>"
        "</linearGradient></defs><style>.b { fill: blue } @media print { a { fill: red } }</style>"
        f"<rect width='{x}' height='{y}' fill='rgb(255, 0, 0)'/>"
        f"<rect x='{x}' width='{x}' height='{y}' style='fill:url(#g)'/>"
        f"<rect y='{y}' width='{x}' height='{y}' class='b'/>",
        attributes,
    )


def embedded(image: Image.Image, format_: str = "PNG", *, said: str = "png") -> str:
    """A picture as a reference; `said` is the type that the reference claims."""
    buffer = io.BytesIO()
    image.save(buffer, format_)
    return f"data:image/{said};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def use_bomb(levels: int = 9) -> bytes:
    """Ten times as many shapes with every level."""
    groups = "".join(
        f"<g id='a{level}'>" + f"<use href='#a{level - 1}'/>" * 10 + "</g>"
        for level in range(1, levels + 1)
    )
    return svg(f"<defs><rect id='a0' width='1' height='1'/>{groups}</defs><use href='#a{levels}'/>")


def pattern_bomb(levels: int = 30) -> bytes:
    """Twice as many shapes with every level, by colours instead of copies."""
    patterns = "".join(
        f"<pattern id='p{level}' width='.1' height='.1'>"
        f"<rect width='9' height='9' fill='url(#p{level - 1})' stroke='url(#p{level - 1})'/>"
        "</pattern>"
        for level in range(1, levels + 1)
    )
    return svg(f"<pattern id='p0'/>{patterns}<rect width='9' height='9' fill='url(#p{levels})'/>")


def entity_bomb() -> bytes:
    entities = '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    return svg("<text>&b;</text>", before=f"<!DOCTYPE svg [{entities}]>")
