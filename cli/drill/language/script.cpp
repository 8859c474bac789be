#include "cli/drill/language/script.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/duration_text.hpp"
#include "cli/script_words.hpp"
#include "cli/suggest.hpp"
#include "protocol/tunables.hpp"

namespace floe::cli::drill {
namespace {

const verb* find_verb(std::string_view name, bool of_client) {
  for (const auto& v : all_verbs())
    if (name == v.name && v.of_client == of_client) return &v;
  return nullptr;
}

std::string unknown_word(std::string_view what, std::string_view word, bool of_client) {
  std::vector<std::string_view> names;
  for (const auto& v : all_verbs())
    if (v.of_client == of_client) names.emplace_back(v.name);
  const auto near = closest(word, names);
  return fmt::format("{} `{}`{}", what, word,
                     near ? fmt::format("; did you mean {}?", *near) : "; `floe drill help` lists all");
}

class reader {
 public:
  reader(std::string name, std::string_view text) : text_(text) { made_.name = std::move(name); }

  std::expected<script, std::string> read() {
    std::vector<statement> body;
    if (!block(body, nullptr)) return std::unexpected(error_);
    if (!clustered_ && body.empty()) return std::unexpected(made_.name + ":1: the drill is empty");
    made_.body = std::move(body);
    return std::move(made_);
  }

 private:
  bool bad(unsigned line, const std::string& why) {
    error_ = fmt::format("{}:{}: {}", made_.name, line, why);
    return false;
  }

  /// The next line with words on it; false at the end. Comments before the first verb are the story.
  bool next(std::vector<std::string>& out) {
    while (position_ < text_.size()) {
      const auto end = std::min(text_.find('\n', position_), text_.size());
      line_text_ = text_.substr(position_, end - position_);
      position_ = end + 1;
      ++line_;
      const auto words = split_words(line_text_);
      if (!words) {
        bad(line_, words.error());
        return false;
      }
      if (!words->empty()) {
        head_ = false;
        out = *words;
        return true;
      }
      if (head_ && line_text_.starts_with('#')) tell(line_text_.substr(1));
    }
    return false;
  }
  void tell(std::string_view text) {
    if (text.starts_with(' ')) text.remove_prefix(1);
    if (made_.title.empty()) made_.title = text;
    made_.story += std::string(text) + "\n";
  }

  /// Up to the end of the text, or of the block that `opened` began. Reads the choices of a `one of`.
  bool block(std::vector<statement>& into, statement* opened) {
    std::vector<std::string> line;
    while (next(line)) {
      statement s{.line = line_, .text = std::string(trimmed(line_text_))};
      const bool attempt = line.front() == "try";
      if (attempt) line.erase(line.begin());
      if (attempt && line.empty()) return bad(line_, "expected a verb after `try`, but the line ends there");
      s.may_fail = attempt;
      line_parser w(line, names_);
      const auto first = w.word("a verb");
      const bool speaks = names_.knows_client(first);
      const auto second = speaks ? w.word("what the client does") : std::string();
      if (w.error()) return bad(line_, *w.error());
      const auto* v = find_verb(speaks ? second : first, speaks);
      if (!v) return bad(line_, speaks ? unknown_word("a client cannot", second, true) : unknown_word("no such verb:", first, false));
      s.is = v->is;
      if (attempt && v->is != verb::kind::plain) return bad(line_, fmt::format("`try` stands before what is done, not before `{}`", first));
      switch (v->is) {
        case verb::kind::cluster:
          if (!cluster(w)) return false;
          continue;
        case verb::kind::end:
        case verb::kind::either:
          w.end();
          if (w.error()) return bad(line_, *w.error());
          if (!opened || (v->is == verb::kind::either && opened->is != verb::kind::one_of))
            return bad(line_, fmt::format("`{}` without a block that it belongs to", first));
          ended_by_ = v->is;
          return true;
        case verb::kind::repeat:
          s.times = w.count(1, 1'000'000, "how often, a number");
          break;
        case verb::kind::one_of: w.expect("of"); break;
        case verb::kind::attempt: break;  // taken before
        case verb::kind::plain:
          if (speaks) {
            line_parser again(line, names_);  // the verbs of clients read the name themselves
            s.act = v->read(again);
            again.end();
            if (again.error()) return bad(line_, *again.error());
            s.needs = again.needed();
          } else {
            s.act = v->read(w);
            s.needs = w.needed();
          }
          break;
      }
      if (!speaks) w.end();
      if (w.error()) return bad(line_, *w.error());
      started_ = true;
      if ((s.is == verb::kind::repeat || s.is == verb::kind::one_of) && !choices(s)) return false;
      into.push_back(std::move(s));
    }
    if (!error_.empty()) return false;
    if (opened) return bad(opened->line, fmt::format("`{}` has no `end`", opened->text));
    return true;
  }

  bool choices(statement& s) {
    do {
      s.blocks.emplace_back();
      if (!block(s.blocks.back(), &s)) return false;
    } while (ended_by_ == verb::kind::either);
    return true;
  }

  bool cluster(line_parser& w) {
    if (started_ || clustered_) return bad(line_, "`cluster` comes once, before everything else");
    clustered_ = true;
    made_.cluster = trimmed(line_text_);
    for (const auto& [name, value] : w.settings()) {
      const auto n = parse_count(value);
      if (name == "bound") {
        const auto d = parse_duration(value);
        if (!d) return bad(line_, "bound= takes a duration such as 60s: " + value);
        made_.bound = *d;
        continue;
      }
      if (name == "lock") {
        if (value != "yes" && value != "no") return bad(line_, "lock= takes yes or no: " + value);
        made_.cluster_lock = names_.cluster_lock = value == "yes";
        continue;
      }
      if (!n || *n > UINT32_MAX) return bad(line_, fmt::format("{}= takes a number: {}", name, value));
      if (name == "nodes") {
        if (*n < 1 || *n > 16) return bad(line_, "nodes= takes a number from 1 to 16: " + value);
        made_.nodes = names_.nodes = *n;
      } else if (name == "seed") {
        made_.seed = *n;
      } else if (find_tunable(name)) {
        made_.tunables.emplace_back(name, static_cast<std::uint32_t>(*n));
      } else
        return bad(line_, fmt::format("expected nodes=, seed=, bound=, lock= or a tunable, found `{}=`", name));
    }
    if (w.error()) return bad(line_, *w.error());
    return true;
  }

  static std::string_view trimmed(std::string_view t) {
    const auto begin = t.find_first_not_of(" \t");
    t = begin == std::string_view::npos ? std::string_view() : t.substr(begin);
    return t.substr(0, t.find_last_not_of(" \t\r") + 1);
  }

  std::string_view text_, line_text_;
  script made_;
  scope names_;
  std::string error_;
  std::size_t position_ = 0;
  unsigned line_ = 0;
  bool head_ = true, started_ = false, clustered_ = false;
  verb::kind ended_by_ = verb::kind::end;
};

}  // namespace

std::expected<script, std::string> read_script(const std::string& name, std::string_view text) {
  return reader(name, text).read();
}

}  // namespace floe::cli::drill
