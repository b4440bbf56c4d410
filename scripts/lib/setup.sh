# Sourced by the scripts beside this folder: stands in the project's root and gets it what it needs.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 3

# Says what is wrong and ends with 3: this machine cannot run it.
refuse() {
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    exit 3
}

require_swift() {
    command -v swift >/dev/null || refuse "no Swift toolchain on PATH; install Swift 6.2 or later from https://www.swift.org/install/linux and try again"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    if [ "$(printf '6.2\n%s\n' "$version" | sort -V | head -n 1)" != 6.2 ]; then
        refuse "Swift $version is too old; install Swift 6.2 or later from https://www.swift.org/install/linux"
    fi
}

# Installs those of the named Debian packages that are missing; asks nobody when none is.
require_packages() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = 'install ok installed' ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || refuse "these packages are missing and there is no apt-get to install them: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || refuse "these packages are missing; install them as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    printf 'installing %s\n' "${missing[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get update -qq || printf 'apt-get update failed; trying with the lists there are\n' >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
        refuse "apt-get could not install ${missing[*]}"
}

# Builds the programs and shows how far that is: as the compiler does on a terminal, elsewhere a line for each tenth.
build_release() {
    printf 'building; this takes some minutes the first time\n' >&2
    if [ -t 2 ]; then
        swift build --configuration release >&2
    else
        swift build --configuration release 2>&1 | awk '
            match($0, /^\[[0-9]+\/[0-9]+\]/) {
                split(substr($0, 2, RLENGTH - 2), of, "/")
                tenth = int(10 * of[1] / of[2])
                if (tenth > shown) { shown = tenth; print "built " of[1] " of " of[2]; fflush() }
                next
            }
            { print; fflush() }' >&2
    fi || refuse "the build failed; its messages stand above"
}

# What building and running take; the scripts that source this name it.
# shellcheck disable=SC2034
BUILD_PACKAGES=(libmemcached-dev zlib1g-dev pkg-config memcached)
