"""Medians, intervals, and figures with their targets."""
import dataclasses
import random
import statistics


def interval(values, resamples=2000):
    """The 95% interval of the median, by the bootstrap: drawn anew from the rounds, with a fixed seed."""
    if len(values) < 2:
        return (values[0], values[0])
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(resamples))
    return medians[int(0.025 * resamples)], medians[int(0.975 * resamples) - 1]


@dataclasses.dataclass
class Figure:
    """One line of the table. Values are of rounds (or repetitions); the figure is their median."""
    case: str
    to: str                  # What it is compared with.
    target: float = None     # None: only reported.
    values: list = dataclasses.field(default_factory=list)
    unit: str = ""
    at_least: bool = False   # The target is a lower bound.
    note: str = ""

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def bounds(self):
        return interval(self.values)

    def target_text(self):
        if self.target is None:
            return "report"
        return f"{'at least' if self.at_least else 'at most'} {number(self.target)}{self.unit}"

    def measured_text(self):
        if not self.values:
            return "not measured"
        low, high = self.bounds
        return f"**{number(self.median)}{self.unit}** ({number(low)} to {number(high)})" + (f"; {self.note}" if self.note else "")

    def met_text(self):
        """Yes or no by the median; a question mark where the interval has the target within it."""
        if self.target is None or not self.values:
            return ""
        low, high = self.bounds
        met = self.median >= self.target if self.at_least else self.median <= self.target
        return ("yes" if met else "**no**") + ("?" if low <= self.target <= high and low != high else "")


def number(value):
    if value == 0:
        return "0"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 20 else f"{value:.2f}".rstrip("0").rstrip(".") \
        if abs(value) >= 0.1 else f"{value:.3f}"
