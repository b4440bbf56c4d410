# Sourced by scripts that stand in the project's root: which version this is, and of which commit.
# shellcheck shell=bash

# The one place it is written.
version() {
    sed -n 's/.*static let version = "\(.*\)"/\1/p' Sources/Commands/BuildFacts.swift
}

# What the build is told; empty without git, or outside a clone.
commit() {
    if [ -n "${SPIRAL_COMMIT:-}" ]; then printf '%s' "$SPIRAL_COMMIT"; return; fi
    local commit changed=
    commit=$(git rev-parse HEAD 2>/dev/null) || return 0
    [ -z "$(git status --porcelain --untracked-files=no 2>/dev/null)" ] || changed=-changed
    printf '%s' "$commit$changed"
}

# When that commit was made, in UTC; 1970 where there is none, so that it is the same each time.
commit_date() {
    TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null || printf '1970-01-01T00:00:00Z'
}
