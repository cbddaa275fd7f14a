"""The outer machine: one QEMU process and the report channel into it."""
import ctypes
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from images import compile_preload
from kernels import Kernel, Unavailable
from outside import Outside

QEMU_LOCK = Path(__file__).resolve().parent / "qemu-lock.c"
BOOT_SECONDS = 180
# What a case may take beyond its own limit before the machine is given up:
# the limit is enforced inside, where a slow host slows the clock's users too.
GRACE_SECONDS = 60
# A CPU that is at the same instruction, with the same registers, so often: the
# first is answered with a knock, the second with the machine's end.
LOOK_SECONDS, LOOKS_TO_KNOCK, LOOKS_TO_END = 2, 3, 20
MAX_CUTS = 2  # power cuts of one case
LOG_MAX = 4 << 20

# QEMU's SVM emulation lets XSETBV through, so the KVM in the outer machine
# misses the guest's XCR0 and answers CPUID 0xd for another one. Without AVX
# there is only one XCR0.
CPU = "EPYC,+svm,+npt,-xsave,-avx,-avx2,-f16c,-fma"

# Same kernel, same addresses, no self-tests: nothing here is under test.
CMDLINE = ("console=ttyS0 quiet panic=-1 nokaslr random.trust_cpu=on "
           "cryptomgr.notests loglevel=4 "
           # on a busy host the check of the timer misses its time
           "no_timer_check")
# An operator's kernel has them, and benchmarks keep them; they cost instructions
# and are not under test.
WITHOUT = " mitigations=off init_on_alloc=0"


class MachineDied(Exception):
    """The outer machine ended or stopped answering."""


@dataclass
class Result:
    status: str  # exit status of the case, or "timeout"
    seconds: float
    log: str


@dataclass
class Images:
    kernel: Kernel
    initramfs: Path
    root: Path


def find_qemu() -> Path:
    qemu = shutil.which("qemu-system-x86_64")
    if qemu is None:
        raise Unavailable("no qemu-system-x86_64: "
                          "apt-get install qemu-system-x86")
    return Path(qemu)


# Not every harness's first machine has the same one.
_cpus = random.sample(sorted(os.sched_getaffinity(0)), len(os.sched_getaffinity(0)))


def _one_cpu(cpu: int) -> Callable[[], None]:
    """
    What the child does before it becomes QEMU. Version 7.2 changes its word of
    pending interrupts in VMRUN without the lock that its other threads hold when
    they change it. One is lost now and then, and when that was the timer of an
    outer kernel that runs a spinning guest, it was the last. On one CPU none is.
    """
    def prepare():
        # However this harness ends, even by SIGKILL, no machine stays behind.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        os.sched_setaffinity(0, {cpu})
    return prepare


