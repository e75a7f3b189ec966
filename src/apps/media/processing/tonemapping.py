"""High dynamic range to what ordinary screens show: the arithmetic, for single pictures.

The film itself is mapped by ffmpeg's filters, with the same curve and the same white (see
`streams`); posters and tiles come through here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

PQ, HLG = 16, 18  # transfer characteristics of ITU-T H.273
PEAK = 10.0  # times the white of ordinary screens (100 cd/m²): what most films are graded for

# SMPTE ST 2084.
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_PQ_PEAK = 100.0
# ITU-R BT.2100, hybrid log-gamma, and its gamma on a screen of 1000 cd/m².
_HLG_A, _HLG_B, _HLG_C, _HLG_GAMMA = 0.17883277, 0.28466892, 0.55991073, 1.2
# ITU-R BT.2087: linear light of BT.2020 in the primaries of BT.709.
_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    dtype=np.float32,
)
_LARGEST = 65_535


def to_screen(pixels: npt.NDArray[np.uint16], transfer: int) -> npt.NDArray[np.uint8]:
    """sRGB of 8 bits from RGB of 16 bits in BT.2020: (height, width, 3)."""
    light = _light(np.asarray(pixels / _LARGEST, dtype=np.float32), transfer)
    light = np.maximum(light @ _TO_BT709.T, 0)
    brightest = np.maximum(light.max(axis=2, keepdims=True), np.float32(1e-6))
    light *= _filmic(brightest) / _filmic(np.float32(PEAK)) / brightest
    return np.asarray(np.clip(_srgb(light) * 255 + 0.5, 0, 255), dtype=np.uint8)


def _light(signal: Floats, transfer: int) -> Floats:
    """Linear light, 1 being the white of ordinary screens."""
    if transfer == HLG:
        low, high = signal**2 / 3, (np.exp((signal - _HLG_C) / _HLG_A) + _HLG_B) / 12
        scene = np.where(signal <= 0.5, low, high)  # noqa: PLR2004 - where the two curves meet
        return np.asarray(PEAK * scene**_HLG_GAMMA, dtype=np.float32)
    root = signal ** (1 / _M2)
    linear = (np.maximum(root - _C1, 0) / (_C2 - _C3 * root)) ** (1 / _M1)
    return np.asarray(_PQ_PEAK * linear, dtype=np.float32)


def _filmic(light: Floats | np.float32) -> Floats:
    """The curve of John Hable (GDC 2010)."""
    a, b, c, d, e, f = 0.15, 0.50, 0.10, 0.20, 0.02, 0.30
    shape = (light * (light * a + c * b) + d * e) / (light * (light * a + b) + d * f)
    return np.asarray(shape - e / f, dtype=np.float32)


def _srgb(light: Floats) -> Floats:
    """IEC 61966-2-1."""
    low, high = light * 12.92, 1.055 * np.maximum(light, 0) ** (1 / 2.4) - 0.055
    return np.asarray(np.where(light <= 0.0031308, low, high), dtype=np.float32)  # noqa: PLR2004
