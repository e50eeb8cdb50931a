"""What the sections share: how much to run, the loads, databases that several of them begin with."""

import shutil
from functools import cached_property

import loads
from measure import say
from tools import NOW, fresh, resident, send

PROFILES = {
    # schools of the nation, its events that are taken, those of the rows that are sent often; schools of the other
    # nation that is sent meanwhile; until when growth is followed; runs
    "smoke": {"schools": 60, "nation": 1400, "events": 1000, "others": 10, "grown": "2017-09-02", "times": 1},
    "quick": {"schools": 1000, "nation": 26000, "events": 20000, "others": 50, "grown": "2017-09-02", "times": 2},
    "usual": {"schools": 16800, "nation": 425000, "events": 100000, "others": 2000, "grown": NOW[:10], "times": 3},
    "full": {"schools": 16800, "nation": 425000, "events": 425000, "others": 2000, "grown": NOW[:10], "times": 5},
}
LAST_PART = 30000


class Context:
    def __init__(self, profile, folder):
        self.profile, self.folder = profile, folder
        self.sizes = PROFILES[profile]
        self.times = self.sizes["times"]
        self.prepared_folders = {}
        self.memory = {}  # of the daemons that prepared them, when they had judged everything

    @cached_property
    def nation(self):
        """The nation's events, as far as they are taken: all of its schools are in it."""
        return loads.first(loads.nation(self.sizes["schools"]), self.sizes["nation"])

    @cached_property
    def load(self):
        """The events of the rows that send again and again."""
        return self.nation if self.sizes["events"] == self.sizes["nation"] else loads.first(
            self.nation, self.sizes["events"])

    @cached_property
    def last_part(self):
        """Where the last part of the load begins, which small requests send into a database that has the others."""
        total = loads.count(self.load)
        return max(total - LAST_PART, total // 2)

    def new_folder(self, name):
        """An empty folder; an earlier one of this name is gone."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def prepared(self, load, count=0, now=NOW):
        """The folder of a stopped daemon that has judged the first `count` events of a load (0: all)."""
        key = load, count, now
        if key not in self.prepared_folders:
            say(f"a database of {count or loads.count(load):,} events to begin with")
            folder = self.new_folder(f"prepared-{len(self.prepared_folders)}")
            with fresh(folder, now=now) as daemon:
                send(daemon, load, limit=count)
                self.memory[load, count] = resident(daemon)
                if daemon.stop() != 0:
                    raise RuntimeError(daemon.log())
            self.prepared_folders[key] = folder
        return self.prepared_folders[key]

    def memory_of(self, load):
        """(resident, at most) of a daemon that took in a whole load."""
        if (load, 0) not in self.memory:
            self.prepared_folders.pop((load, 0, NOW), None)
            self.prepared(load)
        return self.memory[load, 0]

    def keep(self, load, folder):
        """A stopped daemon's folder that has taken the whole of a load serves as prepared(load)."""
        key = load, 0, NOW
        if key not in self.prepared_folders:
            kept = self.new_folder(f"prepared-{len(self.prepared_folders)}")
            shutil.move(folder, kept)
            self.prepared_folders[key] = kept

    def bound(self, target):
        """A target that holds for the nation says nothing of a smaller load."""
        return None if self.profile in ("smoke", "quick") else target
