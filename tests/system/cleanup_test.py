#!/usr/bin/env python3
"""Fails every step of a start in turn, in both processes, and looks for what is left behind.

cleanup_test.py --coffer FILE --payloads DIR [--starts N]
Exit status 0 nothing was left, 1 something was, 77 skipped: no usable /dev/kvm.

Needs a build with COFFER_FAULTS. A start gets a disk, a vsock, a console on a socket, a control
socket, random numbers and a status file; the guest ends by itself. Before and after each start these
are compared: processes, namespaces, mounts, sockets by name, cgroups, keys, System V objects,
/dev/shm, /run and the directory that coffer works in.
"""
import argparse
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import usable_kvm

PATIENCE = 120  # seconds; a bound against hanging, not a measurement
SETTLE = 10  # seconds that what the kernel takes apart later may need
PR_SET_CHILD_SUBREAPER = 36
NAMESPACES = ("user", "mnt", "net", "ipc", "pid", "uts", "cgroup")


def tree(root, depth=3):
    """Names below a directory, as far as they can be read."""
    out = set()
    base = len(Path(root).parts)
    for at, dirs, files in os.walk(root):
        if len(Path(at).parts) - base >= depth:
            dirs[:] = []
        out.update(os.path.join(at, n) for n in dirs + files)
    return out


def processes():
    """Our descendants, and the namespaces that they live in."""
    found, spaces = set(), set()
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            name = Path(f"/proc/{p}/cmdline").read_bytes().split(b"\0")[0]
            if int(p) == os.getpid() or not ancestor(int(p)):
                continue
            found.add((int(p), name.decode()))
            for n in NAMESPACES:
                spaces.add(os.readlink(f"/proc/{p}/ns/{n}"))
        except (OSError, ValueError):
            continue
    return found, spaces


def ancestor(pid):
    """Are we one of its ancestors? (A subreaper inherits orphans.)"""
    while pid > 1:
        if pid == os.getpid():
            return True
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return False
        pid = int(stat.rsplit(")", 1)[1].split()[1])
    return False


def lines(path, ours):
    try:
        return {x for x in Path(path).read_text(encoding="utf-8", errors="replace").splitlines() if ours(x)}
    except OSError:
        return set()


def snapshot(tmp):
    found, spaces = processes()
    return {
        "processes": found,
        "namespaces": spaces,
        "mounts": lines("/proc/self/mountinfo", lambda x: True),
        "sockets": {x.split()[-1] for x in lines("/proc/net/unix", lambda x: tmp in x)},
        "cgroups": {x for x in tree("/sys/fs/cgroup", 4) if "coffer" in x},
        "keys": lines("/proc/keys", lambda x: "coffer" in x),
        "shm": tree("/dev/shm") | lines("/proc/sysvipc/shm", lambda x: "coffer" in x),
        "run": {x for x in tree("/run", 2) if "coffer" in x},
        "files": tree(tmp),
    }


def left(before, tmp, allowed):
    """What is there now and was not before. The kernel may need a moment."""
    end = time.monotonic() + SETTLE
    while True:
        now = snapshot(tmp)
        more = {k: now[k] - before[k] - allowed for k in now}
        more = {k: v for k, v in more.items() if v}
        if not more or time.monotonic() > end:
            return more
        time.sleep(0.02)


class Bench:
    def __init__(self, coffer, payloads, tmp):
        self.coffer, self.payloads, self.tmp = coffer, payloads, tmp
        for n in (1, 2):
            with open(self.path(f"disk{n}"), "wb") as f:
                f.truncate(1 << 20)
        self.sockets = {self.path(n) for n in ("console", "vsock", "api")}

    def path(self, name):
        return os.path.join(self.tmp, name)

    def cmd(self, payload="exit_42", *more):
        return [self.coffer, "run", "-k", os.path.join(self.payloads, payload + ".elf"), "-m", "16M", "-c", "2",
                "--debug-exit", "--rng", "-d", self.path("disk1"), "-d", self.path("disk2") + ",ro",
                "--vsock", "cid=77,path=" + self.path("vsock"), "--console", "unix=" + self.path("console"),
                "--status-file", self.path("status"), "--api", self.path("api"), *more]

    def run(self, fault=""):
        env = dict(os.environ, COFFER_FAULT=fault)
        p = subprocess.run(self.cmd(), env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
        return p.returncode, p.stderr.decode()


def check(cond, why):
    if not cond:
        raise AssertionError(why)


def reap():
    """Orphans came to us: they must end by themselves."""
    end = time.monotonic() + SETTLE
    while time.monotonic() < end:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.01)
        except ChildProcessError:
            return
    raise AssertionError("a process outlives its supervisor")


