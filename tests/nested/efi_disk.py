"""A disk that UEFI firmware starts from: GPT, an EFI system partition, and on it
systemd-boot with a kernel, its initrd and its command line, as Debian has them.

Made as an ordinary user: mtools write the file system, the partition table is
written here (UEFI 2.10, 5.3 "GUID Partition Table Disk Layout").
"""
import struct
import subprocess
import uuid
import zlib
from pathlib import Path

from images import boot_loaders
from kernels import Kernel, Unavailable

SECTOR = 512
ENTRIES, ENTRY_BYTES = 128, 128
TABLE_SECTORS = ENTRIES * ENTRY_BYTES // SECTOR
FIRST = 2048  # of the partition: aligned to 1 MiB
ESP_TYPE = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
DISK_ID = uuid.UUID("636f6666-6572-4000-8000-000000000001")
PART_ID = uuid.UUID("636f6666-6572-4000-8000-000000000002")


def _header(here: int, other: int, table: int, last: int, entries: bytes) -> bytes:
    """@here and @other: the sectors of this header and of its copy."""
    def pack(crc: int) -> bytes:
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0,
                           here, other, 2 + TABLE_SECTORS, last, DISK_ID.bytes_le,
                           table, ENTRIES, ENTRY_BYTES, zlib.crc32(entries))
    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def _partition(out: Path, sectors: int):
    """A table with one partition of @sectors, and its copy at the end."""
    end = FIRST + sectors  # the copy: its entries, then its header
    total = end + TABLE_SECTORS + 1
    entry = struct.pack("<16s16sQQQ72s", ESP_TYPE.bytes_le, PART_ID.bytes_le,
                        FIRST, end - 1, 0, "ESP".encode("utf-16-le"))
    entries = entry.ljust(ENTRIES * ENTRY_BYTES, b"\0")
    # What knows only the old kind of table sees a disk that is all taken.
    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xee, b"\xff\xff\xff",
                             1, total - 1)
    with open(out, "wb") as f:
        f.truncate(total * SECTOR)
        f.seek(446)
        f.write(protective.ljust(64, b"\0") + b"\x55\xaa")
        f.write(_header(1, total - 1, 2, end - 1, entries) + entries)
        f.seek(end * SECTOR)
        f.write(entries + _header(total - 1, 1, end, end - 1, entries))


def _mtools(*command):
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True,
                              text=True)
    except FileNotFoundError as e:
        raise Unavailable(f"no {command[0]}: apt-get install mtools") from e
    if done.returncode != 0:
        raise Unavailable(f"{command[0]}: {done.stderr.strip()}")


def make(kernel: Kernel, initrd: Path, cmdline: str, cache: Path, out: Path):
    """@cmdline: what the boot loader's one entry gives to the kernel."""
    loader = boot_loaders(cache) / "systemd-bootx64.efi"
    conf, entry = out.with_suffix(".loader"), out.with_suffix(".entry")
    conf.write_text("timeout 0\ndefault debian.conf\n")
    entry.write_text(f"title Debian\nlinux /vmlinuz\ninitrd /initrd\noptions {cmdline}\n")
    files = {"EFI/BOOT/BOOTX64.EFI": loader, "loader/loader.conf": conf,
             "loader/entries/debian.conf": entry, "vmlinuz": kernel.bzimage,
             "initrd": initrd}
    used = sum(f.stat().st_size for f in files.values())
    sectors = (used * 9 // 8 + (2 << 20)) // SECTOR
    _partition(out, sectors)
    esp = f"{out}@@{FIRST * SECTOR}"
    _mtools("mformat", "-i", esp, "-T", sectors, "-h", 16, "-s", 63, "-v", "ESP", "::")
    _mtools("mmd", "-i", esp, "::EFI", "::EFI/BOOT", "::loader", "::loader/entries")
    for name, source in files.items():
        _mtools("mcopy", "-i", esp, source, f"::{name}")
