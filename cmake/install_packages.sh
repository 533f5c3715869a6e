#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# install_packages.sh NEED... : sees to it that the packages of cmake/packages.txt for these needs are there. Installs what
# is missing with apt-get, through sudo when not root; does and says nothing when all is there.

set -euo pipefail

list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"

say() { printf 'sheaf: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

packages_for() { # NEED...
  awk -v needs=" $* " '!/^#/ && NF && index(needs, " " $2 " ") { print $1 }' "$list"
}

# Those that are not installed, nor provided by one that is: another vendor's package may be several of Debian's, which then
# cannot be installed beside it.
missing_of() { # PACKAGE...
  comm -23 <(printf '%s\n' "$@" | sort) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}, ${Provides}\n' | sed -n 's/^installed //p' |
      sed 's/ ([^)]*)//g; s/, */\n/g' | sort -u)
}

# Runs a command into the log. A terminal shows which line it is at.
logged() { # COMMAND...
  if [[ -t 2 ]]; then
    "$@" 2>&1 | tee "$log" | { while IFS= read -r line; do printf '\r\e[K%.72s' "$line"; done; printf '\r\e[K'; } >&2
  else
    "$@" >"$log" 2>&1
  fi
}

# Those that no package source of this machine has.
unknown_of() { # PACKAGE...
  local package
  for package in "$@"; do
    apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || echo "$package"
  done
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo -- "$@"; fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

install() { # PACKAGE...
  local by_hand="apt-get update && apt-get install --no-install-recommends $*"
  if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    die "these packages are missing, and installing them takes root or sudo. As root: $by_hand"
  fi

  log="$(mktemp)"
  trap 'rm -f "$log"' EXIT
  say "installing $* and what they need, which takes some minutes"
  logged apt_get update || say "apt-get update failed; going on with the package lists as they are"

  local unknown
  unknown="$(unknown_of "$@" | xargs)"
  if [[ $unknown ]]; then
    sed 's/^/  /' "$log" >&2
    die "no package source of this machine has: $unknown. They are in Debian 12 (bookworm), section main:" \
      "see that /etc/apt/sources.list or /etc/apt/sources.list.d names it and can be reached, then run this again"
  fi

  # Never removes what the machine has for the sake of ours.
  if ! logged apt_get install --yes --no-install-recommends --no-remove "$@"; then
    tail -n 20 "$log" | sed 's/^/  /' >&2
    die "could not install: $(missing_of "$@" | xargs). Put right what apt-get says above, or as root: $by_hand"
  fi
}

mapfile -t needed < <(packages_for "$@")
if ! command -v dpkg-query >/dev/null; then
  say "this is not Debian: going on without installing. Needed are what Debian 12 calls ${needed[*]}"
  exit 0
fi
mapfile -t missing < <(missing_of "${needed[@]}")
if ((${#missing[@]})); then
  install "${missing[@]}"
fi
