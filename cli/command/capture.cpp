/// floe capture: records packets as capture lines, between clients and a daemon or from a pcap
/// file. Needs no node of its own.

#include <cerrno>
#include <cstring>
#include <memory>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/decode/input.hpp"
#include "cli/decode/node_traffic.hpp"
#include "cli/decode/relay.hpp"
#include "cli/say.hpp"
#include "cli/whole_number.hpp"

namespace floe::cli {
namespace {

struct closer {
  void operator()(std::FILE* f) const {
    if (f != stdout) std::fclose(f);
  }
};
using out_file = std::unique_ptr<std::FILE, closer>;

int from_pcap(context& c, const arguments& a, recorder& out) {
  const std::string port_text = a.has("--port") ? a["--port"] : "4379";
  const auto port = whole_number<std::uint16_t>(port_text).value_or(0);
  if (port == 0) return c.misused("--port takes a number from 1 to 65535");
  const auto file = read_whole(a["--pcap"]);
  if (!file) return c.misused(file.error());
  const auto sum = record_node_traffic(*file, port, out);
  if (!sum) return c.misused(a["--pcap"] + ": " + sum.error());
  if (!out.flush())
    return c.fail(std::string("the capture cannot be written: ") + std::strerror(errno));
  say("{} packets from {} frames, {} streams at port {}\n", out.count(), sum->file.frames,
      sum->streams, port);
  if (sum->missing > 0) say("{} bytes are not in the file\n", sum->missing);
  if (sum->file.fragments > 0) say("{} IP fragments were left out\n", sum->file.fragments);
  if (sum->file.cut_off) say("the file ends in the middle of a frame\n");
  return done;
}

int run_capture(context& c, const arguments& a) {
  const bool between = a.has("--listen") && a.has("--connect");
  if (between == a.has("--pcap") || a.has("--listen") != a.has("--connect"))
    return c.misused("give either --listen and --connect, or --pcap");
  out_file file(stdout);
  if (a.has("--out")) file.reset(std::fopen(a["--out"].c_str(), "wbe"));
  if (!file) return c.misused(a["--out"] + ": " + std::strerror(errno));
  recorder out(file.get());
  if (!between) return from_pcap(c, a, out);
  const auto clients = relay(a["--listen"], a["--connect"], out);
  if (!clients) return c.fail(clients.error());
  say("{} packets of {} clients\n", out.count(), *clients);
  return done;
}

}  // namespace

command capture_command() {
  return {
      .name = "capture",
      .group = "Protocol",
      .summary =
          "record packets: between clients and a daemon's socket, or from a pcap file of node "
          "traffic",
      .example =
          "floe capture --listen /tmp/s --connect DIR/run/ctdbd.socket --out session.jsonl\n"
          "  CTDB_SOCKET=/tmp/s ctdb status   # with CTDB_TEST_MODE=yes; or any client that can "
          "be told a socket\n"
          "  floe capture --pcap nodes.pcap > nodes.jsonl\n"
          "SIGINT or SIGTERM ends it. `floe decode` prints what was recorded.",
      .options = {{"--listen", "PATH", "socket to make for clients"},
                  {"--connect", "PATH", "socket of the daemon"},
                  {"--pcap", "FILE", "pcap file instead of sockets; - is standard input"},
                  {"--port", "PORT", "TCP port of the nodes in the pcap file (4379)"},
                  {"--out", "FILE", "where the lines go; else standard output"}},
      .run = run_capture};
}

}  // namespace floe::cli
