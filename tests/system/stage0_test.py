#!/usr/bin/python3
"""Boots stage0 as pflash of Debian's QEMU (q35, TCG): what it starts, and what stops it.

stage0_test.py --stage0 FILE --cache DIR CASE...     ("list" prints the cases)
Exit status 0 all passed, 1 a case failed, 77 skipped: no QEMU, kernel or busybox.

A table of hashes and one of secrets are put into the guest's memory by QEMU's loader device,
at the addresses that the image's footer names, as a launch of a protected guest would do it.
"""
import argparse
import hashlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "nested"))
import images  # noqa: E402
import kernels  # noqa: E402

FW_CFG_SETUP_DATA, HEADER_END = 0x18, 0x270
HEADER_LIST, LIST_AT = 0x250, 0xc000000  # where a kernel's header has its list of setup_data; free RAM
PATIENCE = 240  # seconds; a bound against hanging, not a measurement
# q35 of the last QEMU that puts no random seed behind the kernel it serves.
MACHINE = "pc-q35-7.1"
CMDLINE = "console=ttyS0 panic=-1"
HASH_TABLE, HASH_ENTRIES = "9438d606-4f22-4cc9-b479-a793d411fd21", (
    ("cmdline", "97d02dd8-bd20-4c94-aa78-e7714d36ab2a"),
    ("initrd", "44baf731-3a2f-4bd7-9af1-41e29169781d"),
    ("kernel", "4de79437-abd2-427f-b835-d5b172d2045b"))
SECRET_TABLE = "1e74f542-71dd-4d66-963e-ef4287ff173b"
LUKS_KEY = "736869e5-84f0-4973-92ec-06879ce3da0b"
FOOTER, AREA_HASHES, AREA_SECRET, AP_RESET = (
    "96b582de-1fb2-45f7-baea-a366c55a082d", "7255371f-3a3b-4b04-927b-1da6efa8d454",
    "4c2eb361-7d9b-4cc3-8081-127c90d3d294", "00f771de-1a7e-4fcb-890e-68c77e2fb44e")
INIT = """#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
echo "cpus: $(/bin/busybox grep -c ^processor /proc/cpuinfo)"
echo "cmdline: $(/bin/busybox cat /proc/cmdline)"
echo "acpi: $(/bin/busybox dmesg | /bin/busybox grep -c 'ACPI: .* COFFER Q35COFR1')"
echo "other acpi: $(/bin/busybox dmesg | /bin/busybox grep -c 'ACPI: .* BOCHS')"
/bin/busybox mount -t sysfs sys /sys
echo "setup_data: $(/bin/busybox ls /sys/kernel/boot_params/setup_data 2>/dev/null | /bin/busybox wc -l)"
/bin/busybox dmesg | /bin/busybox grep -E "BIOS-e820|MMCONFIG.*reserved"
for f in /.coffer/secrets/*; do
	[ -f "$f" ] && echo "secret: $f $(/bin/busybox stat -c %a "$f") $(/bin/busybox cat "$f")"
done
echo "done"
/bin/busybox poweroff -f
"""
CASES = {}


def case(f):
    CASES[f.__name__] = f
    return f


def check(cond, why):
    if not cond:
        raise AssertionError(why)


def guid(text):
    return uuid.UUID(text).bytes_le


def hash_table(kernel, initrd, cmdline):
    data = {"kernel": kernel, "initrd": initrd, "cmdline": cmdline.encode() + b"\0"}
    entries = b"".join(guid(g) + struct.pack("<H", 50) + hashlib.sha256(data[n]).digest()
                       for n, g in HASH_ENTRIES)
    return guid(HASH_TABLE) + struct.pack("<H", 18 + len(entries)) + entries + bytes(8)


def secret_table(secrets):
    entries = b"".join(guid(g) + struct.pack("<I", 20 + len(d)) + d for g, d in secrets)
    return guid(SECRET_TABLE) + struct.pack("<I", 20 + len(entries)) + entries


def footer(image):
    """The table of GUIDs at the image's end, read as edk2 describes it."""
    end, ret = len(image) - 32, {}
    total, = struct.unpack_from("<H", image, end - 18)
    check(image[end - 16:end] == guid(FOOTER), "no footer")
    at = end - 18
    while at > end - total:
        length, = struct.unpack_from("<H", image, at - 18)
        check(18 <= length <= at - (end - total), f"an entry of {length} bytes")
        ret[str(uuid.UUID(bytes_le=image[at - 16:at]))] = image[at - length:at - 18]
        at -= length
    return ret


