"""Does an event cost more when there are many?

A nation that writes everything down (loads.dense) is sent in event order, in one go. What is compared are whole school
years, so that each has all seasons in it: the first, in which the log comes to some 100,000 events; for the full run
also that in which it passes 1,000,000; the last.
"""

from latency import COPIES
import loads
from measure import Figures, say
from nation import start_row
from table import Row, Target
from tools import fresh, send

MILLION = 1000000


def costs(said):
    """Microseconds an event of each span between two marks, after the first mark."""
    marks = said["marks"]
    return [(later["seconds"] - before["seconds"]) * 1e6 / (later["events"] - before["events"])
            for before, later in zip(marks, marks[1:])]


def chosen_years(counts):
    """Numbers of the school years that are shown: the first, that which passes a million, the last."""
    years = range(len(counts) - 1)
    passing = [year for year in years if counts[year] < MILLION <= counts[year + 1]]
    return sorted({0, *passing, years[-1]})


def one_run(context, load, counts):
    folder = context.new_folder("growth")
    with fresh(folder) as daemon:
        said = send(daemon, load, marks=counts, batch=min(1000, counts[0]))
        if daemon.stop() != 0:
            raise RuntimeError(daemon.log())
    context.keep(load, folder)
    return costs(said)


def rows(context, wanted):
    if not wanted("growth"):
        return []
    load = loads.dense_nation(context.sizes["schools"], COPIES, context.sizes["grown"])
    counts = loads.school_years(load)
    years = chosen_years(counts)
    found = {year: Figures() for year in years}
    for turn in range(min(2, context.times)):
        cost = one_run(context, load, counts)
        for year in years:
            found[year].add(cost[year])
        say("µs an event, by school year: " + " ".join(f"{c:.1f}" for c in cost))
    shown = [Row(f"cost of an event, from {counts[year]:,} to {counts[year + 1]:,}", "µs", found[year],
                 found[0] if year else None, "in the first year" if year else "",
                 Target("≤ 1.3 of the first year", 1.3) if year else None) for year in years]
    if loads.count(load) > MILLION:
        shown.append(start_row(context, f"start to ready, {loads.count(load):,} events", load, 2))
    return shown
