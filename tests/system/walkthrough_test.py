#!/usr/bin/env python3
"""Types the commands of the operator's and the owner's pages, and compares what they print with what the pages show.

walkthrough_test.py --coffer FILE --page FILE... [--update]
Every block that is fenced as "console" is a piece of one shell session per page: "$ " begins a command, "> " goes on
with it, the rest is its output. Keys, digests, times and process numbers are not compared. --update writes what was
printed into the pages. Exit status 0 they agree, 1 they do not, 77 skipped: no usable /dev/kvm, or too little memory
may be locked.

The kernels are of a few instructions: vmlinuz writes what it finds in its area for secrets to the serial port and
powers off, service does nothing until it is ended.
"""
import argparse
import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

from harness import Skip, check, read_until, usable_kvm
from sev_test import bzimage

PATIENCE = 60  # seconds for a command; a bound against hanging
MEMLOCK = 7 << 20  # 6 MiB, and one command's chunk
SECRET = b"correct horse battery staple\n"
IDLE = b"\xf4\xeb\xfd"  # hlt; jmp
# esi points to the boot parameters (Linux, boot.rst, "32-bit Boot Protocol"): the last page of the initial RAM disk
# (ramdisk_image at 0x218, ramdisk_size at 0x21c) goes to port 0x3f8 without its zeros; then S5 through PM1_CNT.
SHOW_SECRETS = bytes.fromhex("8b9e18020000039e1c02000081eb00100000b90010000066baf8038a0384c07401ee43e2f6"
                             "66ba040666b8002066ef") + IDLE
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
MASKS = (
    (r"\b[0-9a-f]{16,}\b", "HEX"),
    (r"(?<![\w/])[A-Za-z0-9+/]{22,}={0,2}", "BASE64"),
    (r"\b\d+\.\d+ s\b", "TIME"),
    (r"\b(pid|monitor) \d+", r"\1 N"),
    (r"0x[0-9a-f]{9,}", "ADDRESS"),
)


def commands(block):
    """[(command, output)] of a block; both with their last newline."""
    found = []
    for line in block.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append([line[2:], ""])
        elif line.startswith("> ") and not found[-1][1]:
            found[-1][0] += line[2:]
        else:
            found[-1][1] += line
    return found


def masked(text):
    for pattern, to in MASKS:
        text = re.sub(pattern, to, text)
    return text


class Shell:
    """One bash that is typed to, command by command."""

    END = b"--- end of the output\n"

    def __init__(self, coffer, cwd):
        env = {**os.environ, "PATH": os.path.dirname(coffer) + ":" + os.environ["PATH"], "LC_ALL": "C"}
        keys, keyboard = os.pipe()  # standard input is the commands' own
        self.keyboard = os.fdopen(keyboard, "w", encoding="utf-8")
        self.p = subprocess.Popen(["bash", f"/dev/fd/{keys}"], cwd=cwd, env=env, pass_fds=[keys], start_new_session=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.close(keys)

    def run(self, command):
        # A later command may ask for the status of this one.
        self.keyboard.write(f"{command}\nstatus=$?; echo '{self.END.decode().strip()}'; (exit $status)\n")
        self.keyboard.flush()
        try:
            return read_until(self.p.stdout.fileno(), self.END, PATIENCE).removesuffix(self.END).decode()
        except AssertionError as x:
            raise AssertionError(f"$ {command}{x}") from x

    def end(self):
        """Whatever the page has left running ends with it."""
        self.keyboard.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.p.pid, signal.SIGTERM)
        try:
            self.p.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self.p.pid, signal.SIGKILL)
            self.p.wait()


def prepare(tmp):
    for name, data in (("vmlinuz", bzimage(SHOW_SECRETS)), ("service", bzimage(IDLE)),
                       ("initrd", bytes(range(256)) * 12), ("passphrase", SECRET)):
        with open(os.path.join(tmp, name), "wb") as f:
            f.write(data)


def walk(page, coffer, tmp):
    """What the page should look like, after it was typed."""
    shell = Shell(coffer, tmp)
    wrong = []

    def typed(match):
        text = "```console\n"
        for command, shown in commands(match.group(1)):
            printed = shell.run(command)
            if masked(printed) != masked(shown):
                wrong.append(f"$ {command}--- shown:\n{shown}--- printed:\n{printed}")
            text += "$ " + command.rstrip("\n").replace("\n", "\n> ") + "\n" + printed
        return text + "```"

    try:
        with open(page, encoding="utf-8") as f:
            text = BLOCK.sub(typed, f.read())
    finally:
        shell.end()
    return text, wrong


def check_page(page, coffer, update):
    tmp = tempfile.mkdtemp(prefix="coffer-walk-")
    try:
        prepare(tmp)
        text, wrong = walk(page, coffer, tmp)
        with open(os.path.join(tmp, "console.log"), "rb") as f:
            check(SECRET.strip() in f.read(), "the guest has not got the secret")
    finally:
        shutil.rmtree(tmp)
    if update:
        with open(page, "w", encoding="utf-8") as f:
            f.write(text)
    return [] if update else wrong


def may_lock():
    hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    return hard in (resource.RLIM_INFINITY, -1) or hard >= MEMLOCK


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--coffer", required=True)
    a.add_argument("--page", required=True, nargs="+")
    a.add_argument("--update", action="store_true")
    a = a.parse_args()
    if not usable_kvm():
        return 77
    if not may_lock():
        print(f"SKIPPED: {MEMLOCK} bytes of locked memory are needed (ulimit -H -l)")
        return 77
    status = 0
    for page in a.page:
        try:
            wrong = check_page(page, os.path.abspath(a.coffer), a.update)
        except (AssertionError, Skip, OSError, subprocess.TimeoutExpired) as x:
            wrong = [str(x)]
        for text in wrong:
            print(f"FAILED {os.path.basename(page)}: {text}")
            status = 1
        if not wrong:
            print(f"ok {os.path.basename(page)}")
    return status


if __name__ == "__main__":
    sys.exit(main())