class Machine:
    """Boot with `with Machine(...) as m:`; ends with the block."""

    _running: set["Machine"] = set()

    def __init__(self, images: Images, scratch: Path, memory: str = "6G",
                 icount: bool = False, console: Path | None = None,
                 progress: Callable[[str], None] | None = None,
                 outside: Outside | None = None, looks_to_end: int = LOOKS_TO_END,
                 seat: int = 0):
        """@seat: machines that run side by side have different ones"""
        self.images = images
        self.scratch = scratch
        self.memory = memory
        self.icount = icount
        self.dir = Path(tempfile.mkdtemp(prefix="nested-"))
        self.preload = compile_preload(QEMU_LOCK, self.dir / "qemu-lock.so")
        self.console = console or self.dir / "console"
        self.progress = progress  # gets what a case says by lib.sh's progress
        self.outside = outside  # answers what cases ask
        self.told = 0  # bytes of the console
        self.next_look, self.was_at, self.looks = 0.0, "", 0
        self.looks_to_end = looks_to_end
        self.cpu = _cpus[seat % len(_cpus)]
        self.knocks = 0
        self.process = None
        self.channel = None
        self.buffer = b""
        self.description = ""

    def _command(self, channel: Path) -> list[str]:
        command = [find_qemu(), "-nodefaults", "-no-user-config", "-display", "none",
                   "-no-reboot", "-accel", "tcg", "-cpu", CPU,
                   # A second CPU trips an assertion of QEMU 7.2's SVM code
                   # when firmware runs in the inner guest.
                   "-smp", "1", "-m", self.memory,
                   "-kernel", self.images.kernel.bzimage,
                   "-initrd", self.images.initramfs, "-append",
                   CMDLINE if self.icount else CMDLINE + WITHOUT,
                   "-serial", f"file:{self.console}",
                   "-drive", f"file={self.images.root},format=raw,if=none,"
                             "id=root,readonly=on",
                   "-device", "virtio-blk-pci,drive=root",
                   "-drive", f"file={self.scratch},format=raw,if=none,"
                             "id=scratch",
                   "-device", "virtio-blk-pci,drive=scratch",
                   "-device", "virtio-serial-pci",
                   "-monitor", f"unix:{self.dir / 'monitor'},server=on,wait=off",
                   "-chardev", f"socket,id=report,path={channel}",
                   "-device", "virtserialport,chardev=report,"
                              "name=nested.report"]
        if self.icount:
            command += ["-icount", "shift=0,sleep=off"]
        return [str(c) for c in command]

    @classmethod
    def kill_all(cls):
        """End every machine at once; their users see MachineDied."""
        for m in list(cls._running):
            if m.process is not None:
                m.process.kill()

    def __enter__(self):
        self._running.add(self)
        try:
            self._boot()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def _boot(self):
        path = self.dir / "report"
        path.unlink(missing_ok=True)
        self.buffer = b""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(1)
            listener.settimeout(30)
            with open(self.dir / "qemu.log", "wb") as log:
                self.process = subprocess.Popen(
                    self._command(path), stdin=subprocess.DEVNULL, stdout=log,
                    stderr=log, preexec_fn=_one_cpu(self.cpu),
                    env=dict(os.environ, LD_PRELOAD=str(self.preload)))
            try:
                self.channel, _ = listener.accept()
            except TimeoutError:
                raise self._died("QEMU did not start") from None
        words = self._line(time.monotonic() + BOOT_SECONDS).split(" ", 1)
        if words[0] != "ready":
            raise self._died(f"unexpected greeting {words}")
        self.description = words[1]

    def _died(self, why: str) -> MachineDied:
        text = why
        for f in (self.dir / "qemu.log", self.console):
            if f.exists() and (tail := f.read_bytes()[-3000:].strip()):
                text += f"\n--- {f.name}\n{tail.decode(errors='replace')}"
        return MachineDied(text)

    def _is_stuck(self) -> bool:
        """Asked every LOOK_SECONDS: is the CPU where it was, and not idle?"""
        if time.monotonic() < self.next_look:
            return False
        self.next_look = time.monotonic() + LOOK_SECONDS
        where = self._where(1)
        same = where == self.was_at and "HLT=0" in where
        self.was_at, self.looks = where, self.looks + 1 if same else 0
        if self.looks and self.looks % LOOKS_TO_KNOCK == 0:
            self._knock()
        return self.looks >= self.looks_to_end

    def _knock(self):
        """Any interrupt makes QEMU look at all that are pending, so that one
        which it forgot (see _one_cpu) arrives. A guest that spins for its own
        reasons does not notice."""
        self.knocks += 1
        self.channel.sendall(b"\n")

    def _where(self, times: int = 3) -> str:
        """Where the machine's CPU is, at some moments."""
        said = b""
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(str(self.dir / "monitor"))
                s.settimeout(0.5)
                for command in (b"info status", *[b"info registers"] * times):
                    s.sendall(command + b"\n")
                    time.sleep(0.2)
                while chunk := s.recv(1 << 16):
                    said += chunk
        except OSError:
            pass  # a timeout: it has said all
        keep = ("VM status", "RIP=", "CR0=", "EFER=", "RAX=", "RSI=")
        return "\n".join(line for line in said.decode(errors="replace").split("\r\n")
                         if line.startswith(keep))

    def _tell_progress(self):
        if self.progress is None or not self.console.exists():
            return
        with open(self.console, "rb") as f:
            f.seek(self.told)
            text = f.read()
        whole = text[:text.rfind(b"\n") + 1]
        self.told += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            if line.startswith("progress: "):
                self.progress(line.removeprefix("progress: ").rstrip())

    def _more(self, deadline: float):
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._died("the outer machine does not answer\n" + self._where())
            if self._is_stuck():
                raise self._died("the outer machine's CPU stands still\n" + self._where())
            if select.select([self.channel], [], [], min(left, 1.0))[0]:
                data = self.channel.recv(1 << 16)
                if data:
                    self.buffer += data
                    return
            self._tell_progress()
            if self.process.poll() is not None:
                raise self._died("the outer machine ended with status "
                                 f"{self.process.returncode}")

    def _line(self, deadline: float) -> str:
        while b"\n" not in self.buffer:
            self._more(deadline)
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace")

    def _bytes(self, n: int, deadline: float) -> bytes:
        while len(self.buffer) < n:
            self._more(deadline)
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def _request(self, verb: str, name: str, limit: int, build: str, args) -> float:
        """Ask for a case; when its answer is overdue."""
        self.channel.sendall(" ".join([verb, name, str(limit), build, *args])
                             .encode() + b"\n")
        return time.monotonic() + limit + GRACE_SECONDS

    def run(self, name: str, limit: int, build: str, *args: str) -> Result:
        """Run one case with "tested" or "release", see cases.Case. MachineDied
        when it takes the machine with it."""
        deadline = self._request("run", name, limit, build, args)
        cuts = 0
        while True:
            words = self._line(deadline).split()
            if words[:2] == ["begin", name]:
                continue
            if words[:2] == ["cut", name] and cuts < MAX_CUTS:
                cuts += 1
                self._end()
                self._boot()
                deadline = self._request("resume", name, limit, build, args)
                continue
            if words[:2] == ["ask", name] and self.outside is not None:
                answer = self.outside.answer(words[2:])
                self.channel.sendall(answer.encode() + b"\n")
                continue
            if words[:2] == ["result", name] and len(words) == 5:
                log = self._bytes(min(int(words[4]), LOG_MAX), deadline)
                return Result(words[2], float(words[3]),
                              log.decode(errors="replace"))
            raise self._died(f"unexpected report {words}")

    def _end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        if self.process is not None:
            self.process.wait()
        if self.channel is not None:
            self.channel.close()

    def close(self):
        self._running.discard(self)
        self._end()
        shutil.rmtree(self.dir, ignore_errors=True)
