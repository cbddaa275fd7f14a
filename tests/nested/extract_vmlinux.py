#!/usr/bin/env python3
"""Take the ELF vmlinux out of a bzImage.

The setup header says where the compressed kernel lies (Linux
Documentation/x86/boot.rst, "The Real-Mode Kernel Header": setup_sects,
payload_offset, payload_length). Its last four bytes are the length of the
decompressed kernel, which is checked. XZ, gzip and bzip2 need nothing but
Python; LZ4 and Zstandard call the tools of those names.
"""
import bz2
import lzma
import struct
import subprocess
import sys
import zlib
from pathlib import Path

MAX_VMLINUX = 1 << 30


class BadImage(Exception):
    """The file is not a bzImage this can unpack."""


def _gunzip(data: bytes) -> bytes:
    return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data, MAX_VMLINUX)


def _unxz(data: bytes) -> bytes:
    # The stream is followed by the length word, which a one-shot
    # decompression would take for a broken second stream.
    return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data, MAX_VMLINUX)


def _tool(*command: str):
    def run(data: bytes) -> bytes:
        try:
            done = subprocess.run(command, input=data, capture_output=True)
        except FileNotFoundError:
            raise BadImage(f"this kernel needs the '{command[0]}' tool: "
                           f"apt-get install {command[0]}") from None
        # The length word after the stream makes the tools complain after
        # they have written everything; the length check below decides.
        return done.stdout
    return run


FORMATS = [
    (b"\xfd7zXZ\x00", _unxz),
    (b"\x1f\x8b\x08", _gunzip),
    (b"BZh", lambda d: bz2.BZ2Decompressor().decompress(d, MAX_VMLINUX)),
    (b"\x02\x21\x4c\x18", _tool("lz4", "-dc")),
    (b"\x28\xb5\x2f\xfd", _tool("zstd", "-dc")),
]


def payload(image: bytes) -> bytes:
    """The compressed kernel, length word included."""
    if len(image) < 0x264 or image[0x202:0x206] != b"HdrS":
        raise BadImage("no setup header: not a bzImage")
    version, = struct.unpack_from("<H", image, 0x206)
    if version < 0x208:
        raise BadImage(f"boot protocol {version:#x} has no payload fields")
    setup_sects = image[0x1f1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sects + 1) * 512 + offset
    if length < 8 or start + length > len(image):
        raise BadImage("the payload lies outside the file")
    return image[start:start + length]


def extract(image: bytes) -> bytes:
    data = payload(image)
    want, = struct.unpack("<I", data[-4:])
    for magic, decompress in FORMATS:
        if data.startswith(magic):
            # LZ4's legacy frame has no end mark: keep the word out of it.
            elf = decompress(data[:-4])
            break
    else:
        raise BadImage(f"unknown compression {data[:4].hex()}")
    if len(elf) != want:
        raise BadImage(f"decompressed to {len(elf)} bytes instead of {want}")
    if not elf.startswith(b"\x7fELF"):
        raise BadImage("the payload is not an ELF file")
    return elf


def main() -> int:
    if len(sys.argv) != 3:
        print(f"usage: {sys.argv[0]} BZIMAGE VMLINUX", file=sys.stderr)
        return 64
    try:
        Path(sys.argv[2]).write_bytes(extract(Path(sys.argv[1]).read_bytes()))
    except (BadImage, OSError) as e:
        print(f"{sys.argv[1]}: {e}", file=sys.stderr)
        return 66
    return 0


if __name__ == "__main__":
    sys.exit(main())
