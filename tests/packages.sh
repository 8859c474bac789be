# shellcheck shell=bash
# Sourced by whatever builds here (cli/quickstart, tests/run, tests/bench/compare, .ci/hunt): the packages of tests/packages.txt,
# and build directories.
# The caller has set `top` to the root of the checkout. Everything is safe to repeat, needs neither terminal nor
# standard input, and says what it does on standard error, so that standard output belongs to the program.

: "${top:?}"

say() { printf '%s\n' "floe: $*" >&2; }
die() { say "$*"; exit 1; }

# package_names KIND...: the packages of these kinds, one per line
package_names() {
  local kind
  for kind in "$@"; do
    awk -v kind="$kind" '$1 == kind { print $2 }' "$top/tests/packages.txt"
  done
}

# missing_packages NAME...: those that are not installed
missing_packages() {
  local name
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s\n' "$name"
  done
}

# as_root COMMAND...: as it is when we are root, else through sudo, which may ask only where there is somebody to answer
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif [ -t 0 ] && [ -t 2 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# install_packages KIND...: installs what is missing of these kinds; asks nobody and touches no network if all is there
install_packages() {
  local names missing status=0
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "this is no Debian system (there is no apt-get); install by hand what tests/packages.txt lists"
    return 1
  fi
  mapfile -t names < <(package_names "$@")
  mapfile -t missing < <(missing_packages "${names[@]}")
  [ "${#missing[@]}" -gt 0 ] || return 0

  if ! as_root true 2>/dev/null; then
    say "neither root nor able to use sudo; have somebody run: apt-get install ${missing[*]}"
    return 1
  fi
  say "installing ${missing[*]}"
  # The package lists of a fresh machine are empty or old. Without a network the cache may still do.
  apt_get update || say "the package lists could not be renewed; going on with those that are here"
  without_services apt_get install --yes --no-install-recommends "${missing[@]}" || status=$?
  [ "$status" -eq 0 ] || { say "apt-get could not install ${missing[*]}"; return 1; }

  # A daemon's unit is enabled by its package and would run from the next boot on. Who had it before, keeps it.
  local package service
  for package in ctdb:ctdb samba:smbd samba:nmbd samba:samba-ad-dc samba-ad-dc:samba-ad-dc winbind:winbind prometheus:prometheus \
    prometheus-node-exporter:prometheus-node-exporter; do
    service=${package#*:}
    [[ " ${missing[*]} " == *" ${package%:*} "* ]] || continue
    as_root update-rc.d "$service" disable >/dev/null 2>&1 || say "note: could not disable the service $service"
  done
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2
}

# without_services COMMAND...: runs it while Debian's policy-rc.d forbids that an installed package starts its service
without_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [ -e "$policy" ]; then
    "$@" || status=$?
    return "$status"
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
  "$@" || status=$?
  as_root rm -f "$policy"
  trap - EXIT
  return "$status"
}

# packages_here: those of tests/packages.txt that are installed, with their versions, in one line
packages_here() {
  local names
  mapfile -t names < <(awk '/^[a-z]/ { print $2 }' "$top/tests/packages.txt")
  dpkg-query -W -f '${Package}=${Version} ' "${names[@]}" 2>/dev/null || true
}

# configure DIR OPTION...: a build directory with these options. It is left alone if it has them already and the same
# packages are there as then (what was optional is looked for only here), configured again if packages came, went or
# changed, and made anew if it was made for another place (a moved checkout) or was interrupted half way.
configure() {
  local dir=$1 wish packages made_for made_with
  shift
  wish="$top $*"
  packages=$(packages_here)
  # as it was written, with the space at its end
  { IFS= read -r made_for && IFS= read -r made_with; } 2>/dev/null <"$dir/.configured" || true
  if [ -e "$dir/build.ninja" ] && [ "${made_for-}" = "$wish" ]; then
    [ "${made_with-}" != "$packages" ] || return 0
    say "configuring ${dir#"$top"/} again: other packages are there than before"
    rm -f "$dir/.configured"
    meson configure --clearcache "$dir" </dev/null >&2 || return 1
    meson setup --reconfigure "$dir" "$top" "$@" </dev/null >&2 || return 1
  else
    say "configuring ${dir#"$top"/}"
    if [ -e "$dir/build.ninja" ] && [ ! -e "$dir/.configured" ]; then
      meson setup --reconfigure "$dir" "$top" "$@" </dev/null >&2 || return 1
    else
      rm -rf "$dir"
      meson setup "$dir" "$top" "$@" </dev/null >&2 || return 1
    fi
  fi
  printf '%s\n' "$wish" "$packages" >"$dir/.configured"
}

# The optimised build, asserts on: what quickstart runs and what the interop tests test. -O2, because g++ 12 warns
# at -O3 of things that are not there.
configure_release() { configure "$top/build" -Doptimization=2 -Ddebug=false -Db_ndebug=false; }

# The build of the unit tests; -g1 is enough for the sanitizers' stack traces. With clang, if it is there: it needs less time than g++
# (half of it for large sources), and sees other mistakes than g++ in the optimised build. A library of clang's finds the sanitizers in the program.
configure_debug() {
  local compiler=()
  if command -v clang++-19 >/dev/null; then
    compiler=(--native-file "$top/tests/clang.ini" -Db_lundef=false)
  fi
  configure "$top/build-debug" --buildtype=debug -Db_ndebug=false -Db_sanitize=address,undefined -Dcpp_args=-g1 "${compiler[@]}"
}
