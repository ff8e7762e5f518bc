#!/bin/bash
# Keeps the addresses of cluster services in the node's /etc/hosts, so that the
# container runtime, which does not ask the cluster's DNS, finds them.
#
# SERVICES        names to keep, separated by commas or spaces
# NAMESERVER      the address of the DNS service
# CLUSTER_DOMAIN  the domain under which the services have names
set -u

hosts=/etc/hosts
next=/tmp/hosts.tmp
mark='# openshift-generated-node-resolver'
pause=60

address='[0-9]+(\.[0-9]+){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]+'

trap 'jobs -p | xargs -r kill; exit 0' TERM

# The addresses of a name, or failure when no answer has any. Over TCP too: a
# large answer, or a lossy network, must not empty the file.
addresses() {
  local name=$1 answer
  for options in '-t A' '-t AAAA' '-t A +tcp +retry=0' '-t AAAA +tcp +retry=0'; do
    # shellcheck disable=SC2086 # the options are words
    answer=$(dig ${options} "@${NAMESERVER}" +short "${name}" 2>/dev/null | grep -xE "${address}")
    if [[ -n ${answer} ]]; then
      echo "${answer}"
      return 0
    fi
  done
  return 1
}

# Writes the file as it should be to ${next}. Fails when nothing resolved: stale
# addresses are better than none.
compose() {
  local service name line found=1
  grep -v "${mark}\$" "${hosts}" >"${next}"
  [[ $? -le 1 ]] || return 1
  for service in ${SERVICES//,/ }; do
    name="${service}.${CLUSTER_DOMAIN:-cluster.local}"
    while read -r line; do
      [[ -n ${line} ]] || continue
      echo "${line} ${service} ${name} ${mark}" >>"${next}" || return 1
      found=0
    done < <(addresses "${name}")
  done
  return "${found}"
}

# A copy of the file gives the temporary one its owner and mode.
cp -f --attributes-only "${hosts}" "${next}" || exit 1

while true; do
  if [[ -z ${NAMESERVER:-} ]]; then
    echo 'the DNS service has no address yet' >&2
  elif compose && ! cmp -s "${next}" "${hosts}"; then
    # The file is a mount of its own and cannot be replaced, only written.
    cp -f "${next}" "${hosts}"
  fi
  sleep "${pause}" &
  wait
done
