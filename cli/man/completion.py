#!/usr/bin/env python3
"""Prints the completion of `floe` for bash, from what the program says of its commands (`floe help --json`): commands,
subcommands and options from there, databases and nodes from the node that is at hand, drills and names that `floe explain`
knows from the program.

usage: completion.py PROGRAM
"""
import json
import subprocess
import sys

# What completes an argument or the value of an option: by the name that the help gives it.
LISTS = {"DB": "databases", "DATABASE": "databases", "DRILL": "drills", "PNN": "nodes", "NAME": "names", "DIR": "folders",
         "FILE": "files", "PATH": "files", "TUNABLE": "tunables", "VARIABLE": "tunables"}
FIXED = """
_floe_node() {  # the options that name the node, as they stand on the line
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in --base | --socket) printf '%s\\n' "${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}" ;; esac
  done
}
_floe_asked() {  # what the node at hand says, names in quotes; nothing if it does not answer at once
  local where
  mapfile -t where < <(_floe_node)
  "${COMP_WORDS[0]}" "${where[@]}" --timeout 1 --json "$@" 2>/dev/null
}
_floe_list() {
  case $1 in
    databases) _floe_asked getdbmap | grep -o '"name": *"[^"]*"' | cut -d'"' -f4 ;;
    nodes) _floe_asked listnodes | grep -o '"\\(pnn\\|node\\)": *[0-9]*' | tr -dc '0-9\\n' | sort -nu; echo all ;;
    drills) "${COMP_WORDS[0]}" drill list --json 2>/dev/null | grep -o '"name": *"[^"]*"' | cut -d'"' -f4 ;;
    tunables) "${COMP_WORDS[0]}" help --names 2>/dev/null | grep '^[A-Z][a-z]' ;;
    names) "${COMP_WORDS[0]}" help --names 2>/dev/null ;;
  esac
}
"""
MAIN = """
_floe() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} path=floe place=0 word i wanted=""
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do  # which command this is, and which of its arguments comes now
    word=${COMP_WORDS[i]}
    if [[ -n ${_floe_values["$path $word"]-${_floe_values["floe $word"]-}} ]]; then
      i=$((i + 1))
    elif [[ $word == -* ]]; then
      :
    elif [[ -n ${_floe_words["$path $word"]+there} ]]; then
      path="$path $word" place=0
    else
      place=$((place + 1))
    fi
  done
  if [[ -n ${_floe_values["$path $before"]-${_floe_values["floe $before"]-}} ]]; then
    wanted=${_floe_values["$path $before"]-${_floe_values["floe $before"]-}}
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "${_floe_options["$path"]-} ${_floe_options[floe]}" -- "$current")
    return
  elif [[ -n ${_floe_words["$path"]-} ]]; then
    mapfile -t COMPREPLY < <(compgen -W "${_floe_words["$path"]}" -- "$current")
    return
  else
    local -a arguments
    read -r -a arguments <<<"${_floe_arguments["$path"]-}"
    ((place >= ${#arguments[@]} && ${#arguments[@]} > 0)) && [[ ${arguments[-1]} == *... ]] && place=$((${#arguments[@]} - 1))
    wanted=${arguments[place]-}
    wanted=${wanted%...}
  fi
  case $wanted in
    "" | none) ;;
    files) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    folders) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$(_floe_list "$wanted")" -- "$current") ;;
  esac
}
complete -F _floe floe
"""


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def listed(name):
    return LISTS.get(name.upper(), "none")


def rows(path, command):
    """(array, key, value) for a command and its subcommands."""
    key = path
    yield "words", key, " ".join(c["name"] for c in command.get("subcommands", command.get("commands", [])))
    options = command["options"]
    yield "options", key, " ".join(name for o in options for name in o["name"].split(","))
    yield "arguments", key, " ".join(listed(p["name"]) + ("..." if p["many"] else "") for p in command.get("positionals", []))
    for o in options:
        if o["value"]:
            for name in o["name"].split(","):
                yield "values", f"{path} {name}", listed(o["value"])
    for sub in command.get("subcommands", command.get("commands", [])):
        yield from rows(f"{path} {sub['name']}", sub)


def completion(told):
    top = {"commands": told["commands"], "options": told["global_options"] + [{"name": "--help", "value": ""}]}
    out = ["# Completion of floe for bash; made from the program by cli/man/completion.py.",
           "declare -gA _floe_words=() _floe_options=() _floe_arguments=() _floe_values=()"]
    for array, key, value in rows("floe", top):
        if value or array == "words":
            out.append(f"_floe_{array}[{quoted(key)}]={quoted(value)}")
    return "\n".join(out) + FIXED + MAIN


if __name__ == "__main__":
    told_by = subprocess.run([sys.argv[1], "help", "--json"], check=True, capture_output=True, text=True).stdout
    sys.stdout.write(completion(json.loads(told_by)))
