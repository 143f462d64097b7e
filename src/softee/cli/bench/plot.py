# SPDX-License-Identifier: Apache-2.0
"""The ratios as a picture: a bar for each row and peer, on a logarithmic scale, with its quartiles. SVG, as text."""

from collections.abc import Iterator, Sequence
from math import ceil, floor, log2
from xml.sax.saxutils import escape

from softee.cli.bench.caller import Callers
from softee.cli.bench.figures import Outcome, Spread
from softee.cli.bench.machine import Machine
from softee.cli.bench.modules import SOFTEE

COLOURS = ("#3465a4", "#73d216", "#888a85", "#f57900", "#75507b")
_LEFT, _WIDTH, _RIGHT = 260, 560, 80
_TOP, _BAR, _GAP, _BOTTOM = 64, 11, 9, 34
_STYLE = "text{font:12px sans-serif;fill:#222}.n{font-size:10px}.m{font-size:10px;fill:#666}"


class Scale:
    """Where a ratio stands: powers of two are equally far from each other, and 1 is always in sight."""

    def __init__(self, spreads: Sequence[Spread]) -> None:
        self.least = floor(log2(min([0.5, *(spread.low for spread in spreads)])))
        self.most = ceil(log2(max([2.0, *(spread.high for spread in spreads)])))

    def x(self, ratio: float) -> float:
        """Return its abscissa."""
        return _LEFT + _WIDTH * (log2(ratio) - self.least) / (self.most - self.least)


def as_svg(outcomes: Sequence[Outcome], peers: Sequence[str], callers: Callers, machine: Machine) -> str:
    """Draw softee's ratios to its peers."""
    bars = [(outcome, [(peer, outcome.ratio(peer, callers)) for peer in peers]) for outcome in outcomes]
    scale = Scale([ratio for _, pairs in bars for _, ratio in pairs if ratio])
    height = _TOP + len(bars) * (len(peers) * _BAR + _GAP) + _BOTTOM
    body = [*_head(peers, callers), *_grid(scale, height)]
    for number, (outcome, pairs) in enumerate(bars):
        body += _row(scale, outcome.row.text, _TOP + number * (len(peers) * _BAR + _GAP), [ratio for _, ratio in pairs])
    body.append(_text(10, height - 8, "; ".join(f"{name} {value}" for name, value in machine.items()), "m"))
    size = f'viewBox="0 0 {_LEFT + _WIDTH + _RIGHT} {height}"'
    background = '<rect width="100%" height="100%" fill="white"/>'
    lines = [f"<style>{_STYLE}</style>", background, *body]
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n' + "\n".join(lines) + "\n</svg>\n"


def _head(peers: Sequence[str], callers: Callers) -> Iterator[str]:
    yield _text(10, 20, f"{SOFTEE}'s calls per second to those of others, {callers}: longer to the right is faster")
    for number, peer in enumerate(peers):
        yield f'<rect x="{_LEFT + number * 190}" y="32" width="10" height="10" fill="{_colour(number)}"/>'
        yield _text(_LEFT + 15 + number * 190, 41, peer)


def _grid(scale: Scale, height: int) -> Iterator[str]:
    for power in range(scale.least, scale.most + 1):
        x, colour = scale.x(2.0**power), "#222" if power == 0 else "#ddd"
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{height - _BOTTOM}" stroke="{colour}"/>'
        yield _text(x - 4, _TOP - 8, f"{2**power}" if power >= 0 else f"1/{2**-power}", "n")


def _row(scale: Scale, text: str, top: int, ratios: Sequence[Spread | None]) -> Iterator[str]:
    yield _text(10, top + _BAR * len(ratios) / 2 + 4, text)
    for number, ratio in enumerate(ratios):
        if ratio is None:
            continue
        y, (left, right) = top + number * _BAR, sorted((scale.x(1), scale.x(ratio.median)))
        middle = y + _BAR / 2 - 1
        yield f'<rect x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{_BAR - 2}" fill="{_colour(number)}"/>'
        ends = f'x1="{scale.x(ratio.low):.1f}" x2="{scale.x(ratio.high):.1f}"'
        yield f'<line {ends} y1="{middle}" y2="{middle}" stroke="#222"/>'
        yield _text(max(right, scale.x(ratio.high)) + 4, y + 9, f"{ratio.median:.2f}", "n")


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _text(x: float, y: float, text: str, style: str = "t") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
