"""The closing lines of a suite."""


class Score:
    """Counts cases; prints those that fail, and all with `verbose`."""

    def __init__(self, verbose=False):
        self.passed = self.failed = 0
        self.verbose = verbose

    def case(self, name, holds, seen=""):
        if holds:
            self.passed += 1
            if self.verbose:
                print(f"ok    {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL  {name}" + (f": {seen}" if seen != "" else ""), flush=True)
        return holds

    def finish(self):
        """The line that runners read; the exit code."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


def table(head, rows):
    """Rows of cells as a Markdown table, columns lined up."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    def line(row):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
    return "\n".join([line(head), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)])
