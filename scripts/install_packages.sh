#!/usr/bin/env bash
# Installs the Debian packages that a purpose needs, and nothing that is there already.
#
#   scripts/install_packages.sh [--print] PURPOSE...      PURPOSE: build demo test bench check
#
# The lists below are the only place where packages are named. When everything is there it says
# nothing, asks nobody and touches no network. It starts no service. Without the privilege to
# install it names the one command that an administrator has to run, and ends with 3.
set -euo pipefail

build=(g++ cmake ninja-build ccache pkg-config libcli11-dev libfmt-dev nlohmann-json3-dev libmnl-dev
       libssl-dev)
demo=("${build[@]}" curl iproute2)
test=("${demo[@]}" libgtest-dev librapidcheck-dev libbenchmark-dev python3
      netcat-openbsd iperf3 wrk tshark)
bench=("${test[@]}" nginx)
check=("${build[@]}" python3 clang-format-19 clang-tidy-19 clang-19 libclang-rt-19-dev)

usage() {
  echo "usage: $0 [--print] build|demo|test|bench|check..." >&2
  exit 2
}

# The packages of the purposes named, each once.
packages_for() {
  local purpose
  for purpose in "$@"; do
    case $purpose in
      build) printf '%s\n' "${build[@]}" ;;
      demo) printf '%s\n' "${demo[@]}" ;;
      test) printf '%s\n' "${test[@]}" ;;
      bench) printf '%s\n' "${bench[@]}" ;;
      check) printf '%s\n' "${check[@]}" ;;
      *) usage ;;
    esac
  done | sort -u
}

# Of the packages on standard input, those that are not installed.
missing_among() {
  local package
  while read -r package; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
      echo "$package"
  done
}

# Debian starts a service as it installs it, unless /usr/sbin/policy-rc.d forbids it. Forbid it while
# this script installs; one that somebody else put there is left as it is.
policy=/usr/sbin/policy-rc.d
forbid_services() {
  [[ -e $policy ]] && return
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
}

install_all() {
  export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -q)
  forbid_services
  "${apt[@]}" update || echo "$0: apt-get update failed; trying with the lists there are" >&2
  "${apt[@]}" install --yes --no-install-recommends "$@" </dev/null
}

only_print=
if [[ ${1-} == --print ]]; then
  only_print=yes
  shift
fi
[[ $# -gt 0 ]] || usage
wanted=$(packages_for "$@") || exit $?
if [[ -n $only_print ]]; then
  echo "$wanted"
  exit 0
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "$0: this is not Debian, so nothing was installed. Needed, by their Debian names:" >&2
  echo "  ${wanted//$'\n'/ }" >&2
  exit 0
fi

mapfile -t missing < <(missing_among <<<"$wanted")
[[ ${#missing[@]} -gt 0 ]] || exit 0

if [[ $(id -u) -eq 0 ]]; then
  echo "Installing: ${missing[*]}"
  install_all "${missing[@]}"
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
  echo "Packages are missing; installing them with sudo: ${missing[*]}"
  exec sudo -- "$0" "$@"
else
  echo "$0: packages are missing, and only an administrator can install them. As root, run:" >&2
  echo "  apt-get update && apt-get install --yes --no-install-recommends ${missing[*]}" >&2
  exit 3
fi
