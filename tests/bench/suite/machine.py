"""The machine in one line: figures mean something only beside it."""

import os
import platform
import re
import shutil
import sqlite3
import subprocess

from tools import ROOT


def first_line(*command):
    """What a program says of its version; nothing when it is not there."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout or done.stderr).splitlines()[0] if done.returncode == 0 else ""


def processor():
    with open("/proc/cpuinfo") as file:
        found = re.search(r"^model name\s*:\s*(.*)$", file.read(), re.M)
    return found[1] if found else platform.machine()


def disk(folder):
    """The file system that a folder is on, and what it is mounted from."""
    best = ("", "?", "?")
    with open("/proc/mounts") as file:
        for line in file:
            source, point, kind = line.split()[:3]
            if os.path.realpath(folder).startswith(point) and len(point) >= len(best[0]):
                best = (point, kind, source)
    return f"{best[1]} on {best[2]}"


def memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30


def versions(packages):
    """Of installed Debian packages."""
    done = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${Version}\n", *packages], capture_output=True, text=True)
    return done.stdout.splitlines()


def commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip() or "?"


def describe(folder):
    """Everything as a dict; `line` says it in one."""
    about = {
        "processor": processor(), "cores": os.cpu_count(), "memory_gib": round(memory_gib(), 1), "disk": disk(folder),
        "kernel": platform.release(), "sqlite": sqlite3.sqlite_version, "compiler": first_line("cc", "--version"),
        "python": platform.python_version(), "node": first_line("node", "--version"), "commit": commit(),
        "libraries": versions(["liblua5.4-0", "libmicrohttpd12", "libuv1"]), "load": round(os.getloadavg()[0], 2),
    }
    about["line"] = (
        f"{about['processor']}, {about['cores']} cores, {about['memory_gib']} GiB; {about['disk']}; Linux "
        f"{about['kernel']}; SQLite {about['sqlite']}; {'; '.join(about['libraries'])}; {about['compiler']}; "
        f"pathwayd {about['commit']}; load before the run {about['load']}")
    return about
