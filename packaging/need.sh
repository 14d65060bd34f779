# Installs the Debian packages that are missing among the arguments. Whatever needs a service starts its own: none that a package brings
# is left running or enabled.
need() {
  local missing=() package enabled status=0
  for package in "$@"; do dpkg-query -W -f='${db:Status-Status}' "$package" 2> /dev/null | grep -qx installed || missing+=("$package"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || { echo "build.sh: Debian packages are missing; install them as root: apt-get install ${missing[*]}" >&2; return 1; }
  echo "installing: ${missing[*]}"
  apt-get update -qq
  enabled=$(enabled_units)
  install_packages "${missing[@]}" || status=$?
  comm -13 <(echo "$enabled") <(enabled_units) | xargs -r systemctl disable --now || echo "build.sh: a service that came with these packages could not be disabled; look at it" >&2
  return $status
}

# None where systemd does not run: what is enabled there starts nothing.
enabled_units() { [ ! -d /run/systemd/system ] || systemctl list-unit-files --state=enabled --no-legend --no-pager | cut -d ' ' -f 1 | sort; }

# Under a policy that lets no service start, unless the machine has one of its own; however it ends, that is gone.
install_packages() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ] && [ ! -L "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" > /dev/null
)
