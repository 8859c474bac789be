/// floe decode: what packets say, and whether capture files are right. Needs no node.
#include <fmt/format.h>

#include "cli/command/all.hpp"
#include "cli/context.hpp"
#include "cli/decode/check.hpp"
#include "cli/decode/input.hpp"
#include "cli/decode/lookup.hpp"
#include "cli/decode/show.hpp"
#include "cli/output.hpp"
#include "protocol/packet.hpp"

namespace floe::cli {
namespace {

int check_files(context& c, const std::vector<std::string>& files) {
  std::size_t lines = 0;
  std::size_t bad_lines = 0;
  for (const auto& file : files) {
    const auto content = read_whole(file);
    if (!content) return c.misused(content.error());
    const auto all = parse_captures(*content);
    if (!all) return c.misused(file + ": " + all.error());
    for (const auto& line : *all) {
      const auto found = check_line(line);
      ++lines;
      bad_lines += found.empty() ? 0 : 1;
      for (const auto& d : found)
        print(fmt::format("{}: line {}: {}: {}\n", file, line.number, line.id(), d.line()));
    }
  }
  print(fmt::format("{} packets, {} differ from their lines\n", lines, bad_lines));
  return bad_lines == 0 ? done : failed;
}

int run_decode(context& c, const arguments& a) {
  auto inputs = a.all("INPUT");
  if (inputs.empty()) inputs.emplace_back("-");
  if (a.has("--check")) return check_files(c, inputs);
  auto format = input_format::detect;
  if (a.has("--format")) {
    const auto named = input_format_of(a["--format"]);
    if (!named) return c.misused("--format is hex, binary or capture");
    format = *named;
  }
  std::optional<control> answers;
  if (a.has("--answers")) {
    const control_info* row = control_called(a["--answers"]);
    if (row == nullptr)
      return c.misused("--answers: no such control: " + a["--answers"] +
                       "; `floe explain` finds names");
    answers = row->opcode;
  }
  std::vector<packet_input> packets;
  for (const auto& input : inputs) {
    const auto content = read_argument(input);
    if (!content) return c.misused(content.error());
    auto some = packets_in(*content, format);
    const auto name = input == "-" ? std::string("standard input") : input.substr(0, 60);
    if (!some) return c.misused(name + ": " + some.error());
    if (some->empty()) return c.misused(name + ": no packet in it");
    for (auto& p : *some) packets.push_back(std::move(p));
  }
  find_opcodes(packets);
  bool all_good = true;
  std::size_t number = 0;
  for (auto& p : packets) {
    if (!p.answered) p.answered = answers;
    all_good = all_good && (p.broken_on_purpose || decode_packet(p.packet));
    ++number;
    if (c.options.json)
      print(packet_for_programs(p) + "\n");
    else
      print((number > 1 ? "\n" : "") + packet_for_people(p, number, colours_wanted()));
  }
  return all_good ? done : failed;
}

}  // namespace

command decode_command() {
  return {
      .name = "decode",
      .group = "Protocol",
      .summary =
          "what packets say, field by field; --check compares capture files with their packets",
      .example =
          "floe decode 4000000042445443...\n  floe decode --json packets.bin\n  floe decode "
          "--check tests/golden/*.jsonl\n"
          "Exit status: 0 all packets are good, 1 a packet is broken or differs from its line, 2 "
          "unreadable input.",
      .positionals = {{"INPUT",
                       "hex digits, or a file of hex, binary packets or capture lines; standard "
                       "input if none or -",
                       false, true}},
      .options = {{"--format", "FORMAT", "hex, binary or capture; else found out"},
                  {"--answers", "CONTROL",
                   "the control, by name or opcode, that replies without a request answer"},
                  {"--check", nullptr, "compare all lines of capture files with their packets"}},
      .run = run_decode};
}

}  // namespace floe::cli
