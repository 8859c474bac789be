#include "cli/drill/language/script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/plain_file.hpp"
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
  return fmt::format(
      "{} `{}`{}", what, word,
      near ? fmt::format("; did you mean {}?", *near) : "; `floe drill help` lists all");
}

/// What `cluster` does not know.
std::string unknown_setting(std::string_view name) {
  std::vector<std::string_view> names{"nodes", "seed", "bound", "lock", "quorum", "freeze"};
  for (const auto& t : all_tunables()) names.push_back(t.name);
  const auto near = closest(name, names);
  return fmt::format(
      "expected nodes=, seed=, bound=, lock=, quorum=, freeze= or a tunable, found `{}=`{}", name,
      near ? fmt::format("; did you mean {}=?", *near) : "");
}

class reader {
 public:
  reader(std::string name, std::string_view text) : text_(text) { made_.name = std::move(name); }

  std::expected<script, std::string> read() {
    std::vector<statement> body;
    block(body, nullptr);
    if (errors_.empty() && !clustered_ && body.empty())
      errors_ = made_.name + ":1: the drill is empty";
    if (!errors_.empty()) return std::unexpected(errors_);
    made_.body = std::move(body);
    return std::move(made_);
  }

 private:
  enum class read_line : std::uint8_t { good, nothing, end_of_block };

  /// Reading goes on behind a mistake, so that all are told at once.
  read_line bad(unsigned line, const std::string& why) {
    errors_ += fmt::format("{}{}:{}: {}", errors_.empty() ? "" : "\n", made_.name, line, why);
    return read_line::nothing;
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
      } else if (!words->empty()) {
        head_ = false;
        out = *words;
        return true;
      } else if (head_ && line_text_.starts_with('#')) {
        tell(line_text_.substr(1));
      } else {
        head(trimmed(line_text_));
      }
    }
    return false;
  }
  /// Comments in lines that follow each other are the heading of what follows them.
  void head(std::string_view comment) {
    if (!comment.starts_with('#')) return heading_.clear();
    const auto text = trimmed(comment.substr(1));
    heading_ += (heading_.empty() || text.empty() ? "" : " ") + std::string(text);
  }
  void tell(std::string_view text) {
    if (text.starts_with(' ')) text.remove_prefix(1);
    if (made_.title.empty()) made_.title = text;
    made_.story += std::string(text) + "\n";
  }

  static bool opens(verb::kind k) { return k == verb::kind::repeat || k == verb::kind::one_of; }

  /// Up to the end of the text, or of the block that `opened` began.
  void block(std::vector<statement>& into, statement* opened) {
    std::vector<std::string> words;
    while (next(words)) {
      statement s{.line = line_,
                  .text = std::string(trimmed(line_text_)),
                  .heading = std::exchange(heading_, {})};
      const auto found = line(std::move(words), s, opened);
      if (found == read_line::end_of_block) return;
      if (opens(s.is)) choices(s);
      if (found == read_line::good) into.push_back(std::move(s));
    }
    if (opened) bad(opened->line, fmt::format("`{}` has no `end`", opened->text));
  }

  /// The blocks of a `repeat` or `one of`, also of one whose own line has a mistake.
  void choices(statement& s) {
    do {
      ended_by_ = verb::kind::end;
      s.blocks.emplace_back();
      block(s.blocks.back(), &s);
    } while (ended_by_ == verb::kind::either);
  }

  read_line line(std::vector<std::string> words, statement& s, const statement* opened) {
    const bool attempt = words.front() == "try";
    if (attempt) words.erase(words.begin());
    if (attempt && words.empty())
      return bad(line_, "expected a verb after `try`, but the line ends there");
    s.may_fail = attempt;
    line_parser w(words, names_);
    const auto first = w.word("a verb");
    const bool speaks = names_.knows_client(first);
    const auto second = speaks ? w.word("what the client does") : std::string();
    if (w.error()) return bad(line_, *w.error());
    const auto* v = find_verb(speaks ? second : first, speaks);
    if (!v && !speaks && words.size() > 1 && find_verb(words[1], true))
      return bad(line_, fmt::format("no client `{0}` is there: a line above introduces it, as in "
                                    "`client {0} on 0`",
                                    first));
    if (!v)
      return bad(line_, speaks ? unknown_word("a client cannot", second, true)
                               : unknown_word("no such verb:", first, false));
    s.is = v->is;
    if (attempt && v->is != verb::kind::plain)
      return bad(line_, fmt::format("`try` stands before what is done, not before `{}`", first));
    switch (v->is) {
      case verb::kind::cluster: return cluster(w);
      case verb::kind::end:
      case verb::kind::either:
        w.end();
        if (w.error()) return bad(line_, *w.error());
        if (!opened || (v->is == verb::kind::either && opened->is != verb::kind::one_of))
          return bad(line_, fmt::format("`{}` without a block that it belongs to", first));
        ended_by_ = v->is;
        return read_line::end_of_block;
      case verb::kind::repeat: s.times = w.count(1, 1'000'000, "how often, a number"); break;
      case verb::kind::one_of: w.expect("of"); break;
      case verb::kind::attempt: break;  // taken before
      case verb::kind::plain:
        if (speaks) return of_client(*v, words, s);
        s.act = v->read(w);
        s.needs = w.needed();
        break;
    }
    w.end();
    if (w.error()) return bad(line_, *w.error());
    started_ = true;
    return read_line::good;
  }

  /// The verbs of clients read the name themselves.
  read_line of_client(const verb& v, const std::vector<std::string>& words, statement& s) {
    line_parser w(words, names_);
    s.act = v.read(w);
    w.end();
    if (w.error()) return bad(line_, *w.error());
    s.needs = w.needed();
    started_ = true;
    return read_line::good;
  }

  read_line cluster(line_parser& w) {
    if (started_ || clustered_) return bad(line_, "`cluster` comes once, before everything else");
    clustered_ = true;
    made_.cluster = trimmed(line_text_);
    for (const auto& [name, value] : w.settings()) setting(name, value);
    if (w.error()) return bad(line_, *w.error());
    return read_line::nothing;
  }

  void setting(const std::string& name, const std::string& value) {
    const auto n = parse_count(value);
    if (name == "bound") {
      const auto d = parse_duration(value);
      if (!d) return void(bad(line_, "bound= takes a duration such as 60s: " + value));
      made_.bound = *d;
    } else if (name == "lock") {
      if (value != "yes" && value != "no")
        return void(bad(line_, "lock= takes yes or no: " + value));
      made_.cluster_lock = names_.cluster_lock = value == "yes";
    } else if (name == "quorum") {
      const auto rule = quorum_named(value);
      if (!rule) return void(bad(line_, "quorum= takes lock, none or majority: " + value));
      made_.quorum = *rule;
    } else if (name == "freeze") {
      if (value != "db" && value != "all")
        return void(bad(line_, "freeze= takes db or all: " + value));
      made_.freeze_all = value == "all";
    } else if (!n || *n > UINT32_MAX) {
      bad(line_, fmt::format("{}= takes a number: {}", name, value));
    } else if (name == "nodes") {
      if (*n < 1 || *n > 16)
        return void(bad(line_, "nodes= takes a number from 1 to 16: " + value));
      made_.nodes = names_.nodes = *n;
    } else if (name == "seed") {
      made_.seed = *n;
    } else if (find_tunable(name)) {
      made_.tunables.emplace_back(name, static_cast<std::uint32_t>(*n));
    } else {
      bad(line_, unknown_setting(name));
    }
  }

  std::string_view text_, line_text_;
  script made_;
  scope names_;
  std::string errors_, heading_;
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
