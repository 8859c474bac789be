/// Plays rule scripts: rule_scripts [--rewrite] [FILE...], all of tests/rules/*.txt where none is named. Exit 0: all is
/// as expected. With --rewrite what happens becomes what is expected; review the change like code.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/rules/script/script.hpp"
#include "tests/rules/script/verb.hpp"

using namespace floe::rule_script;

namespace {

std::vector<std::filesystem::path> all_scripts() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(FLOE_RULE_SCRIPTS))
    if (entry.path().extension() == ".txt") found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

bool play_file(const std::filesystem::path& path, bool rewrite) {
  try {
    const auto result = play(path, read_script(path));
    if (result.differences.empty()) return true;
    std::fputs(result.differences.c_str(), stdout);
    if (rewrite) {
      std::ofstream(path) << result.rewritten;
      std::printf("%s: rewritten\n", path.c_str());
    }
    return false;
  } catch (const mistake& e) {
    std::printf("%s\n", e.what());
    return false;
  }
}

}  // namespace

int main(int argc, char** argv) {
  bool rewrite = false;
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--rewrite") {
      rewrite = true;
    } else if (arg.starts_with('-')) {
      std::printf("usage: rule_scripts [--rewrite] [FILE...]\n\nverbs:\n");
      for (const auto* v : verbs()) std::printf("  %s\n", std::string(v->usage).c_str());
      return arg == "--help" ? 0 : 2;
    } else {
      files.emplace_back(arg);
    }
  }
  if (files.empty()) files = all_scripts();
  std::size_t bad = 0;
  for (const auto& f : files) bad += play_file(f, rewrite) ? 0 : 1;
  std::printf("%zu rule scripts, %zu of them otherwise than expected\n", files.size(), bad);
  return bad == 0 && !files.empty() ? 0 : 1;
}