def one(b, before, process, step, how):
    """False: there is no such step, and the guest ran."""
    status, err = b.run(f"{process}:{step}{how}")
    allowed = {b.path("status")}
    if how and process == "supervisor" and status != 42:
        check(status == -signal.SIGKILL, f"status {status}: {err}")
        reap()
        allowed |= b.sockets  # names, which the next start replaces
    else:
        check(status in (42, 69, 70), f"status {status}: {err}")
        check(status != 70 or how or "injected" in err or "handing" in err, err)
        with open(b.path("status"), encoding="utf-8") as f:
            check(json.load(f)["exit_status"] == status, "the status file")
    more = left(before, b.tmp, allowed)
    check(not more, f"left behind: {more}")
    if allowed & b.sockets:
        again, err = b.run()
        check(again == 42, f"the next start: {again}: {err}")
        check(not left(before, b.tmp, {b.path("status")}), "the next start left something")
    return status != 42


def every_step(b, before, starts):
    """Steps, then steps by SIGKILL, over and over until there were @starts."""
    n, table = 0, {}
    while n < starts:
        for process in ("supervisor", "monitor"):
            for how in ("", ":kill"):
                step = 1
                while one(b, before, process, step, how):
                    step += 1
                n += step
                table[process + how] = step - 1
    return n, table


def start_idle(b, *more):
    """A guest that runs, and its console's client."""
    p = subprocess.Popen(b.cmd("idle", *more), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE)
    s = socket.socket(socket.AF_UNIX)
    end = time.monotonic() + PATIENCE
    while s.connect_ex(b.path("console")):
        check(time.monotonic() < end and p.poll() is None, "never listened")
        time.sleep(0.01)
    check(b"idle" in s.recv(100), "console")
    return p, s


def signals(b, before):
    """Each signal that ends a run: at once, or after the power button was pressed in vain."""
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        for timeout in ("0", "0.2"):
            p, s = start_idle(b, "--stop-timeout", timeout)
            p.send_signal(sig)
            status = p.wait(PATIENCE)
            s.close()
            check(status == (0 if timeout == "0" else 124), f"{sig.name}: {status}: {p.stderr.read().decode()}")
            reap()
            more = left(before, b.tmp, {b.path("status")})
            check(not more, f"{sig.name}: left behind: {more}")


def running(b, before):
    """SIGKILL of either, when the guest runs."""
    for victim in ("supervisor", "monitor"):
        p, s = start_idle(b)
        children = Path(f"/proc/{p.pid}/task/{p.pid}/children").read_text(encoding="ascii").split()
        os.kill(p.pid if victim == "supervisor" else int(children[0]), signal.SIGKILL)
        status = p.wait(PATIENCE)
        err = p.stderr.read().decode()
        check(status == (-signal.SIGKILL if victim == "supervisor" else 69), f"{victim}: {status}: {err}")
        check(victim == "supervisor" or "SIGKILL" in err, err)
        reap()
        allowed = {b.path("status")} | (b.sockets if victim == "supervisor" else set())
        more = left(before, b.tmp, allowed)
        check(not more, f"{victim} killed while it runs: left behind: {more}")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--coffer", required=True)
    a.add_argument("--payloads", required=True)
    a.add_argument("--starts", type=int, default=1)
    a = a.parse_args()
    if not usable_kvm():
        return 77
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory(prefix="coffer-clean-") as tmp:
        b = Bench(os.path.abspath(a.coffer), os.path.abspath(a.payloads), tmp)
        before = snapshot(tmp)
        status, err = b.run()
        if status != 42:
            print(f"FAILED without a fault: {status}: {err}")
            return 1
        try:
            stays = {b.path("status"), "/run/coffer", "/run/coffer/uids"}
            more = left(before, tmp, stays)
            check(not more, f"left behind without a fault: {more}")
            before = snapshot(tmp)
            n, table = every_step(b, before, a.starts)
            signals(b, before)
            running(b, before)
        except AssertionError as x:
            print(f"FAILED: {x}")
            return 1
    print(f"ok: {n} starts, nothing left behind; steps: {table}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
