"""Instants are microseconds since 1970, days are texts YYYY-MM-DD, academic years are texts 2024/25."""

import json
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)
STARTS = json.loads((Path(__file__).resolve().parent.parent / "terms.json").read_text())["starts"]
USUAL = ["09-01", "11-01", "01-04", "02-22", "04-15", "06-03"]


def instant(text):
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


def london(t):
    return datetime.fromtimestamp(t // 1_000_000, LONDON)


def day_of(t):
    return london(t).date().isoformat()


@lru_cache(None)
def midnight(day):
    return (datetime.fromisoformat(day).replace(tzinfo=LONDON) - EPOCH) // MICROSECOND


@lru_cache(None)
def day_after(day, days):
    return (date.fromisoformat(day) + timedelta(days)).isoformat()


@lru_cache(None)
def start_of(year):
    return midnight(f"{year}-09-01")


def first_year(t):
    here = london(t)
    return here.year if here.month >= 9 else here.year - 1


def year_of(t):
    year = first_year(t)
    return f"{year}/{(year + 1) % 100:02d}"


def year_start(label):
    return start_of(int(label[:4]))


def year_end(label):
    return start_of(int(label[:4]) + 1)


def in_year(label, t):
    return year_start(label) <= t < year_end(label)


@lru_cache(None)
def half_term_ends(label):
    """For each half term the first day that no longer belongs to it."""
    year = int(label[:4])
    starts = STARTS.get(label) or [f"{year if i < 2 else year + 1}-{day}" for i, day in enumerate(USUAL)]
    return starts[1:] + [f"{year + 1}-09-01"]


def septembers(after, before):
    """The beginnings of academic years between two instants."""
    year = first_year(after) + 1
    while start_of(year) < before:
        yield start_of(year)
        year += 1