class Env:
    def __init__(self, stage0, kernel, busybox, tmp):
        self.image, self.tmp = Path(stage0), Path(tmp)
        self.kernel = kernel.read_bytes()
        c = images.Cpio()
        c.chardev("dev/console", 5, 1)
        c.dir("proc")
        c.dir("sys")
        c.file("bin/busybox", busybox.read_bytes(), 0o755)
        c.file("init", INIT.encode(), 0o755)
        self.initrd = c.finish()
        self.areas = footer(self.image.read_bytes())

    def area(self, name):
        return struct.unpack("<II", self.areas[name])

    def load(self, name, data):
        """Options of QEMU that put @data where the footer has the area @name."""
        file = self.tmp / name
        file.write_bytes(data)
        base, size = self.area(name)
        check(len(data) <= size, f"{len(data)} bytes for an area of {size}")
        return ["-device", f"loader,file={file},addr={base:#x},force-raw=on"]

    def qemu(self, *options, kernel=None, initrd=None, cmdline=CMDLINE, before=None):
        """Run it to its end; status, and what came out of the serial port and the debug console."""
        files = []
        for name, data in (("kernel", self.kernel if kernel is None else kernel),
                           ("initrd", self.initrd if initrd is None else initrd)):
            if data:
                (self.tmp / name).write_bytes(data)
                files += ["-" + name, self.tmp / name]
        debug = self.tmp / "debugcon"
        monitor = self.tmp / "monitor"
        command = ["qemu-system-x86_64", "-M", MACHINE, "-accel", "tcg", "-m", "512", "-display", "none",
                   "-serial", "stdio", "-no-reboot", "-nodefaults",
                   "-debugcon", f"file:{debug}", "-global", "isa-debugcon.iobase=0x402",
                   "-device", "isa-debug-exit,iobase=0xf4",
                   "-drive", f"if=pflash,unit=0,readonly=on,format=raw,file={self.image}",
                   *files, *(["-append", cmdline] if files else []), *options]
        if before:
            command += ["-S", "-monitor", f"unix:{monitor},server=on,wait=off"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT) as p:
            try:
                if before:
                    self.told = tell(monitor, [*before, "cont"])
                out = p.communicate(timeout=PATIENCE)[0].decode(errors="replace")
            except subprocess.TimeoutExpired:
                p.kill()
                out = p.communicate()[0].decode(errors="replace")
                raise AssertionError(f"no end after {PATIENCE} s:\n{out[-2000:]}") from None
        return p.returncode, out, debug.read_text() if debug.exists() else ""

    def served(self):
        """The kernel as this QEMU hands it over: without SEV it fills in fields of the setup header. They are read from
        fw_cfg as a guest would, byte by byte, before the first instruction."""
        commands = [f"o /h 0x510 {FW_CFG_SETUP_DATA}", *["i /b 0x511"] * HEADER_END, "quit"]
        self.qemu(before=commands)
        head = bytes(int(v, 16) for v in re.findall(r"portb\[0x0511\] = 0x(\w+)", self.told))
        check(len(head) == HEADER_END, f"{len(head)} bytes of a header")
        check(head[:0x1f1] == self.kernel[:0x1f1], "not the kernel's header")
        return head + self.kernel[HEADER_END:]

    def measured(self):
        """Options that put the hashes of what QEMU serves where stage0 looks."""
        table = hash_table(self.served(), self.initrd, CMDLINE)
        return self.load(AREA_HASHES, table)

    def boots(self, *options, **kw):
        status, out, debug = self.qemu(*options, **kw)
        check(status == 0 and "\ndone" in out.replace("\r", ""), f"status {status}:\n{out[-3000:]}")
        return out, debug

    def stops(self, reason, words, *options, **kw):
        status, out, debug = self.qemu(*options, **kw)
        line = f"stage0: stopped ({reason}): "
        for text in (out, debug):
            check(line in text and words in text, f"expected {reason} {words}:\n{text[-2000:]}")
        # isa-debug-exit's way to say a number
        check(status == reason << 1 | 1, f"status {status} for reason {reason}")
        check("Linux version" not in out, f"Linux was started:\n{out[-2000:]}")


def tell(path, commands):
    for _ in range(200):
        try:
            s = socket.socket(socket.AF_UNIX)
            s.connect(str(path))
            break
        except OSError:
            s.close()
            time.sleep(0.05)
    else:
        raise AssertionError("QEMU's monitor does not answer")
    told = b""
    with s:
        s.settimeout(PATIENCE)
        for c in [None, *commands]:
            got = b""
            try:
                if c:
                    s.sendall(c.encode() + b"\n")
                while not got.endswith(b"(qemu) ") and (more := s.recv(4096)):
                    got += more
            except OSError:
                break  # "quit", or "cont" of what ends at once
            told += got
    return told.decode(errors="replace")


@case
def a_stock_kernel_boots_unverified_and_powers_off(env):
    out, debug = env.boots()
    check("NOT VERIFIED" in out and "NOT VERIFIED" in debug, debug)
    check("cpus: 1" in out and f"cmdline: {CMDLINE}" in out, out[-2000:])


@case
def four_cpus_come_up_on_tables_of_stage0(env):
    out, _ = env.boots("-smp", "4", "-m", "3G")
    check("cpus: 4" in out, out[-2000:])
    check(re.search(r"^acpi: [4-9]", out, re.M), "ACPI tables are not ours:\n" + out[-2000:])
    check("other acpi: 0" in out, "tables of the host were used:\n" + out[-2000:])
    check("[mem 0x0000000100000000-0x000000013fffffff] usable" in out, out[-2000:])
    check("reserved in E820" in out, "ECAM is not used:\n" + out[-2000:])


