"""Rows of the one table, and how they are shown."""

from measure import Figures, ratios


class Target:
    """A bound, and what it bounds: the median of the row's `value` or of its `ratio`, or a row's own figure."""

    def __init__(self, text, bound, of="ratio", at_least=False):
        self.text, self.bound, self.of, self.at_least = text, bound, of, at_least

    def is_met(self, row):
        figures = row.ratio if self.of == "ratio" else row.ours
        if figures is None or not figures.values:
            return None
        return figures.median >= self.bound if self.at_least else figures.median <= self.bound


class Row:
    """`ours` beside `floor` (Figures, in `unit`), `floor_name` what the floor is. `note`: instead of a figure."""

    def __init__(self, name, unit, ours=None, floor=None, floor_name="", target=None, note=""):
        self.name, self.unit, self.floor_name, self.target, self.note = name, unit, floor_name, target, note
        self.ours, self.floor = ours, floor
        self.ratio = ratios(ours, floor) if ours and floor else None

    def as_json(self):
        figures = {"ours": self.ours, "floor": self.floor, "ratio": self.ratio}
        return {"name": self.name, "unit": self.unit, "floor_name": self.floor_name, "note": self.note} | {
            key: value.as_json() for key, value in figures.items() if value and value.values} | (
            {"target": self.target.text, "met": self.target.is_met(self)} if self.target else {})

    def cells(self):
        ours = self.ours.shown(number) if self.ours and self.ours.values else self.note or "–"
        floor = f"{self.floor.shown(number)} ({self.floor_name})" if self.floor else self.floor_name or "–"
        ratio = self.ratio.shown(number) if self.ratio and self.ratio.values else "–"
        target, met = "–", "–"
        if self.target:
            target, met = self.target.text, {True: "met", False: "**not met**", None: "?"}[self.target.is_met(self)]
        note = f" ({self.note})" if self.note and self.ours and self.ours.values else ""
        return [self.name + note, self.unit, ours, floor, ratio, target, met]


def number(value):
    """Three digits that count, and thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


HEAD = ["what", "unit", "pathwayd: min / median / max", "floor: min / median / max", "ratio", "target", ""]


def markdown(rows):
    lines = [HEAD, ["---"] * len(HEAD)] + [row.cells() for row in rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def once(value):
    return Figures([value])
