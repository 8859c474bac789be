#include "cli/successors.hpp"

#include <algorithm>
#include <array>

namespace floe::cli {
namespace {

constexpr std::string_view no_addresses = "floe moves no public addresses";
constexpr std::string_view no_scripts = "floe has no event scripts";

constexpr std::array all{
    successor{"recmaster", "here it is `floe leader`"},
    successor{"setrecmasterrole", "here it is `floe setleaderrole`"},
    successor{
        "tstore",
        "it writes into a database's file, and a node's files are its own: use `floe writekey` "
        "or `floe pstore`"},
    successor{"ip", no_addresses},
    successor{"ipinfo", no_addresses},
    successor{"ifaces", no_addresses},
    successor{"addip", no_addresses},
    successor{"delip", no_addresses},
    successor{"moveip", no_addresses},
    successor{"reloadips", no_addresses},
    successor{"setifacelink", no_addresses},
    successor{"gratarp", no_addresses},
    successor{"ipreallocate", no_addresses},
    successor{"sync", no_addresses},
    successor{"tickle", no_addresses},
    successor{"gettickles", no_addresses},
    successor{"addtickle", no_addresses},
    successor{"deltickle", no_addresses},
    successor{"lvs", no_addresses},
    successor{"natgw", no_addresses},
    successor{"event", no_scripts},
    successor{"eventscript", no_scripts},
    successor{"scriptstatus", no_scripts},
    successor{"nodes", "here it is `floe listnodes`"},
    successor{"checktcpport", "use `ss -ltn`"},
    successor{"dumpmemory", "what a node keeps is under `held` in `floe status --json`"},
    successor{"rddumpmemory", "what a node keeps is under `held` in `floe status --json`"},
    successor{"version", "here it is `floe --version`"},
};

}  // namespace

std::string_view successor_of(std::string_view verb) {
  const auto i = std::ranges::find(all, verb, &successor::verb);
  return i == all.end() ? std::string_view() : i->instead;
}

}  // namespace floe::cli