@case
def setup_data_of_the_host_is_not_used(env):
    """QEMU from 7.2 on puts such a list behind the kernel; here, the header of a kernel that nobody measured has one."""
    seed = env.tmp / "seed"
    seed.write_bytes(struct.pack("<QII", 0, 9, 32) + bytes(32))  # one entry: SETUP_RNG_SEED
    kernel = env.kernel[:HEADER_LIST] + struct.pack("<Q", LIST_AT) + env.kernel[HEADER_LIST + 8:]
    out, _ = env.boots("-device", f"loader,file={seed},addr={LIST_AT:#x},force-raw=on", kernel=kernel)
    check("setup_data: 0" in out, "Linux got it:\n" + out[-2000:])


@case
def an_initrd_is_optional(env):
    # Linux finds no root file system and panics; panic=-1 restarts, QEMU ends
    _, out, _ = env.qemu(initrd=b"")
    check("Unable to mount root fs" in out, out[-2000:])


@case
def what_was_measured_boots_with_its_secret(env):
    secrets = secret_table([(LUKS_KEY, b"hunter2-hunter2\0"), (str(uuid.UUID(int=7)), b"odd")])
    out, _ = env.boots(*env.measured(), *env.load(AREA_SECRET, secrets))
    check("those that were measured" in out and "NOT VERIFIED" not in out, out[:2000])
    check(f"secret: /.coffer/secrets/{LUKS_KEY} 400 hunter2-hunter2" in out, out[-2000:])
    check("secret: /.coffer/secrets/00000000-0000-0000-0000-000000000007 400 odd" in out, out[-2000:])


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


@case
def a_changed_kernel_stops(env):
    load = env.measured()
    words = "the kernel is not the one that was measured"
    env.stops(40, words, *load, kernel=flip(env.kernel, len(env.kernel) - 1))
    env.stops(40, words, *load, kernel=flip(env.kernel, 0x20))  # in its setup part


@case
def a_changed_initrd_stops(env):
    load = env.measured()
    words = "the initrd is not the one that was measured"
    env.stops(41, words, *load, initrd=flip(env.initrd, len(env.initrd) // 2))


@case
def a_changed_command_line_stops(env):
    load = env.measured()
    env.stops(42, "the command line is not the one that was measured", *load, cmdline=CMDLINE + " x")


@case
def a_broken_table_of_hashes_stops(env):
    table = hash_table(env.kernel, env.initrd, CMDLINE)
    cut = table[:16] + struct.pack("<H", 118) + table[18:118] + bytes(58)
    env.stops(34, "lacks kernel, initrd or command line", *env.load(AREA_HASHES, cut))
    env.stops(33, "malformed", *env.load(AREA_HASHES, flip(table, 16)))


@case
def broken_secrets_stop(env):
    table = secret_table([(LUKS_KEY, b"x" * 40)])
    env.stops(56, "the table of secrets is malformed", *env.load(AREA_SECRET, flip(table, 36)))


@case
def a_lying_memory_map_stops(env):
    # CMOS says 16 MiB + 255 * 64 KiB more than fw_cfg does
    env.stops(25, "memory map is malformed or contradicts itself",
              before=["o /b 0x70 0x34", "o /b 0x71 0xff"])


@case
def impossible_machines_stop(env):
    env.stops(24, "an impossible number of CPUs", "-smp", "65")
    env.stops(51, "too little memory for this kernel", "-m", "32")
    env.stops(48, "the host offers no kernel", kernel=b"", initrd=b"")


@case
def the_footer_says_what_tools_look_for(env):
    check(set(env.areas) == {AREA_HASHES, AREA_SECRET, AP_RESET}, env.areas)
    for name, least in ((AREA_HASHES, 176), (AREA_SECRET, 4096)):
        base, size = env.area(name)
        check(base % 16 == 0 and least <= size and base + size <= 0x9fc00, (name, base, size))
    reset, = struct.unpack("<I", env.areas[AP_RESET])
    check(reset >= (1 << 32) - env.image.stat().st_size and reset >= 0xffff0000, hex(reset))
    check(env.image.stat().st_size <= 32768 and env.image.stat().st_size % 4096 == 0, "size")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--stage0")
    p.add_argument("--cache")
    p.add_argument("cases", nargs="*")
    a = p.parse_args()
    if a.cases == ["list"]:
        print("\n".join(CASES))
        return 0
    busybox = shutil.which("busybox")
    if not shutil.which("qemu-system-x86_64") or not busybox:
        print("SKIPPED: needs qemu-system-x86_64 and busybox (Debian: qemu-system-x86, busybox-static)")
        return 77
    try:
        kernel = kernels.find("cloud", Path(a.cache)).bzimage
    except kernels.Unavailable as e:
        print(f"SKIPPED: {e}")
        return 77
    failed = 0
    for name in a.cases or CASES:
        with tempfile.TemporaryDirectory(prefix="coffer-stage0-") as tmp:
            env = Env(a.stage0, kernel, Path(busybox), tmp)
            try:
                CASES[name](env)
                print(f"{name}: passed")
            except AssertionError as e:
                failed = 1
                print(f"{name}: FAILED: {e}")
    return failed


sys.exit(main())
