#include "tests/rules/script/words.hpp"

#include <algorithm>

namespace floe::rule_script {
namespace {

/// The word at the start of `line`, quotes included, and the line without it.
std::string cut(std::string_view& line) {
  bool quoted = false;
  std::size_t end = 0;
  while (end < line.size() && (quoted || line[end] != ' ')) quoted ^= line[end++] == '"';
  if (quoted) throw mistake("a quote is not closed");
  const std::string word(line.substr(0, end));
  line.remove_prefix(std::min(line.size(), line.find_first_not_of(' ', end)));
  return word;
}

std::string unquoted(std::string word) {
  std::erase(word, '"');
  return word;
}

}  // namespace

words::words(std::string_view line) {
  name_ = cut(line);
  while (!line.empty()) {
    const std::string word = cut(line);
    const auto equals = word.find('=');
    if (equals == word.npos || word.front() == '"')
      placed_.push_back(unquoted(word));
    else
      options_[word.substr(0, equals)] = unquoted(word.substr(equals + 1));
  }
}

std::optional<std::string> words::next() {
  if (placed_.empty()) return std::nullopt;
  std::string word = std::move(placed_.front());
  placed_.erase(placed_.begin());
  return word;
}

std::string words::next(std::string_view what) {
  if (auto word = next()) return *word;
  throw mistake(name_ + ": " + std::string(what) + " is missing");
}

std::optional<std::string> words::option(std::string_view name) {
  const auto at = options_.find(name);
  if (at == options_.end()) return std::nullopt;
  std::string value = std::move(at->second);
  options_.erase(at);
  return value;
}

bool words::flag(std::string_view flag) {
  const auto at = std::ranges::find(placed_, flag);
  if (at == placed_.end()) return false;
  placed_.erase(at);
  return true;
}

void words::finish() const {
  if (!placed_.empty()) throw mistake(name_ + ": nobody knows what \"" + placed_.front() + "\" is");
  if (!options_.empty())
    throw mistake(name_ + ": there is no \"" + options_.begin()->first + "=\"");
}

}  // namespace floe::rule_script
