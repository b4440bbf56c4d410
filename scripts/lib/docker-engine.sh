# Sourced by scripts/verify-docker: an engine of its own, and base images made out of this machine, where there is neither an
# engine nor an image registry. Needs root, Debian's docker.io and debootstrap.
# shellcheck shell=bash

# Where the engine keeps its images from one run to the next.
engine_folder=$PWD/.build/docker-engine
engine_pid=

start_engine() {
    if docker info >/dev/null 2>&1; then return; fi
    [ "$(id -u)" -eq 0 ] || refuse "no Docker engine answers, and only root can start one"
    require_packages docker.io docker-compose debootstrap
    mkdir -p "$engine_folder"
    # A socket's path is short, whatever the project's is.
    engine_socket=$(mktemp -d)/docker.sock
    export DOCKER_HOST=unix://$engine_socket
    local driver=vfs
    grep -qw overlay /proc/filesystems && driver=overlay2
    dockerd --host "$DOCKER_HOST" --data-root "$engine_folder/data" --exec-root "${engine_socket%/*}/exec" \
        --pidfile "${engine_socket%/*}/pid" --storage-driver "$driver" --iptables=false --ip-forward=false --bridge=none \
        >"$engine_folder/log" 2>&1 &
    engine_pid=$!
    for _ in {1..150}; do
        if docker info >/dev/null 2>&1; then return; fi
        kill -0 "$engine_pid" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 3 "$engine_folder/log" >&2
    refuse "the Docker engine did not start; $engine_folder/log says why"
}

stop_engine() {
    [ -n "$engine_pid" ] || return 0
    kill "$engine_pid" 2>/dev/null || true
    wait "$engine_pid" 2>/dev/null || true
    # The engine leaves the namespace of the host's network mounted.
    umount "${engine_socket%/*}"/exec/netns/* 2>/dev/null || true
    rm -rf --one-file-system "${engine_socket%/*}"
    engine_pid=
}

# Names an image: the official one where it is here or can be had, else one made here, of the second name, by a command that
# fills a folder. $1 official, $2 made here, $3 the command; the rest is given to `docker import`.
base_image() {
    local official=$1 own=$2 fill=$3
    shift 3
    if docker image inspect "$official" >/dev/null 2>&1 || timeout 120 docker pull --quiet "$official" >/dev/null 2>&1; then
        printf '%s' "$official"
        return
    fi
    if ! docker image inspect "$own" >/dev/null 2>&1; then
        local folder
        folder=$(mktemp -d)
        "$fill" "$folder/root" >&2
        tar --create --directory "$folder/root" . | docker import "$@" - "$own" >/dev/null
        rm -rf --one-file-system "$folder"
    fi
    printf '%s' "$own"
}

# Made once; it takes minutes.
fill_debian() {
    local kept=$engine_folder/debian
    if ! [ -e "$kept.made" ]; then
        rm -rf --one-file-system "$kept"
        mkdir -p "$engine_folder"
        scripts/lib/debian-root "$kept"
        touch "$kept.made"
    fi
    cp -a "$kept" "$1"
    [ $# -eq 1 ] || scripts/lib/debian-root "$@"
}

# The toolchain that is installed here, without editors' and debuggers' parts, and what it compiles and links with.
fill_swift() {
    local toolchain folder
    fill_debian "$1" binutils ca-certificates gcc git libc6-dev libcurl4 libedit2 libncurses6 libsqlite3-0 \
        libstdc++-12-dev libxml2 pkg-config python3-minimal tzdata zlib1g-dev
    toolchain=$(cd "$(dirname "$(readlink -f "$(command -v swift)")")/.." && pwd)
    tar --create --directory "$toolchain" --exclude='bin/sourcekit-lsp' --exclude='bin/lldb*' --exclude='bin/clangd' \
        --exclude='bin/docc' --exclude='bin/swift-format' --exclude='bin/wasmkit' --exclude='bin/llvm-objdump' \
        --exclude='lib/liblldb*' --exclude='lib/libsourcekitd*' --exclude='lib/libSwiftSourceKit*' \
        --exclude='lib/libclang.so*' --exclude='lib/libLTO.so*' --exclude='lib/swift/embedded' . | tar --extract --directory "$1/usr"
    # Where git is told to read packages from this machine, the image does too.
    git config --get-regexp '^url\..*\.insteadof$' | while read -r key value; do
        folder=${key#url.}
        folder=${folder%.insteadof}
        [ -d "$folder" ] || continue
        mkdir -p "$1$folder"
        cp -a "$folder/." "$1$folder/"
        git config --file "$1/etc/gitconfig" --add "$key" "$value"
    done
    printf '[safe]\n\tdirectory = *\n' >>"$1/etc/gitconfig"
}

# As the official images have them: no root, and a folder for data.
fill_watcher() {
    fill_debian "$1" "$2"
    install --directory --owner 65534 --group 65534 "$1/prometheus"
}
fill_prometheus() { fill_watcher "$1" prometheus; }
fill_alertmanager() { fill_watcher "$1" prometheus-alertmanager; }
