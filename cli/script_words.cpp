#include "cli/script_words.hpp"

namespace floe::cli {

std::expected<std::vector<std::string>, std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] == ' ' || line[i] == '\t' || line[i] == '\r') {
      ++i;
      continue;
    }
    if (line[i] == '#') break;
    std::string word;
    while (i < line.size() && line[i] != ' ' && line[i] != '\t' && line[i] != '\r') {
      if (line[i] != '\'' && line[i] != '"') {
        word += line[i++];
        continue;
      }
      const auto end = line.find(line[i], i + 1);
      if (end == std::string_view::npos) return std::unexpected("a quote is not closed");
      word += line.substr(i + 1, end - i - 1);
      i = end + 1;
    }
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace floe::cli
