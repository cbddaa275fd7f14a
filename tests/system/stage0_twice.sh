#!/bin/sh
# tests/system/stage0_twice.sh SOURCE IMAGE COMPILER - builds stage0 twice from
# copies of the sources in folders of other names, as debug and as release
# build, without a compiler cache, and compares each with IMAGE byte for byte.
set -eu
source=$1 image=$2 compiler=$3
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT INT TERM
export CCACHE_DISABLE=1

# built FOLDER TYPE OPTION...: prints the image's path
built() {
	folder=$tmp/$1 type=$2
	shift 2
	mkdir -p "$folder"
	# what cmake reads; no build directories
	for part in CMakeLists.txt CMakePresets.json LICENSE README.md bench cmake crypto \
		devices docs firmware mem owner scripts sim tests vmm; do
		cp -R "$source/$part" "$folder/"
	done
	cmake -G Ninja -S "$folder" -B "$folder/out" -DBUILD_TESTING=OFF \
		-DCMAKE_C_COMPILER="$compiler" -DCMAKE_BUILD_TYPE="$type" "$@" >&2
	cmake --build "$folder/out" -j2 --target stage0 >&2
	echo "$folder/out/firmware/stage0.bin"
}

first=$(built a Debug -DCOFFER_SANITIZE=address,undefined 2>"$tmp/log") || {
	cat "$tmp/log"
	exit 1
}
second=$(built "a folder with another, longer name" Release 2>"$tmp/log") || {
	cat "$tmp/log"
	exit 1
}
sha256sum "$image" "$first" "$second"
cmp "$first" "$second"
cmp "$image" "$first"
