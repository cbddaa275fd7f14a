"""What mktme_test.py's cases stand on: one simulated host, guests on it, and its trace."""
import json
import os
import shutil
import signal
import subprocess
import time

PATIENCE = 100  # seconds; a bound against hanging, not a measurement
NUMBER = "1000"
RAM = 16 << 20


def check(cond, why):
    if not cond:
        raise AssertionError(why)


class Env:
    def __init__(self, coffer, payloads, tmp):
        self.coffer, self.payloads, self.tmp = coffer, payloads, tmp
        self.n = 0

    def with_monitor(self, monitor):
        """A coffer that has another monitor beside it, which is where it looks."""
        there = os.path.join(self.tmp, f"bin{len(os.listdir(self.tmp))}")
        os.mkdir(there)
        os.chmod(there, 0o755)
        shutil.copy(monitor, os.path.join(there, "coffer-monitor"))
        return shutil.copy(self.coffer, os.path.join(there, "coffer"))

    def run_cmd(self, payload, mktme, *args, coffer=None):
        return [coffer or self.coffer, "run", "-k", os.path.join(self.payloads, payload + ".elf"),
                "-m", str(RAM), "--debug-exit", "--protect", "mktme", "--mktme", mktme, *args]

    def sim_cmd(self, sim, *command):
        self.n += 1
        self.trace_file = os.path.join(self.tmp, f"trace{self.n}")
        # the keys of the SEV platform, which nobody needs here, are made once
        state = os.path.join(os.path.dirname(self.tmp), "platform")
        return [self.coffer, "sim", "--state", state, "--mktme-syscall", NUMBER, "--trace",
                self.trace_file, *sim, "--", *command]

    def sim(self, sim, *command):
        """Run command on the simulated host; the process that ended, and the trace."""
        p = subprocess.run(self.sim_cmd(sim, *command), stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=PATIENCE, text=True)
        return p, self.trace()

    def guest(self, sim, mktme="syscall=" + NUMBER, payload="exit_42", args=()):
        return self.sim(sim, *self.run_cmd(payload, mktme, *args))

    def trace(self):
        with open(self.trace_file, encoding="utf-8") as f:
            return [json.loads(line) for line in f]


def in_use_at_end(trace):
    check(trace and trace[-1]["call"] == "end", f"the trace does not end: {trace[-3:]}")
    return trace[-1].get("keyids_in_use", 0)


def calls(trace, name, ok=True):
    return [t for t in trace if t["call"] == name and (not ok or t["result"] == 0)]


PROFILE = ["--mktme-profile", "2019-07"]


def expect(p, status, word=""):
    check(p.returncode == status, f"status {p.returncode}, expected {status}: {p.stderr}")
    check(word in p.stderr, f"'{word}' is not in: {p.stderr}")


def wait_for(what, why, step=0.02):
    end = time.monotonic() + PATIENCE
    while not what():
        check(time.monotonic() < end, why)
        time.sleep(step)


def has_ended(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Guests:
    """Guests that stay, started by one shell on one simulated host."""

    def __init__(self, e, sim):
        self.e, self.fifo = e, os.path.join(e.tmp, f"fifo{e.n}")
        os.mkfifo(self.fifo)
        # each line: how to start a guest, in the background; its pid and end are printed
        loop = 'while read -r line; do eval "$line"; done < "$0"'
        # a file: the shell says of each guest that it was killed, and a pipe would be full some time
        self.said = open(os.path.join(e.tmp, f"said{e.n}"), "w+", encoding="utf-8")
        self.p = subprocess.Popen(e.sim_cmd(sim, "/bin/bash", "-c", loop, self.fifo), stdout=self.said,
                                  stderr=self.said, stdin=subprocess.DEVNULL)
        self.f = open(self.fifo, "w", encoding="ascii")
        self.log = os.path.join(e.tmp, f"log{e.n}")

    def tell(self, line):
        self.f.write(line + "\n")
        self.f.flush()

    def start(self, i, mktme):
        cmd = " ".join(f"'{a}'" for a in self.e.run_cmd("spin", mktme, "--console", "none"))
        self.tell(f"{cmd} >/dev/null 2>{self.log}.{i} & echo $! >{self.log}.pid.{i}")

    def text(self, i):
        try:
            with open(f"{self.log}.{i}", encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def pid(self, i):
        with open(f"{self.log}.pid.{i}", encoding="ascii") as f:
            return int(f.read())

    def wait_running(self, i):
        wait_for(lambda: "guest memory: " in self.text(i), f"guest {i}: {self.text(i)}")

    def end(self, i, signo=signal.SIGKILL):
        try:
            os.kill(self.pid(i), signo)
        except ProcessLookupError:
            pass  # it was ending
        wait_for(lambda: has_ended(self.pid(i)), f"guest {i} stays")

    def done(self):
        self.f.close()
        self.p.wait(timeout=PATIENCE)
        self.said.seek(0)
        check(self.p.returncode == 0, self.said.read())
        self.said.close()
        return self.e.trace()
